"""Which recording lends its sound or picture to which: partners of other labels, segment by segment."""

import numpy as np
from scipy.optimize import linear_sum_assignment

from trainer.evaluation.predictions import recordings_of

# The assignment's time grows with the third power of the number of recordings: larger sets are dealt into groups.
_LARGEST_GROUP = 1000


def partners(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """Gives each recording another one as its partner, without a label in common where that is possible.

    A random permutation with as few pairs that share a label as there can be (within groups of 1000 recordings
    which hold each label in the same share). Every recording is partner of exactly one.

    Args:
        labels: float32 [recordings, labels], multi-hot.
        seed: decides the permutation.

    Returns:
        int64 [recordings], the partner's row. A recording is its own partner only where it is the only one.
    """
    generator = np.random.default_rng(seed)
    count = len(labels)
    groups = -(-count // _LARGEST_GROUP)
    # Random among recordings of equal labels, so that neighbours in the files do not decide the groups.
    order = np.lexsort((generator.random(count), *labels.T))
    result = np.empty(count, np.int64)
    for number in range(groups):
        rows = order[number::groups]
        result[rows] = rows[_assignment(labels[rows], generator)]
    return result


def partner_segments(video_ids: np.ndarray, segment_index: np.ndarray, partner: np.ndarray) -> np.ndarray:
    """The partner's segment for each segment: its first for the first and so on, again and again if it has fewer.

    Args:
        video_ids: str [segments].
        segment_index: int64 [segments].
        partner: int64 [recordings] as `partners` gives it, recordings in the order of first appearance.

    Returns:
        int64 [segments], rows.
    """
    _, recording = recordings_of(video_ids)
    order = np.lexsort((segment_index, recording))
    counts = np.bincount(recording)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    result = np.empty(len(video_ids), np.int64)
    place = np.arange(len(video_ids)) - first[recording[order]]
    other = partner[recording[order]]
    result[order] = order[first[other] + place % counts[other]]
    return result


def _assignment(labels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A permutation of the rows: first as few fixed rows as can be, then as few shared labels, then at random."""
    count = len(labels)
    shared = (labels @ labels.T > 0).astype(np.float64)
    # The random costs of all pairs are less than `count` together, those of shared labels at most its square.
    costs = generator.random((count, count)) + count * shared + (count + 1.0) ** 2 * np.eye(count)
    return linear_sum_assignment(costs)[1]
