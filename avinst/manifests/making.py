"""From annotations and the files on disk to manifest rows that `read_manifest` accepts, with what was left out."""

import collections
import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from avinst.errors import UserError
from avinst.manifests.annotations import Annotation
from avinst.manifests.media_index import MediaIndex, without_extension
from avinst.manifests.rows import ManifestRow
from avinst.nearest import hint
from avinst.splits import unit_interval_hash


def keep_labels(annotations: Sequence[Annotation], wanted: Sequence[str]) -> list[Annotation]:
    """The annotations with one of the wanted labels, without their other labels.

    Raises:
        UserError: a wanted label that no annotation has.
    """
    known = {label for annotation in annotations for label in annotation.labels}
    for label in wanted:
        if label not in known:
            some = f"there are {', '.join(map(repr, sorted(known)[:3]))} ..."
            raise UserError(f"--labels: no annotation has {label!r}; {hint(label, sorted(known), some)}")
    kept = ((a, tuple(label for label in a.labels if label in wanted)) for a in annotations)
    return [dataclasses.replace(annotation, labels=labels) for annotation, labels in kept if labels]


def place(
    annotations: Iterable[Annotation], media: MediaIndex, trimmed: bool = False
) -> tuple[list[ManifestRow], list[Annotation]]:
    """Finds each annotation's file.

    A clip that was cut out, which its name shows (`ID_start_end`), goes before the whole video (`ID`); only of
    the whole video is a part to be taken, so only its row has start and end.

    Args:
        annotations: what is looked for.
        media: the files.
        trimmed: files that are named by the id alone are the clips too, not the whole videos.

    Returns:
        The rows (their `video_id` is not unique yet: `distinct_ids`), and the annotations without a file.
    """
    rows, missing = [], []
    for annotation in annotations:
        clip = next(filter(None, (media.find(name, annotation.labels) for name in clip_names(annotation))), None)
        path = clip or media.find(annotation.name, annotation.labels)
        if path is None:
            missing.append(annotation)
            continue
        whole = clip is None and not trimmed
        start, end = (annotation.start_seconds, annotation.end_seconds) if whole else (0.0, math.inf)
        row = ManifestRow(path, annotation.labels, "", annotation.split, start, end, annotation.group)
        rows.append(row)
    return rows, missing


def clip_names(annotation: Annotation) -> Iterator[str]:
    """The names by which downloaders call the clip of an annotation; none where it is the whole recording."""
    name, start, end = annotation.name, annotation.start_seconds, annotation.end_seconds
    if math.isinf(end):
        return
    yield f"{name}_{start:06.0f}_{end:06.0f}"
    yield f"{name}_{number(start)}_{number(end)}"
    yield f"{name}_{start:.3f}_{end:.3f}"
    yield f"{name}_{1000 * start:.0f}_{1000 * end:.0f}"
    yield f"{name}_{start:06.0f}"
    yield f"{name}_{number(start)}"
    yield f"{name}_{start:.3f}"


def number(seconds: float) -> str:
    """The shortest text that reads back as the same number: 30, 0.72."""
    return repr(float(seconds)).removesuffix(".0")


def one_group_a_file(rows: Sequence[ManifestRow]) -> list[ManifestRow]:
    """Gives all rows of a file the group of its first one: two names of annotations may lead to one file."""
    of_file: dict[str, str] = {}
    return [dataclasses.replace(row, group=of_file.setdefault(row.video_path, group_of(row))) for row in rows]


def one_split_a_group(rows: Sequence[ManifestRow]) -> tuple[list[ManifestRow], int]:
    """Leaves out of training what is in the test split too, and what is in validation; returns how many rows.

    Clips of one recording on both sides would let a detector know the recording instead of the instrument.
    """
    strength = {"": 0, "train": 1, "validation": 2, "test": 3}
    of_group: dict[str, str] = {}
    for row in rows:
        of_group[group_of(row)] = max(of_group.get(group_of(row), ""), row.split, key=strength.__getitem__)
    kept = [row for row in rows if row.split in ("", of_group[group_of(row)])]
    return kept, len(rows) - len(kept)


def one_row_a_span(rows: Sequence[ManifestRow]) -> tuple[list[ManifestRow], int]:
    """Joins rows of the same span of a file (labels of both), leaves out those that overlap an earlier span.

    Returns:
        The rows in their order, and how many were left out.
    """
    spans: dict[tuple[str, float, float], ManifestRow] = {}
    for row in rows:
        key = (row.video_path, row.start_seconds, row.end_seconds)
        labels = dict.fromkeys((*spans[key].labels, *row.labels)) if key in spans else row.labels
        spans[key] = dataclasses.replace(spans.get(key, row), labels=tuple(labels))
    taken_until: dict[str, float] = collections.defaultdict(float)
    kept: set[tuple[str, float, float]] = set()
    for path, start, end in sorted(spans):
        if start >= taken_until[path]:
            taken_until[path] = end
            kept.add((path, start, end))
    return [row for key, row in spans.items() if key in kept], len(spans) - len(kept)


def distinct_ids(rows: Sequence[ManifestRow]) -> list[ManifestRow]:
    """Gives every row an id: the path without extension, and the span's times where it is not the whole file.

    Where two rows would share an id (a.mp4 and a.avi), both keep the extension.
    """
    plain = [_id(row, without_extension(row.video_path)) for row in rows]
    count = collections.Counter(plain)
    ids = [name if count[name] == 1 else _id(row, row.video_path) for name, row in zip(plain, rows, strict=True)]
    if len(set(ids)) < len(ids):  # a.mp4 and a.avi beside a.mp4.mp4; paths and times together never meet
        ids = [_id(row, row.video_path) for row in rows]
    return [
        dataclasses.replace(row, video_id=name, group=group_of(row)) for row, name in zip(rows, ids, strict=True)
    ]


def group_of(row: ManifestRow) -> str:
    """What must stay in one split: the given group, else the file, whatever its spans are called."""
    return row.group or str(PurePosixPath(row.video_path).with_suffix(""))


def _id(row: ManifestRow, name: str) -> str:
    if row.start_seconds == 0 and math.isinf(row.end_seconds):
        return name
    end = "end" if math.isinf(row.end_seconds) else number(row.end_seconds)
    return f"{name}_{number(row.start_seconds)}_{end}"


def take_validation(rows: Sequence[ManifestRow], share: float) -> list[ManifestRow]:
    """Moves a share of the training split's groups to validation: those whose hash is below the share.

    Raises:
        UserError: no row is in the training split, or there is a validation split already.
    """
    given = {row.split for row in rows}
    if "validation" in given or "train" not in given:
        found = "has a validation split already" if "validation" in given else "gives no training split"
        raise UserError(f"--validation_share: the data set {found}; leave the flag out (avinst prepare splits)")
    return [
        dataclasses.replace(row, split="validation")
        if row.split == "train" and unit_interval_hash(row.group) < share
        else row
        for row in rows
    ]
