"""Resamples of recordings that are the same for two runs, so that the runs' difference has an interval."""

from collections.abc import Iterator

import numpy as np

from analysis.correlations.resampling import centred_band
from analysis.correlations.spearman import mean_absolute_blocks
from trainer.audit.measures import Interval

# A set of labels that fewer recordings bear is drawn together with the other rare ones: it would hardly vary.
_SMALLEST_STRATUM = 5
# Bounds the memory: 8 bytes x resamples at once x features x the larger of recordings and features.
_CHUNK_VALUES = 4_000_000


def draw_recordings(labels: np.ndarray, resamples: int, generator: np.random.Generator) -> np.ndarray:
    """Recordings drawn with replacement, within their sets of labels: each label keeps its number of recordings.

    Only the sets of labels that fewer than 5 recordings bear are drawn from together.

    Args:
        labels: bool [recordings, labels].
        resamples: how many.
        generator: source of the draws.

    Returns:
        int [resamples, recordings], rows of `labels`.
    """
    _, stratum, count = np.unique(labels, axis=0, return_inverse=True, return_counts=True)
    stratum = np.where(count[stratum.ravel()] < _SMALLEST_STRATUM, -1, stratum.ravel())
    drawn = np.empty((resamples, len(labels)), dtype=int)
    for number in np.unique(stratum):
        rows = np.flatnonzero(stratum == number)
        drawn[:, rows] = rows[generator.integers(0, len(rows), (resamples, len(rows)))]
    return drawn


def resampled_means(values: np.ndarray, first: int, bears: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Mean |rho| of each resample over the recordings in it that bear a label.

    Args:
        values: float [recordings, features] of one run, its audio features before its visual ones.
        first: number of audio features.
        bears: bool [recordings], those with the label.
        drawn: what `draw_recordings` gives; the same for both runs.

    Returns:
        float64 [resamples, 3]: within audio, within vision, across; NaN where a resample defines none.
    """
    held = bears[drawn]
    counts = held.sum(axis=1)
    found = np.full((len(drawn), 3), np.nan)
    # Resamples with as many recordings of the label are computed together; mostly these are all of them.
    for count in np.unique(counts[counts > 1]):
        for resamples in _chunks(
            np.flatnonzero(counts == count), max(int(count), values.shape[1]) * values.shape[1]
        ):
            rows = drawn[resamples][held[resamples]].reshape(len(resamples), count)
            found[resamples] = mean_absolute_blocks(values[rows], first)
    return found


def difference_interval(value: float, resampled: np.ndarray) -> Interval:
    """The difference with its 95 % interval, the resamples centred on it.

    Repeated recordings raise |rho| more where it is low than where it is high, so that a resample's difference is
    smaller than the sample's: without centring the interval would lie nearer to 0 than the difference does.

    Args:
        value: of the sample.
        resampled: float [resamples], the same of the resamples; NaN where one defines none.
    """
    return Interval(value, *centred_band(value, resampled, -1.0, 1.0))


def _chunks(rows: np.ndarray, size: int) -> Iterator[np.ndarray]:
    step = max(1, _CHUNK_VALUES // max(size, 1))
    for start in range(0, len(rows), step):
        yield rows[start : start + step]
