"""Spearman's rank correlation of many features at once, with its permutation null and its bootstrap interval."""

import dataclasses

import numpy as np
from scipy import stats

from analysis.correlations.ranking import centred_ranks, rank_correlation_of
from analysis.correlations.resampling import ROUNDING, central_band, centred_band, p_value

# Bounds the memory: 8 bytes x permutations or resamples at once x the larger of their ranks and their rho.
_CHUNK_VALUES = 4_000_000


def standard_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks of each column, centred and of length 1, so that one matrix product gives all correlations.

    Ties get the average of their ranks, without which features that are often zero correlate wrongly.

    Args:
        values: float [..., recordings, features].

    Returns:
        float64 of the same shape; NaN in the columns that are constant: these have no correlation.
    """
    ranks = stats.rankdata(values, axis=-2)
    ranks = ranks - ranks.mean(axis=-2, keepdims=True)
    length = np.sqrt(np.square(ranks).sum(axis=-2, keepdims=True))
    return ranks / np.where(length > 0, length, np.nan)


def spearman(x: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
    """Spearman's rho of every column of `x` with every column of `y`; fit for thousands of columns.

    Args:
        x: float [recordings, p].
        y: float [recordings, q]; `x` if None.

    Returns:
        float64 [p, q] in [-1, 1]; NaN where a column is constant.
    """
    ranks = centred_ranks(x)
    return rank_correlation_of(ranks, ranks if y is None else centred_ranks(y))


def dead_features(values: np.ndarray) -> np.ndarray:
    """bool [features]: the columns of [recordings, features] that are constant."""
    return np.ptp(values, axis=0) == 0


def mean_absolute(rho: np.ndarray) -> np.ndarray:
    """Mean of |rho| over the last two axes, NaN left out; NaN where nothing is left."""
    finite = np.isfinite(rho)
    count = finite.sum(axis=(-2, -1))
    total = np.where(finite, np.abs(rho), 0.0).sum(axis=(-2, -1))
    return np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0)


def mean_absolute_within(rho: np.ndarray) -> np.ndarray:
    """Mean of |rho| over the pairs of different features of [..., p, p]; NaN if there is no such pair."""
    above_diagonal = np.triu(np.ones(rho.shape[-2:], dtype=bool), k=1)
    return mean_absolute(np.where(above_diagonal, rho, np.nan))


def mean_absolute_blocks(values: np.ndarray, first: int) -> np.ndarray:
    """Mean |rho| within the first columns, within the others, and across.

    Args:
        values: float [..., recordings, features].
        first: number of columns of the first set.

    Returns:
        float64 [..., 3]; NaN where a block has no pair with a correlation.
    """
    ranks = standard_ranks(values)
    rho = np.swapaxes(ranks, -1, -2) @ ranks
    within_x = mean_absolute_within(rho[..., :first, :first])
    within_y = mean_absolute_within(rho[..., first:, first:])
    return np.stack([within_x, within_y, mean_absolute(rho[..., :first, first:])], axis=-1)


@dataclasses.dataclass(frozen=True)
class PermutationNull:
    """What chance gives where the two sets of features have nothing to do with each other.

    Attributes:
        p_values: float64 [p, q], two-sided, of each pair; NaN where a column is constant.
        q_values: float64 [p, q], the p-values after the correction of Benjamini and Hochberg.
        mean_absolute: float64 [permutations], mean |rho| of the block under each permutation.
        maximum: float64 [permutations], the block's largest |rho| under each permutation.
    """

    p_values: np.ndarray
    q_values: np.ndarray
    mean_absolute: np.ndarray
    maximum: np.ndarray

    @property
    def band(self) -> tuple[float, float]:
        """The bounds of mean |rho| under 95 % of the permutations."""
        return central_band(self.mean_absolute)


def permutation_null(
    x: np.ndarray, y: np.ndarray, permutations: int, generator: np.random.Generator
) -> PermutationNull:
    """Shuffles the recordings of `y` against those of `x`; what is related within each set stays so.

    The p-value of a pair is (1 + permutations with |rho| at least as large) / (1 + permutations), which is valid
    at every number of permutations (Phipson and Smyth 2010). It cannot be less than 1 / (1 + permutations): for
    one pair among p x q to survive the correction, permutations must exceed p q / level.

    Args:
        x: float [recordings, p].
        y: float [recordings, q], row by row of the same recordings.
        permutations: how many, at least 1.
        generator: source of the permutations.
    """
    ranks_x, ranks_y = standard_ranks(x), standard_ranks(y)
    alive_x, alive_y = ~np.isnan(ranks_x[0]), ~np.isnan(ranks_y[0])
    ranks_x, ranks_y = ranks_x[:, alive_x], ranks_y[:, alive_y]
    p_values = np.full((len(alive_x), len(alive_y)), np.nan)
    if not alive_x.any() or not alive_y.any():
        empty = np.full(permutations, np.nan)
        return PermutationNull(p_values, p_values.copy(), empty, empty)
    observed = np.abs(ranks_x.T @ ranks_y) - ROUNDING
    at_least = np.zeros(observed.shape)
    means, maxima = [], []
    chunk = max(1, _CHUNK_VALUES // max(ranks_y.size, observed.size))
    for start in range(0, permutations, chunk):
        count = min(chunk, permutations - start)
        order = generator.permuted(np.tile(np.arange(len(ranks_y)), (count, 1)), axis=1)
        null = np.abs(ranks_x.T @ ranks_y[order])
        at_least += (null >= observed).sum(axis=0)
        means.append(null.mean(axis=(1, 2)))
        maxima.append(null.max(axis=(1, 2)))
    block = np.ix_(alive_x, alive_y)
    p_values[block] = p_value(at_least, permutations)
    return PermutationNull(p_values, corrected(p_values), np.concatenate(means), np.concatenate(maxima))


def corrected(p_values: np.ndarray) -> np.ndarray:
    """The p-values after the correction of Benjamini and Hochberg (1995) over those that are not NaN."""
    q_values = np.array(p_values, dtype=np.float64)
    finite = np.isfinite(q_values)
    if finite.any():
        q_values[finite] = stats.false_discovery_control(q_values[finite])
    return q_values


@dataclasses.dataclass(frozen=True)
class MeanAbsolute:
    """Mean |rho| with the 95 % interval of its sampling error; NaN where it is not defined."""

    value: float
    low: float
    high: float


def bootstrap_means(
    x: np.ndarray, y: np.ndarray, resamples: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Mean |rho| within `x`, within `y` and across, and the same of bootstrap resamples of the recordings.

    Args:
        x: float [recordings, p].
        y: float [recordings, q].
        resamples: number of bootstrap resamples.
        generator: source of the resamples.

    Returns:
        float64 [3] and float64 [resamples, 3]; NaN where a block has no living pair.
    """
    joined = np.concatenate([x, y], axis=1)
    p = x.shape[1]
    samples = [np.zeros((0, 3))]
    chunk = max(1, _CHUNK_VALUES // max(joined.size, joined.shape[1] ** 2, 1))
    for start in range(0, resamples, chunk):
        count = min(chunk, resamples - start)
        rows = generator.integers(0, len(joined), (count, len(joined)))
        samples.append(mean_absolute_blocks(joined[rows], p))
    return mean_absolute_blocks(joined, p), np.concatenate(samples)


def centred_intervals(values: np.ndarray, resampled: np.ndarray) -> tuple[MeanAbsolute, ...]:
    """Each value with its interval from its resamples.

    A resample repeats recordings, which raises |rho| above that of the sample itself: the plain percentile
    interval lies above its own estimate where the features are unrelated (it then covered 0 % of 150 draws). So
    the resamples are centred on the estimate. The interval is for the value that this number of recordings gives
    on average (held in 86 to 100 % of 150 draws with 20 to 100 recordings), chance included: it is to be compared
    with the null's mean |rho| at the same number, not with 0.

    Args:
        values: float [n].
        resampled: float [resamples, n].
    """
    return tuple(_centred(float(value), column) for value, column in zip(values, resampled.T, strict=True))


def _centred(value: float, resampled: np.ndarray) -> MeanAbsolute:
    # A resample of few recordings may leave a block without a living pair.
    return MeanAbsolute(value, *centred_band(value, resampled, 0.0, 1.0))
