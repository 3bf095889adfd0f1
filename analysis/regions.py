"""Whether the frame maps lie on what is known to matter: the share of their evidence inside annotated boxes."""

import csv
import dataclasses
import io
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from analysis.receptive_field import cell_weights
from analysis.segment_maps import SegmentMaps
from avinst.errors import UserError
from avinst.manifest_text import read_file
from avinst.spec import DatasetSpec
from trainer.audit_measures import Interval, share

COLUMNS = ("video_id", "left", "top", "right", "bottom")
_OPTIONAL = "seconds"
# Of the centre prior, relative to the frame: two thirds of a Gaussian lie in the middle half of each axis.
PRIOR_DEVIATION = 0.25


class Box(NamedTuple):
    """A box in a frame, relative to its width and height; `seconds` is when it holds, NaN for always."""

    seconds: float
    left: float
    top: float
    right: float
    bottom: float


@dataclasses.dataclass(frozen=True)
class RegionShare:
    """How much of the frame maps' evidence lies inside the boxes.

    Attributes:
        label: whose recordings; empty for all of them.
        recordings: with a box and a map that shows evidence.
        maps: share of the evidence inside the box, mean over the recordings.
        uniform: the same of a map that is even: the box's share of the frame.
        centre: the same of a Gaussian in the middle of the frame.
        above_uniform: mean difference of the first two.
        above_centre: mean difference to the centre prior.
    """

    label: str
    recordings: int
    maps: Interval
    uniform: float
    centre: float
    above_uniform: Interval
    above_centre: Interval


def read_regions(path: str) -> dict[str, list[Box]]:
    """Reads a CSV of boxes: `video_id,left,top,right,bottom` and perhaps `seconds`.

    The sides are relative to the width and the height of the dataset's frames, 0 to 1, from the upper left corner.
    With `seconds`, a box holds for the segment that it lies in; without, for the whole recording.

    Returns:
        Recording to its boxes, at least one.

    Raises:
        UserError: no such file, columns are missing, or a value is no number or makes no box.
    """
    text = read_file(path, "regions file", f"give a CSV of the columns {','.join(COLUMNS)}")
    rows = csv.DictReader(io.StringIO(text))
    missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise UserError(
            f"{path!r}: no column {', '.join(missing)}; a regions file needs {','.join(COLUMNS)} "
            f"and may have {_OPTIONAL}"
        )
    boxes: dict[str, list[Box]] = {}
    for row in rows:
        cells = [row.get(_OPTIONAL) or "nan", *(row[name] or "" for name in COLUMNS[1:])]
        try:
            box = Box(*map(float, cells))
        except ValueError:
            raise UserError(f"{path!r}, line {rows.line_num}: {cells[1:]} are not four numbers") from None
        if not (0 <= box.left < box.right <= 1 and 0 <= box.top < box.bottom <= 1):
            raise UserError(
                f"{path!r}, line {rows.line_num}: left {box.left:g}, top {box.top:g}, right {box.right:g}, bottom "
                f"{box.bottom:g} make no box; sides are shares of the frame, 0 <= left < right <= 1 and "
                "0 <= top < bottom <= 1"
            )
        boxes.setdefault(row["video_id"], []).append(box)
    return boxes


def check_annotated(boxes: Mapping[str, list[Box]], recordings: Iterable[str], path: str) -> None:
    """Raises UserError where none of the recordings has a box in the file."""
    wanted = set(recordings)
    if not wanted & set(boxes):
        holds = f"it has {next(iter(boxes))!r}" if boxes else "it is empty"
        raise UserError(
            f"{path!r} has no box for any of the {len(wanted)} analyzed recordings: {holds}, they are called "
            f"{min(wanted)!r} and so on; give a line for each recording by its video_id"
        )


