"""Manifest rows: reading a CSV or JSONL manifest, and checking every row before any of it is used."""

import array
import dataclasses
import functools
import math
import os
import sys
import unicodedata
from pathlib import PurePosixPath

from avinst.errors import UserError
from avinst.manifests import checks as manifest_checks
from avinst.manifests import text as manifest_text
from avinst.nearest import expected
from avinst.paths import StrPath
from avinst.paths_below import relative_below

SPLITS = ("train", "validation", "test")
LABEL_SEPARATOR = "|"
# Control characters, line and paragraph separators, lone surrogates: labels are written as lines of files.
_NOT_IN_LABELS = ("Cc", "Zl", "Zp", "Cs")
_MAX_SECONDS = 1e9  # 30 years: what time stamps of microseconds hold without a thought


# Slots, and one copy of what many rows share: a manifest of millions of rows is held in memory.
@dataclasses.dataclass(frozen=True, slots=True)
class ManifestRow:
    """One recording to be prepared.

    Attributes:
        video_path: relative to the media root.
        labels: names in the manifest's order; at least one, but for videos that are only to be predicted.
        video_id: unique name of the recording.
        split: train, validation or test where the manifest decides it, else empty.
        start_seconds: where to begin in the file.
        end_seconds: where to end in the file; infinity for the whole of it.
        group: recordings of one group (performer, uploader) stay in one split; the file by default.
    """

    video_path: str
    labels: tuple[str, ...]
    video_id: str
    split: str = ""
    start_seconds: float = 0.0
    end_seconds: float = math.inf
    group: str = ""


def read_manifest(path: StrPath, media_root: StrPath, *, labels_needed: bool = True) -> list[ManifestRow]:
    """Reads and checks a manifest.

    Args:
        path: a CSV file with a header, or a JSONL file (`.jsonl`, `.json`).
        media_root: the folder that no path may leave.
        labels_needed: whether a row without a label is an error.

    Returns:
        The rows in the order of the file.

    Raises:
        UserError: the file cannot be read, its columns are wrong, or rows are wrong by themselves or contradict
            each other (`avinst.manifests.checks`): all of these together, with their line numbers.
    """
    path, media_root = os.fspath(path), os.fspath(media_root)
    text = manifest_text.read_file(path, "manifest", "make one with avinst manifest")
    needed = [name for name in manifest_text.REQUIRED_COLUMNS if name != "label" or labels_needed]
    lines, rows = array.array("q"), []
    errors: list[tuple[int, str]] = []
    for line, values in manifest_text.parse(path, text, needed):
        try:
            if isinstance(values, UserError):
                raise values
            rows.append(_checked_row(values, media_root, labels_needed))
            lines.append(line)
        except UserError as error:
            errors.append((line, str(error)))
    contradictions = manifest_checks.contradictions(lines, rows, splits=labels_needed)
    manifest_text.raise_together(path, "rows", [*errors, *contradictions])
    if not rows:
        raise UserError(f"{path} has no rows; expected at least one video")
    return rows


def _checked_row(values: manifest_text.Values, media_root: str, labels_needed: bool) -> ManifestRow:
    if "" in values:
        raise UserError("more fields than the header has; put quotes round fields that hold commas")
    video_path = _text(values, "video_path")
    if not video_path:
        raise UserError("video_path is empty")
    video_path = relative_below(media_root, video_path)
    if not PurePosixPath(video_path).name:
        raise UserError("video_path is the media root itself; give a file")
    labels = _labels(values) if labels_needed or values.get("label") else ()
    split = _text(values, "split")
    if split not in ("", *SPLITS):
        raise UserError(f"split {split!r}; {expected(split, SPLITS)}")
    start, end = _seconds(values, "start_seconds", 0.0), _seconds(values, "end_seconds", math.inf)
    if not 0 <= start < end:
        raise UserError(f"start_seconds {start:g} and end_seconds {end:g}; expected 0 <= start < end")
    if start > _MAX_SECONDS:
        raise UserError(f"start_seconds {start:g}; expected at most {_MAX_SECONDS:g}")
    name = str(PurePosixPath(video_path).with_suffix(""))
    video_id = _text(values, "video_id") or name
    if "\0" in video_id:
        raise UserError(f"video_id {video_id!r} holds a NUL character; remove it")
    # The file, not the id: spans of one file are one recording's, whatever they are called.
    group = sys.intern(_text(values, "group")) or name
    return ManifestRow(video_path, labels, video_id, sys.intern(split), start, end, group)


def _labels(values: manifest_text.Values) -> tuple[str, ...]:
    value = values.get("label")
    if isinstance(value, list):  # of JSONL
        wrong = [name for name in value if not isinstance(name, str) or LABEL_SEPARATOR in name]
        if wrong:
            raise UserError(f"label {wrong[0]!r}; expected names as text without {LABEL_SEPARATOR!r}")
        return checked_labels(tuple(value))
    return checked_labels(tuple(_text(values, "label").split(LABEL_SEPARATOR)))


@functools.lru_cache(maxsize=10_000)  # a set has few labels, and rows with the same ones share the tuple
def checked_labels(names: tuple[str, ...]) -> tuple[str, ...]:
    """Label names as a row has them: without spaces round them, each once.

    Raises:
        UserError: none, an empty one, or one with a character that no line of a file may hold.
    """
    labels = tuple(dict.fromkeys(name.strip() for name in names))
    if not labels or not all(labels):
        raise UserError("label is empty; give a name, or several separated by '|'")
    odd = [name for name in labels if any(unicodedata.category(character) in _NOT_IN_LABELS for character in name)]
    if odd:
        raise UserError(f"label {odd[0]!r} holds a line break or another control character; rename it")
    return labels


def _text(values: manifest_text.Values, name: str) -> str:
    value = values.get(name)
    if isinstance(value, dict | list | bool):
        raise UserError(f"{name} {value!r} is neither text nor a number")
    text = "" if value is None else str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UserError(
            f"{name} {text!r} holds half of a surrogate pair, which no text file can; write it whole"
        ) from None
    return text


def _seconds(values: manifest_text.Values, name: str, default: float) -> float:
    text = _text(values, name).strip()
    try:
        seconds = float(text) if text else default
    except ValueError:
        raise UserError(f"{name} {text!r} is no number of seconds") from None
    if math.isnan(seconds):
        raise UserError(f"{name} {text!r} is no number of seconds")
    return seconds
