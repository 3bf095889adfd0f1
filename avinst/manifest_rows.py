"""Manifest rows: reading a CSV or JSONL manifest, and checking every row before any of it is used."""

import csv
import dataclasses
import io
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from avinst import paths
from avinst.errors import UserError

SPLITS = ("train", "validation", "test")
REQUIRED_COLUMNS = ("video_path", "label")
OPTIONAL_COLUMNS = ("video_id", "split", "start_seconds", "end_seconds", "group")
LABEL_SEPARATOR = "|"
_ERRORS_SHOWN = 10


@dataclasses.dataclass(frozen=True)
class ManifestRow:
    """One recording to be prepared.

    Attributes:
        video_path: relative to the media root.
        labels: names, at least one, in the manifest's order.
        video_id: unique name of the recording.
        split: train, validation or test where the manifest decides it, else empty.
        start_seconds: where to begin in the file.
        end_seconds: where to end in the file; infinity for the whole of it.
        group: recordings of one group (performer, uploader) stay in one split; the video id by default.
    """

    video_path: str
    labels: tuple[str, ...]
    video_id: str
    split: str = ""
    start_seconds: float = 0.0
    end_seconds: float = math.inf
    group: str = ""


def read_manifest(path: str, media_root: str) -> list[ManifestRow]:
    """Reads and checks a manifest.

    Args:
        path: a CSV file with a header, or a JSONL file (`.jsonl`, `.json`).
        media_root: the folder that no path may leave.

    Returns:
        The rows in the order of the file.

    Raises:
        UserError: the file cannot be read, or rows are wrong; the first errors are given with line numbers.
    """
    if not paths.exists(path):
        raise UserError(f"no manifest at {path!r}; make one with avinst manifest")
    try:
        text = paths.read_text(path)
    except UnicodeDecodeError as error:
        raise UserError(f"{path!r} is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except IsADirectoryError as error:
        raise UserError(f"{path!r} is a directory; give the manifest file") from error
    numbered = _jsonl_rows(path, text) if path.endswith((".jsonl", ".json")) else _csv_rows(path, text)
    rows: list[ManifestRow] = []
    errors: list[str] = []
    first_line: dict[str, int] = {}
    for line, values in numbered:
        try:
            row = _checked_row(values, media_root)
        except UserError as error:
            errors.append(f"line {line}: {error}")
            continue
        if row.video_id in first_line:
            errors.append(f"line {line}: video_id {row.video_id!r} is in line {first_line[row.video_id]} already")
        first_line.setdefault(row.video_id, line)
        rows.append(row)
    if errors:
        more = f"; and {len(errors) - _ERRORS_SHOWN} more" if len(errors) > _ERRORS_SHOWN else ""
        raise UserError(f"{path}: {len(errors)} bad rows: " + "; ".join(errors[:_ERRORS_SHOWN]) + more)
    if not rows:
        raise UserError(f"{path} has no rows; expected at least one video")
    _check_groups(path, rows)
    return rows


def _csv_rows(path: str, text: str) -> Iterator[tuple[int, dict[str, object]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="", strict=True)
    try:
        _check_columns(path, reader.fieldnames or ())
        for values in reader:
            yield reader.line_num, dict(values)
    except csv.Error as error:
        raise UserError(f"{path}: line {reader.line_num}: not CSV: {error}") from error


def _jsonl_rows(path: str, text: str) -> Iterator[tuple[int, dict[str, object]]]:
    for line, content in enumerate(text.split("\n"), start=1):
        if not content.strip():
            continue
        try:
            values = json.loads(content)
        except json.JSONDecodeError as error:
            raise UserError(f"{path}: line {line}: not JSON: {error.msg}") from error
        if not isinstance(values, dict):
            raise UserError(f"{path}: line {line}: expected an object, found {type(values).__name__}")
        _check_columns(path, tuple(values))
        yield line, values


def _check_columns(path: str, names: Sequence[str]) -> None:
    known = (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS)
    unknown = [name for name in names if name not in known]
    missing = [name for name in REQUIRED_COLUMNS if name not in names]
    if unknown or missing:
        found = f"unknown column {unknown[0]!r}" if unknown else f"column {missing[0]!r} is missing"
        raise UserError(
            f"{path}: {found}; a manifest has {', '.join(REQUIRED_COLUMNS)} "
            f"and may have {', '.join(OPTIONAL_COLUMNS)}"
        )


def _checked_row(values: dict[str, object], media_root: str) -> ManifestRow:
    if "" in values:
        raise UserError("more fields than the header has; put quotes round fields that hold commas")
    video_path = _text(values, "video_path")
    if not video_path:
        raise UserError("video_path is empty")
    video_path = paths.relative_below(media_root, video_path)
    if not PurePosixPath(video_path).name:
        raise UserError("video_path is the media root itself; give a file")
    label_value = values.get("label")
    raw_labels = label_value if isinstance(label_value, list) else _text(values, "label").split(LABEL_SEPARATOR)
    labels = tuple(dict.fromkeys(str(name).strip() for name in raw_labels))
    if not all(labels):
        raise UserError("label is empty; give a name, or several separated by '|'")
    split = _text(values, "split")
    if split not in ("", *SPLITS):
        raise UserError(f"split {split!r}; expected one of {', '.join(SPLITS)}, or nothing")
    start, end = _seconds(values, "start_seconds", 0.0), _seconds(values, "end_seconds", math.inf)
    if not 0 <= start < end:
        raise UserError(f"start_seconds {start:g} and end_seconds {end:g}; expected 0 <= start < end")
    video_id = _text(values, "video_id") or str(PurePosixPath(video_path).with_suffix(""))
    if "\0" in video_id:
        raise UserError(f"video_id {video_id!r} holds a NUL character; remove it")
    return ManifestRow(video_path, labels, video_id, split, start, end, _text(values, "group") or video_id)


def _text(values: dict[str, object], name: str) -> str:
    value = values.get(name)
    return "" if value is None else str(value)


def _seconds(values: dict[str, object], name: str, default: float) -> float:
    text = _text(values, name).strip()
    try:
        seconds = float(text) if text else default
    except ValueError:
        raise UserError(f"{name} {text!r} is no number of seconds") from None
    if math.isnan(seconds):
        raise UserError(f"{name} {text!r} is no number of seconds")
    return seconds


def _check_groups(path: str, rows: list[ManifestRow]) -> None:
    split_of: dict[str, str] = {}
    for row in rows:
        if row.split and split_of.setdefault(row.group, row.split) != row.split:
            raise UserError(
                f"{path}: group {row.group!r} is in split {split_of[row.group]!r} and in {row.split!r}; "
                "recordings of one group must stay in one split"
            )