def region_shares(
    found: SegmentMaps, boxes: Mapping[str, list[Box]], spec: DatasetSpec, seed: int = 0
) -> list[RegionShare]:
    """The shares over all recordings, then those of each label; empty where no recording has a box.

    Args:
        found: maps of all segments, with frames.
        boxes: as `read_regions` gives them.
        spec: gives the size of the frames and the length of a segment.
        seed: of the bootstrap.
    """
    rows, shares = [], []
    for row, video_id in enumerate(found.video_id.tolist()):
        if video_id in boxes and found.maps["visual"][row].any():
            box = _box_of(boxes[video_id], float(found.start_seconds[row]), spec.segment_seconds)
            if box is not None:
                rows.append(row)
                shares.append(_shares(found.maps["visual"][row], found.centres["visual"], box, spec.frame_size))
    if not rows:
        return []
    values, kept = np.array(shares), np.array(rows)
    labels, ids = found.label_index[kept], found.video_id[kept]
    results = [_summary("", values, ids, seed)]
    for index in np.unique(labels):
        chosen = labels == index
        results.append(_summary(found.label_names[index], values[chosen], ids[chosen], seed))
    return results


def _box_of(boxes: list[Box], start_seconds: float, length_seconds: float) -> Box | None:
    """The box nearest to the middle of a segment, in which its frame was taken; None where all lie outside."""
    middle = start_seconds + length_seconds / 2
    # Without a time any is as near as another: the first.
    distances = [abs(one.seconds - middle) if one.seconds >= 0 else 0.0 for one in boxes]
    nearest = int(np.argmin(distances))
    return boxes[nearest] if distances[nearest] <= length_seconds / 2 else None


def _shares(
    evidence: np.ndarray, centres: tuple[np.ndarray, np.ndarray], box: Box, size: int
) -> tuple[float, float, float]:
    """Shares of the map, of an even map and of the centre prior inside a box; pixels on its edge count in part."""
    edges = np.arange(size + 1) / size
    middles = (np.arange(size) + 0.5) / size
    prior = np.exp(-0.5 * ((middles - 0.5) / PRIOR_DEVIATION) ** 2)
    inside, whole = evidence.astype(np.float64), evidence.astype(np.float64)
    uniform = centre = 1.0
    # Spreading over the input is linear along each axis, so what a cell gives to the box is a weight.
    for axis, (low, high) in enumerate(((box.top, box.bottom), (box.left, box.right))):
        covered = np.clip(np.minimum(edges[1:], high) - np.maximum(edges[:-1], low), 0, None) * size
        weights = cell_weights(centres[axis], np.arange(size)).astype(np.float64)
        inside = np.tensordot(covered @ weights, inside, axes=(0, 0))
        whole = np.tensordot(weights.sum(axis=0), whole, axes=(0, 0))
        uniform *= covered.sum() / size
        centre *= covered @ prior / prior.sum()
    return float(inside / whole), float(uniform), float(centre)


def _summary(label: str, values: np.ndarray, ids: np.ndarray, seed: int) -> RegionShare:
    """Of values [segments, 3]: means over segments, then over recordings."""
    names, recording = np.unique(ids, return_inverse=True)
    total = np.zeros((len(names), 3))
    np.add.at(total, recording, values)
    means = total / np.bincount(recording, minlength=len(names))[:, np.newaxis]
    return RegionShare(
        label=label,
        recordings=len(names),
        maps=share(means[:, 0], seed),
        uniform=float(means[:, 1].mean()),
        centre=float(means[:, 2].mean()),
        above_uniform=share(means[:, 0] - means[:, 1], seed),
        above_centre=share(means[:, 0] - means[:, 2], seed),
    )


def region_sentence(found: RegionShare) -> str:
    """What the share over all recordings says, in words."""
    above, low, high = found.above_centre
    if low > 0:
        verdict = "more than a centre prior's"
    elif high < 0:
        verdict = "less than a centre prior's"
    else:
        verdict = "not told from a centre prior's"
    return (
        f"{found.maps.value:.0%} of the frame maps' evidence lies on the annotated regions "
        f"({found.recordings} recordings), {verdict}: {found.centre:.0%} of a Gaussian in the middle lies there "
        f"(difference {above:+.2f} [{low:+.2f}, {high:+.2f}]), {found.uniform:.0%} of an even map."
    )
