"""Ranks of many features over many recordings, and their products, in little more memory than the ranks take."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy import stats

from avinst.machine import available_cores

# Values that are ranked together by a thread, and values of a block of rows that is multiplied: about 30 MB each.
_RANKED_AT_ONCE, _MULTIPLIED_AT_ONCE = 500_000, 4_000_000
# From so many rows on, half a rank is more than float32 resolves.
_MOST_FLOAT32_ROWS = 2**24


def centred_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks of each column less their mean; ties get the average of their ranks.

    Ranked are some columns at once, on all cores. The ranks are multiples of 1/2, which float32 holds exactly.

    Args:
        values: float [recordings, features].

    Returns:
        float32 [recordings, features]; float64 from 2 ** 24 recordings on.
    """
    rows, columns = values.shape
    ranks = np.empty(values.shape, np.float32 if rows < _MOST_FLOAT32_ROWS else np.float64)

    def rank(start: int) -> None:
        part = slice(start, start + step)
        ranks[:, part] = stats.rankdata(np.ascontiguousarray(values[:, part].T), axis=1).T - (rows + 1) / 2

    step = max(1, _RANKED_AT_ONCE // max(rows, 1))
    starts = range(0, columns, step)
    if len(starts) < 2:
        rank(0)  # a few recordings: threads would cost more than they save
    else:
        with ThreadPoolExecutor(available_cores()) as pool:
            list(pool.map(rank, starts))
    return ranks


def rank_correlation_of(ranks_x: np.ndarray, ranks_y: np.ndarray) -> np.ndarray:
    """The correlation of every column of `ranks_x` with every column of `ranks_y`.

    Products are added up in float64, a block of rows after the other. Each is a multiple of 1/4, so up to some
    300,000 recordings no sum is rounded.

    Args:
        ranks_x: as `centred_ranks` gives them, [recordings, p].
        ranks_y: [recordings, q], of the same recordings.

    Returns:
        float64 [p, q] in [-1, 1]; NaN where a column is constant.
    """
    same = ranks_y is ranks_x
    products = np.zeros((ranks_x.shape[1], ranks_y.shape[1]))
    squares_x, squares_y = np.zeros(ranks_x.shape[1]), np.zeros(ranks_y.shape[1])
    step = max(1, _MULTIPLIED_AT_ONCE // max(ranks_x.shape[1] + ranks_y.shape[1], 1))
    for start in range(0, len(ranks_x), step):
        x = ranks_x[start : start + step].astype(np.float64)
        y = x if same else ranks_y[start : start + step].astype(np.float64)
        products += x.T @ y
        squares_x += np.einsum("ij,ij->j", x, x)
        squares_y += np.einsum("ij,ij->j", y, y)
    products /= np.where(squares_x > 0, np.sqrt(squares_x), np.nan)[:, np.newaxis]
    products /= np.where(squares_y > 0, np.sqrt(squares_y), np.nan)
    return np.clip(products, -1.0, 1.0, out=products)
