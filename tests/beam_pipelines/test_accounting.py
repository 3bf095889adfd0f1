"""Random manifests: every row ends as examples or rejects, no group in two splits, a rerun changes nothing."""

import collections
import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from media_factory import write_media
from prepare_jobs import SPEC, digests

from avinst.frames import encode_jpeg
from avinst.manifests.rows import SPLITS
from avinst.media.segments import Loss, MediaError, Segment
from avinst.schema import parse_examples
from beam_pipelines import shard_step
from beam_pipelines.preparing import PrepareConfig, prepare_dataset

JPEG = encode_jpeg(np.zeros((SPEC.frame_size, SPEC.frame_size, 3), np.uint8), SPEC)
COLUMNS = ("video_path", "label", "video_id", "split", "start_seconds", "end_seconds", "group")
# How a file behaves is its name: `4s` gives 4 segments, the others what their names say.
KINDS = ("0s", "1s", "2s", "4s", "broken", "breaks_later", "hole", "missing")


class FakeDecoder:
    """Gives what a file's name says, in no time."""

    def __init__(self, limits):
        self.limits = limits

    def close(self):
        pass

    def decode(self, path, spec, start_seconds=0.0, end_seconds=math.inf):
        kind = Path(path).stem.partition("-")[0]
        if kind == "broken":
            raise MediaError("open", "not_media", "as its name says")
        length = {"breaks_later": 2, "hole": 3}.get(kind) or int(kind.removesuffix("s"))
        count = int(max(0.0, min(length, end_seconds) - start_seconds))
        for index in range(count):
            if kind == "hole" and index == 1:
                yield Loss(1, "segment", "no_picture", "as its name says")
            else:
                waveform = np.full(spec.segment_samples, 0.1, np.float32)
                yield Segment(index, start_seconds + index, waveform, JPEG)
        if kind == "breaks_later":
            raise MediaError("decode", "crashed", "as its name says")


def expected(kind, start, end):
    """(examples, rejects) of a row, from what the names say."""
    length = {"breaks_later": 2, "hole": 3, "broken": 0, "missing": 0}.get(kind)
    count = int(max(0.0, min(int(kind[0]) if length is None else length, end) - start))
    hole = kind == "hole" and count > 1
    examples = count - hole
    told = hole + (kind in ("broken", "missing", "breaks_later"))
    return examples, told or int(examples == 0)


@st.composite
def manifests(draw):
    """Rows as a CSV's dictionaries; a group's split is the same wherever it is given."""
    numbers = range(draw(st.integers(1, 12)))
    split_of_group = {group: draw(st.sampled_from(("", *SPLITS))) for group in "ABC"}
    rows = []
    for number in numbers:
        start = draw(st.sampled_from(("", "0", "1", "2.5")))
        end = draw(st.sampled_from(("", "3", "4.5")))
        group = draw(st.sampled_from(("", "A", "B", "C")))
        row = {
            "video_path": f"{draw(st.sampled_from(KINDS))}-{number}.mp4",
            "label": "|".join(draw(st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, max_size=2))),
            "video_id": draw(st.sampled_from(("", f"ü {number}", f"-{number},'\""))),
            "split": split_of_group[group] if group else draw(st.sampled_from(("", *SPLITS))),
            "start_seconds": start,
            "end_seconds": end,
            "group": group,
        }
        rows.append(row)
    return rows


