"""Annotated boxes in the frames: their file, and which of them hold for a segment."""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from avinst.errors import UserError
from avinst.manifests.text import read_file

COLUMNS = ("video_id", "left", "top", "right", "bottom")
_OPTIONAL = "seconds"


class Box(NamedTuple):
    """A box in a frame, relative to its width and height; `seconds` is when in the file it holds, NaN: always."""

    seconds: float
    left: float
    top: float
    right: float
    bottom: float


def read_regions(path: str) -> dict[str, list[Box]]:
    """Reads a CSV of boxes: `video_id,left,top,right,bottom` and perhaps `seconds`.

    The sides are relative to the width and the height of the dataset's frames, 0 to 1, from the upper left corner.
    With `seconds`, counted in the file as a manifest's `start_seconds` is, a box holds for the segment that it
    lies in; without, for the whole recording.

    Returns:
        Recording to its boxes; at least one recording.

    Raises:
        UserError: no such file, no boxes, columns are missing, or a value is no number, no time or makes no box.
    """
    text = read_file(path, "regions file", f"give a CSV of the columns {','.join(COLUMNS)}")
    # As a file is to be opened for csv: line ends are its business, and a quote that is left open is an error.
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        return _boxes(path, rows)
    except csv.Error as error:
        raise UserError(f"{path!r}, line {rows.line_num + 1}: not CSV: {error}") from error


def _boxes(path: str, rows: "csv.DictReader[str]") -> dict[str, list[Box]]:
    missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise UserError(
            f"{path!r}: no column {', '.join(missing)}; a regions file needs {','.join(COLUMNS)} "
            f"and may have {_OPTIONAL}"
        )
    boxes: dict[str, list[Box]] = {}
    for row in rows:
        cells = [row[name] or "" for name in COLUMNS[1:]]
        try:
            sides = [float(cell) for cell in cells]
        except ValueError:
            raise UserError(f"{path!r}, line {rows.line_num}: {cells} are not four numbers") from None
        box = Box(_seconds((row.get(_OPTIONAL) or "").strip(), f"{path!r}, line {rows.line_num}"), *sides)
        if not (0 <= box.left < box.right <= 1 and 0 <= box.top < box.bottom <= 1):
            raise UserError(
                f"{path!r}, line {rows.line_num}: left {box.left:g}, top {box.top:g}, right {box.right:g}, bottom "
                f"{box.bottom:g} make no box; sides are shares of the frame, 0 <= left < right <= 1 and "
                "0 <= top < bottom <= 1"
            )
        boxes.setdefault(row["video_id"], []).append(box)
    if not boxes:
        raise UserError(f"{path!r} has no line below its header; give a line for each box")
    return boxes


def check_annotated(boxes: Mapping[str, list[Box]], recordings: Iterable[str], path: str) -> None:
    """Raises UserError where none of the recordings has a box in the file."""
    wanted = set(recordings)
    if not wanted & set(boxes):
        raise UserError(
            f"{path!r} has no box for any of the {len(wanted)} analyzed recordings: it has {next(iter(boxes))!r}, "
            f"they are called {min(wanted)!r} and so on; give a line for each recording by its video_id"
        )


def check_in_segments(
    boxes: Mapping[str, list[Box]], segments: Iterable[tuple[str, float]], length_seconds: float, path: str
) -> None:
    """Raises UserError where no box holds for any of the segments.

    Args:
        boxes: as `read_regions` gives them.
        segments: recording and start in the file, seconds, of each; read as far as the first one with a box.
        length_seconds: of a segment.
        path: of the boxes' file, for the message.
    """
    passed: list[tuple[str, float]] = []
    for video_id, start_seconds in segments:
        if video_id not in boxes:
            continue
        if boxes_in(boxes[video_id], start_seconds, length_seconds):
            return
        passed.append((video_id, start_seconds))
    if not passed:
        return  # what `check_annotated` tells
    video_id = passed[0][0]
    starts = [start for name, start in passed if name == video_id]
    times = [box.seconds for box in boxes[video_id]]
    raise UserError(
        f"{path!r}: no box lies in an analyzed segment; {video_id!r} is analyzed from {min(starts):g} to "
        f"{max(starts) + length_seconds:g} s, its boxes are at {_range(times)} s; give seconds in the file, as "
        "start_seconds counts, or none for boxes that always hold"
    )


def boxes_in(boxes: Sequence[Box], start_seconds: float, length_seconds: float) -> list[Box]:
    """The boxes that hold for a segment; together they are its region.

    Those without a time, and of those whose time lies in the segment (at its start, but not at its end: there the
    next one begins) the ones nearest to its middle, in which its frame was taken: several of the same time are
    several parts of one picture.

    Args:
        boxes: of the segment's recording.
        start_seconds: of the segment in the file; float32 will do.
        length_seconds: of the segment.
    """
    # Starts are stored as float32, whose steps are 2 ** 29 of float64's; a box at 30.1 s belongs to the segment
    # that begins there, not to the last one.
    first = start_seconds - 1e-6 - math.ulp(start_seconds) * 2**29
    times = [box.seconds for box in boxes if first <= box.seconds < first + length_seconds]
    middle = start_seconds + length_seconds / 2
    nearest = min(times, key=lambda seconds: abs(seconds - middle), default=math.nan)
    return [box for box in boxes if math.isnan(box.seconds) or box.seconds == nearest]


def _range(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _seconds(cell: str, where: str) -> float:
    if not cell:
        return math.nan
    try:
        found = float(cell)
    except ValueError:
        found = math.nan
    if not 0 <= found < math.inf:
        raise UserError(
            f"{where}: {_OPTIONAL} is {cell!r}; give seconds in the file, as start_seconds counts, 0 or more, or "
            "nothing for a box that always holds"
        )
    return found
