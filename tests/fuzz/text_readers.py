"""What each reader of text must keep, whatever the text: a value that holds together, or one line of UserError."""

import math
import string
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from avinst.errors import UserError

import atheris_imports  # isort: skip  # instruments what is imported below, where a fuzzer asked for it

with atheris_imports.instrumented():
    from analysis.maps.region_boxes import read_regions
    from avinst.dataset import DATASET_FILE, SHARDS_FOLDER, dataset_from_json, load_dataset
    from avinst.manifests.annotations import Annotation
    from avinst.manifests.formats import FORMATS
    from avinst.manifests.making import distinct_ids, one_group_a_file, one_row_a_span, one_split_a_group, place
    from avinst.manifests.media_index import MediaIndex, without_extension
    from avinst.manifests.rows import SPLITS, ManifestRow, read_manifest
    from avinst.manifests.writing import write_manifest
    from avinst.media.types import DecodeLimits
    from avinst.saved_model import (
        ASSETS_FOLDER,
        FACTS_ASSET,
        LABELS_ASSET,
        SAVED_MODEL_FILE,
        SPEC_ASSET,
        read_assets,
    )
    from beam_pipelines.shard_record import (
        ExamplesRecord,
        PredictionsRecord,
        ShardRecord,
        limits_changed,
        load_record,
        save_record,
    )

Read = Callable[[Path, bytes], None]

BETWEEN_FILES = b"\n%%%\n"  # of data sets that come as several files
FILE_NAMES = {"audioset": ("eval_segments.csv", "class_labels_indices.csv", "unbalanced_train_segments.csv")}


def check_text(reader: str, folder: Path, content: bytes) -> str:
    """Gives a reader of READERS a content; returns the UserError's text, or "" where it was read.

    Args:
        reader: its name.
        folder: of its own; its files are overwritten.
        content: of the file.

    Raises:
        Exception: whatever else comes out; AssertionError where what was read does not hold together.
    """
    try:
        READERS[reader](folder, content)
    except UserError as error:
        assert str(error), "an error without text"
        odd = sorted(set(str(error)) - set(string.printable) | set(str(error)) & set("\n\r\v\f\t"))
        assert all(character.isprintable() for character in odd), f"control characters in the message: {odd}"
        return str(error)
    return ""


def _manifest(name: str, *, labels_needed: bool = True) -> Read:
    def read(folder: Path, content: bytes) -> None:
        file = folder / name
        file.write_bytes(content)
        rows = read_manifest(str(file), str(folder), labels_needed=labels_needed)
        _check_rows(rows, labels_needed)
        for again in (folder / "again.csv", folder / "again.jsonl"):
            write_manifest(rows, str(again))
            assert read_manifest(str(again), str(folder), labels_needed=labels_needed) == rows, again.name

    return read


def _check_rows(rows: Sequence[ManifestRow], labels_needed: bool) -> None:
    assert rows
    assert len({row.video_id for row in rows}) == len(rows)
    splits: dict[str, str] = {}
    for row in rows:
        path = PurePosixPath(row.video_path)
        assert not path.is_absolute()
        assert ".." not in path.parts
        assert path.name
        assert "\0" not in row.video_path + row.video_id
        assert row.labels or not labels_needed
        assert all(label and label == label.strip() for label in row.labels)
        assert row.split in ("", *SPLITS)
        assert 0 <= row.start_seconds < row.end_seconds
        assert row.split == "" or splits.setdefault(row.group, row.split) == row.split


def _data_set(name: str) -> Read:
    read = FORMATS[name].read
    assert read

    def check(folder: Path, content: bytes) -> None:
        names = FILE_NAMES.get(name, ("first.txt", "second.txt", "third.txt"))
        pieces = content.split(BETWEEN_FILES)[: len(names)]
        files = [folder / file_name for file_name in names[: len(pieces)]]
        for file, piece in zip(files, pieces, strict=True):
            file.write_bytes(piece)
        _check_annotations(read([str(file) for file in files]), folder)

    return check


