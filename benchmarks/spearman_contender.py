"""One way to Spearman's rho in a process of its own: prints its seconds and the growth of its peak memory as JSON.

python benchmarks/spearman_contender.py WAY ROWS COLUMNS [RESULT.npy]
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

COLUMNS_AT_ONCE = 64


def made(rows: int, columns: int) -> np.ndarray:
    """float32 [rows, columns]: features as a ReLU leaves them, four in ten values 0, made without a copy."""
    generator = np.random.default_rng(0)
    values = np.empty((rows, columns), np.float32)
    for start in range(0, columns, COLUMNS_AT_ONCE):
        part = values[:, start : start + COLUMNS_AT_ONCE]
        shared = generator.standard_normal((rows, 1), np.float32)
        part[:] = np.maximum(generator.standard_normal(part.shape, np.float32) + 0.5 * shared + 0.25, 0.0)
    return values


def forget_peak() -> None:
    """The peak counts from here on. (ru_maxrss would begin at what the process that started this one held.)"""
    Path("/proc/self/clear_refs").write_text("5")


def memory_mb(name: str) -> float:
    """VmRSS: what this process holds; VmHWM: the most that it has held; MB. Linux only."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(f"{name}:")) / 1024


def way_called(name: str) -> Callable[[np.ndarray], np.ndarray]:
    """float32 [rows, columns] to rho [columns, columns]; nothing else is imported."""
    if name == "scipy":
        from scipy import stats

        return lambda values: np.asarray(stats.spearmanr(values).statistic)
    if name == "pandas":
        import pandas as pd

        return lambda values: pd.DataFrame(values).corr(method="spearman").to_numpy()
    from analysis.correlations.spearman import spearman

    return spearman


def main(way: str, rows: str, columns: str, result: str = "") -> None:
    """Imports first, then makes the data, then measures."""
    compute = way_called(way)
    values = made(int(rows), int(columns))
    compute(values[:100, :4])
    forget_peak()
    before, began = memory_mb("VmRSS"), time.perf_counter()
    rho = compute(values)
    seconds = time.perf_counter() - began
    print(
        json.dumps(
            {"seconds": seconds, "peak_mb": memory_mb("VmHWM") - before, "values_mb": values.nbytes / 2**20}
        )
    )
    if result:
        np.save(result, rho)


if __name__ == "__main__":
    main(*sys.argv[1:])
