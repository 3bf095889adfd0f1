"""The bootstrap that all intervals of an evaluation come of: recordings are drawn with replacement."""

from collections.abc import Iterator

import numpy as np

RESAMPLES = 1000
# Percentiles of the draws between which 95 % lie.
INTERVAL = (2.5, 97.5)
# Resamples that are computed together: bounds the memory to a few times this many weights per row.
_CHUNK = 50


def resamples(recordings: int, seed: int = 0) -> Iterator[np.ndarray]:
    """How often each recording is drawn: float64 [at most 50, recordings] at a time, 1000 rows in all.

    Equal arguments give equal draws: what is measured with recordings in the same order has the same intervals,
    and differences are paired.
    """
    generator = np.random.default_rng(seed)
    shares = np.full(recordings, 1 / recordings)
    for start in range(0, RESAMPLES, _CHUNK):
        yield generator.multinomial(recordings, shares, size=min(_CHUNK, RESAMPLES - start)).astype(np.float64)