def _check_annotations(annotations: Sequence[Annotation], folder: Path) -> None:
    """What `avinst manifest` makes of them is a manifest that `avinst prepare` takes."""
    assert annotations
    stems = {without_extension(annotation.name.removeprefix("./")) for annotation in annotations}
    videos = sorted(f"{stem}.mp4" for stem in stems if _can_be_a_file(f"{stem}.mp4"))
    rows, _ = place(annotations, MediaIndex(videos))
    rows, _ = one_row_a_span(one_split_a_group(one_group_a_file(rows))[0])
    rows = distinct_ids(rows)
    if rows:
        file = folder / "made.csv"
        write_manifest(rows, str(file))
        assert read_manifest(str(file), str(folder)) == rows


def _can_be_a_file(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    parts = PurePosixPath(path).parts
    plain = (
        "\0" not in path and ".." not in parts and not path.startswith("/") and str(PurePosixPath(path)) == path
    )
    return plain and all(len(part.encode()) < 256 for part in parts) and len(path) < 2000


def _regions(folder: Path, content: bytes) -> None:
    file = folder / "regions.csv"
    file.write_bytes(content)
    for boxes in read_regions(str(file)).values():
        assert boxes
        for box in boxes:
            assert 0 <= box.left < box.right <= 1
            assert 0 <= box.top < box.bottom <= 1
            assert math.isnan(box.seconds) or 0 <= box.seconds < math.inf


def _dataset(folder: Path, content: bytes) -> None:
    (folder / DATASET_FILE).write_bytes(content)
    dataset = load_dataset(str(folder))
    assert dataset_from_json(dataset.to_json(), str(folder)) == dataset
    assert all(isinstance(label, str) for label in dataset.labels)
    assert dataset.spec.log_mel_frames > 0
    assert math.isfinite(dataset.log_mel_mean_db)
    assert dataset.log_mel_std_db >= 0
    for split in SPLITS:
        if dataset.segments.get(split):
            assert all(PurePosixPath(path).parent == folder for path in dataset.tfrecord_paths(split))


def _record(record_type: type[ShardRecord]) -> Read:
    name = "train-00000-of-00001"

    def read(folder: Path, content: bytes) -> None:
        (folder / SHARDS_FOLDER).mkdir(exist_ok=True)
        (folder / SHARDS_FOLDER / f"{name}.json").write_bytes(content)
        (folder / f"{name}.tfrecord").write_bytes(b"12")
        record = load_record(record_type, str(folder), name, "print")
        if record:
            (folder / "again" / SHARDS_FOLDER).mkdir(parents=True, exist_ok=True)
            limits_changed(record, DecodeLimits())
            assert all(isinstance(count, int) for count in record.segments_of_video.values())
            assert all(isinstance(size, int) for size in record.media_bytes.values())
            save_record(record, str(folder / "again"))
            assert load_record(record_type, str(folder), name, "print") == record

    return read


def _assets(asset: str) -> Read:
    def read(folder: Path, content: bytes) -> None:
        assets = folder / ASSETS_FOLDER
        assets.mkdir(exist_ok=True)
        (folder / SAVED_MODEL_FILE).write_bytes(b"")
        (assets / LABELS_ASSET).write_text("a\nb\n")
        (assets / SPEC_ASSET).write_text(SPEC_JSON)
        (assets / FACTS_ASSET).write_text("{}")
        (assets / asset).write_bytes(content)
        found = read_assets(str(folder))
        assert found.labels
        assert found.spec.segment_samples > 0

    return read


SPEC_JSON = (
    '{"sample_rate_hz":22050,"segment_seconds":1.0,"window_samples":1024,"hop_samples":220,"mel_bands":96,'
    '"mel_low_hz":30.0,"mel_high_hz":11025.0,"log_floor":1e-05,"frame_size":299,"frame_fit":"stretch",'
    '"jpeg_quality":92}'
)
READERS: Mapping[str, Read] = {
    "manifest": _manifest("manifest.csv"),
    "manifest_jsonl": _manifest("manifest.jsonl"),
    "manifest_unlabelled": _manifest("predict.csv", labels_needed=False),
    **{name: _data_set(name) for name, known in FORMATS.items() if known.read},
    "regions": _regions,
    "dataset": _dataset,
    "examples_record": _record(ExamplesRecord),
    "predictions_record": _record(PredictionsRecord),
    "spec": _assets(SPEC_ASSET),
    "labels": _assets(LABELS_ASSET),
    "facts": _assets(FACTS_ASSET),
}
