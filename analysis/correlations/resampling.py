"""What permutations and resamples tell: the band they lie in, the p-value, the mean of what is defined."""

from typing import Any

import numpy as np

# Differences of rounding must not decide whether an equal value counts as at least as large.
ROUNDING = 1e-9
# One-sided: what has this p-value at most lies above the central 95 % band, which is printed beside it.
BEYOND_CHANCE = 0.025


def central_band(values: np.ndarray) -> tuple[float, float]:
    """The bounds between which the middle 95 % of the values lie; NaN where there are none or one is NaN."""
    if not len(values):
        return np.nan, np.nan
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def centred_band(value: float, resampled: np.ndarray, lowest: float, highest: float) -> tuple[float, float]:
    """The 95 % interval of a value from its resamples, moved so that their mean is the value.

    Args:
        value: of the sample.
        resampled: float [resamples], the same of the resamples; NaN where one defines none: these are left out.
        lowest: that the value can be; so is the interval.
        highest: that the value can be.

    Returns:
        Its bounds; NaN where the value or every resample is not defined.
    """
    finite = resampled[np.isfinite(resampled)]
    if not np.isfinite(value) or not len(finite):
        return np.nan, np.nan
    low, high = central_band(finite - finite.mean())
    return max(value + low, lowest), min(value + high, highest)


def p_value(at_least: Any, permutations: int) -> Any:
    """(1 + permutations that give at least the observed value) / (1 + permutations).

    Valid at every number of permutations, and never 0 (Phipson and Smyth 2010).

    Args:
        at_least: how many do, a number or an array.
        permutations: how many there are.
    """
    return (1 + at_least) / (1 + permutations)


def p_value_among(null: np.ndarray, observed: float) -> float:
    """The p-value of an observed value among those of the permutations, float [permutations]; NaN if it is NaN."""
    if not np.isfinite(observed):
        return np.nan
    return float(p_value(np.count_nonzero(null >= observed - ROUNDING), len(null)))


def mean_of_defined(values: np.ndarray) -> np.ndarray:
    """The mean over the first axis of what is finite; NaN where nothing is."""
    defined = np.isfinite(values)
    total = np.where(defined, values, 0.0).sum(axis=0)
    return np.divide(total, defined.sum(axis=0), out=np.full(total.shape, np.nan), where=defined.any(axis=0))