def write_manifest(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def examples_of(dataset, data_dir):
    """Split to video ids, one for each example that the files hold."""
    found = {}
    for split in SPLITS:
        files = sorted(str(file) for file in Path(data_dir).glob(f"{split}-*.tfrecord"))
        records = list(tf.data.TFRecordDataset(files)) if files else []
        found[split] = []
        if records:
            parsed = parse_examples(tf.stack(records), dataset.spec, len(dataset.labels))
            found[split] = [video.decode() for video in parsed["video_id"].numpy()]
    return found


def id_of(row):
    return row["video_id"] or row["video_path"].removesuffix(".mp4")


# max_examples: each is three jobs, of which two run the pipeline.
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(manifests(), st.integers(1, 20), st.sampled_from(["hash", "stratified"]))
def test_every_row_is_accounted_for(monkeypatch, tmp_path_factory, rows, videos_per_shard, splits):
    monkeypatch.setattr(shard_step, "Decoder", FakeDecoder)
    root = tmp_path_factory.mktemp("job")
    for row in rows:
        if not row["video_path"].startswith("missing"):
            (root / row["video_path"]).touch()
    # One good row, for a set without any example is refused.
    rows = [*rows, dict.fromkeys(COLUMNS, "") | {"video_path": "1s-good.mp4", "label": "x"}]
    (root / "1s-good.mp4").touch()
    write_manifest(root / "manifest.csv", rows)
    config = PrepareConfig(
        manifest=str(root / "manifest.csv"),
        data_dir=str(root / "set"),
        splits=splits,
        videos_per_shard=videos_per_shard,
        workers=2,
        max_reject_rate=1.0,
    )
    dataset = prepare_dataset(config, SPEC)

    found = examples_of(dataset, config.data_dir)
    counted = collections.Counter(video for videos in found.values() for video in videos)
    lines = [json.loads(line) for line in Path(config.data_dir, "rejects.jsonl").read_text().splitlines()]
    rejected = collections.Counter(line["video_id"] for line in lines)
    for row in rows:
        start, end = float(row["start_seconds"] or 0), float(row["end_seconds"] or math.inf)
        kind = row["video_path"].partition("-")[0]
        assert (counted[id_of(row)], rejected[id_of(row)]) == expected(kind, start, end), row
    assert set(counted) | set(rejected) == {id_of(row) for row in rows}
    assert dict(dataset.segments) == {split: len(videos) for split, videos in found.items()}
    assert dataset.rejects == len(lines)

    split_of_video = {video: split for split, videos in found.items() for video in videos}
    splits_of_group = collections.defaultdict(set)
    for row in rows:
        if id_of(row) in split_of_video:
            splits_of_group[row["group"] or id_of(row)].add(split_of_video[id_of(row)])
            assert row["split"] in ("", split_of_video[id_of(row)])
    assert all(len(found_in) == 1 for found_in in splits_of_group.values())

    before = {file: file.stat().st_mtime_ns for file in Path(config.data_dir).rglob("*")}
    bytes_before = digests(config.data_dir)
    assert prepare_dataset(config, SPEC) == dataset
    assert {file: file.stat().st_mtime_ns for file in Path(config.data_dir).rglob("*")} == before
    # An unfinished set is finished to the same bytes.
    Path(config.data_dir, "dataset.json").unlink()
    prepare_dataset(config, SPEC)
    assert digests(config.data_dir) == bytes_before


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    """Real files of 4 s and of 0.5 s, without sound, without picture, cut off, and of text."""
    root = tmp_path_factory.mktemp("media")
    good = write_media(root / "good.mp4", seconds=4.0)
    write_media(root / "short.mp4", seconds=0.5)
    write_media(root / "silent.mp4", seconds=2.0, no_sound=True)
    write_media(root / "dark.mp4", seconds=2.0, no_picture=True)
    (root / "cut.mp4").write_bytes(Path(good).read_bytes()[:-2000])
    (root / "text.mp4").write_text("no video at all")
    return root


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["good", "short", "silent", "dark", "cut", "text", "missing"]),
            st.sampled_from(["", "1", "1.5"]),
            st.sampled_from(["", "3"]),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_every_row_of_real_files_is_accounted_for(media, tmp_path_factory, parts):
    folder = tmp_path_factory.mktemp("job")
    rows = []
    for number, (name, start, end) in enumerate([("good", "", ""), *parts]):
        path = f"{number}.mp4"
        if name != "missing":
            (folder / path).hardlink_to(media / f"{name}.mp4")
        values = {"video_path": path, "label": "x", "group": name, "start_seconds": start, "end_seconds": end}
        rows.append(dict.fromkeys(COLUMNS, "") | values)
    write_manifest(folder / "manifest.csv", rows)
    config = PrepareConfig(
        manifest=str(folder / "manifest.csv"),
        data_dir=str(folder / "set"),
        videos_per_shard=2,
        max_reject_rate=1.0,
    )
    dataset = prepare_dataset(config, SPEC)
    counted = collections.Counter(
        video for videos in examples_of(dataset, config.data_dir).values() for video in videos
    )
    lines = [json.loads(line) for line in Path(config.data_dir, "rejects.jsonl").read_text().splitlines()]
    rejected = {line["video_id"] for line in lines}
    assert set(counted) | rejected == {id_of(row) for row in rows}
    assert counted["0"] == 4
    for number, (name, start, end) in enumerate(parts, start=1):
        if name == "good":
            length = min(4.0, float(end or 4.0)) - float(start or 0.0)
            assert counted[str(number)] == int(length)
        elif name in ("silent", "text", "missing"):
            assert (counted[str(number)], str(number) in rejected) == (0, True)
    before = digests(config.data_dir)
    Path(config.data_dir, "dataset.json").unlink()
    prepare_dataset(config, SPEC)
    assert digests(config.data_dir) == before
