"""Whether the frame maps lie on what is known to matter: the share of their evidence inside annotated boxes."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from analysis.maps.receptive_field import cell_weights
from analysis.maps.region_boxes import Box, boxes_in
from analysis.maps.segment_maps import SegmentMaps
from avinst.counting import counted, percent
from avinst.spec import DatasetSpec
from trainer.audit.measures import Interval, share
from trainer.audit.result import FEWEST_RECORDINGS

# Of the centre prior, relative to the frame: two thirds of a Gaussian lie in the middle half of each axis.
PRIOR_DEVIATION = 0.25
# What is said where boxes hold for segments, but there is no evidence that could lie on them.
NO_EVIDENCE = (
    "How much of the frame maps' evidence lies on the annotated regions cannot be said: no frame map of a segment "
    "with a box shows any evidence."
)


@dataclasses.dataclass(frozen=True)
class RegionShare:
    """How much of the frame maps' evidence lies inside the boxes, of several together in their union.

    Attributes:
        label: whose recordings; empty for all of them.
        recordings: with a box and a map that shows evidence.
        maps: share of the evidence inside, mean over the recordings.
        uniform: the same of a map that is even: the region's share of the frame.
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

    @property
    def few(self) -> bool:
        """Whether there are too few recordings for a verdict."""
        return self.recordings < FEWEST_RECORDINGS


def region_shares(
    found: SegmentMaps, boxes: Mapping[str, list[Box]], spec: DatasetSpec, seed: int = 0
) -> list[RegionShare]:
    """The shares over all recordings, then those of each label; empty where no segment with a box shows evidence.

    Args:
        found: maps of all segments, with frames.
        boxes: as `analysis.maps.region_boxes.read_regions` gives them.
        spec: gives the size of the frames and the length of a segment.
        seed: of the bootstrap.
    """
    rows, shares = [], []
    for row, video_id in enumerate(found.video_id.tolist()):
        if video_id in boxes and found.maps["visual"][row].any():
            region = boxes_in(boxes[video_id], float(found.start_seconds[row]), spec.segment_seconds)
            if region:
                rows.append(row)
                shares.append(_shares(found.maps["visual"][row], found.centres["visual"], region, spec.frame_size))
    if not rows:
        return []
    values, kept = np.array(shares), np.array(rows)
    labels, ids = found.label_index[kept], found.video_id[kept]
    results = [_summary("", values, ids, seed)]
    for index in np.unique(labels):
        chosen = labels == index
        results.append(_summary(found.label_names[index], values[chosen], ids[chosen], seed))
    return results


def _shares(
    evidence: np.ndarray, centres: tuple[np.ndarray, np.ndarray], boxes: Sequence[Box], size: int
) -> tuple[float, float, float]:
    """Shares of the map, of an even map and of the centre prior inside the union of boxes.

    The edges of all boxes cut the frame into strips; a rectangle of two strips lies in a box wholly or not at all.
    Pixels that an edge cuts count in part.
    """
    tops, lefts = (np.unique([[box[low], box[high]] for box in boxes]) for low, high in ((2, 4), (1, 3)))
    inside = np.zeros((len(tops) - 1, len(lefts) - 1), bool)
    for box in boxes:
        inside |= np.outer(
            (tops[:-1] >= box.top) & (tops[1:] <= box.bottom), (lefts[:-1] >= box.left) & (lefts[1:] <= box.right)
        )
    rows, columns = _strips(tops, size), _strips(lefts, size)
    # Spreading over the input is linear along each axis, so what a cell gives to a strip is a weight.
    spread = [cell_weights(axis, np.arange(size)).astype(np.float64) for axis in centres]
    found = evidence.astype(np.float64)
    whole = spread[0].sum(axis=0) @ found @ spread[1].sum(axis=0)
    in_rectangles = (rows @ spread[0]) @ found @ (columns @ spread[1]).T
    middles = (np.arange(size) + 0.5) / size
    prior = np.exp(-0.5 * ((middles - 0.5) / PRIOR_DEVIATION) ** 2)
    return (
        float(in_rectangles[inside].sum() / whole),
        float(np.outer(rows.sum(axis=1), columns.sum(axis=1))[inside].sum() / size**2),
        float(np.outer(rows @ prior, columns @ prior)[inside].sum() / prior.sum() ** 2),
    )


def _strips(edges: np.ndarray, size: int) -> np.ndarray:
    """float64 [strips, size]: how much of each pixel lies between two edges that follow each other."""
    low, high = edges[:-1, np.newaxis] * size, edges[1:, np.newaxis] * size
    pixels = np.arange(size)
    return np.clip(np.minimum(pixels + 1, high) - np.maximum(pixels, low), 0, None)


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
    if found.few:
        verdict = f"too few recordings ({found.recordings}) to tell it from a centre prior's"
    elif low > 0:
        verdict = "more than a centre prior's"
    elif high < 0:
        verdict = "less than a centre prior's"
    else:
        verdict = "not told from a centre prior's"
    return (
        f"{percent(found.maps.value)} of the frame maps' evidence lies on the annotated regions "
        f"({counted(found.recordings, 'recording')}), {verdict}: {percent(found.centre)} of a Gaussian in the "
        f"middle lies there (difference {above:+.2f} [{low:+.2f}, {high:+.2f}]), {percent(found.uniform)} "
        "of an even map."
    )
