"""How a manifest of any length falls into splits and shards: the product's own hashes, rows made up and streamed.

    nice python benchmarks/scale_layout.py --rows=100000000

Ids are as a video site gives them (11 characters), uploaders of very different size (a Pareto distribution: most
have one video, some have thousands), lengths log-normal. Held in memory are the counts of the shards alone. The
result goes to benchmarks/scale_measured.json, of which `benchmarks/scale.py` makes docs/scale.md.
"""

import argparse
import base64
import heapq
import resource
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scale_record import record

from avinst.manifests.rows import SPLITS
from avinst.splits import DEFAULT_SHARES, split_of_group
from beam_pipelines.layout import shard_position

SEED = 6
MEAN_SECONDS, SIGMA = 60.0, 1.0
MAX_SECONDS = 4 * 3600.0
PARETO, MAX_UPLOADS = 1.2, 20_000
VIDEOS_PER_SHARD = (16, 64, 256, 1024)
WORKERS = (16, 1_000, 4_000)
_BLOCK = 200_000  # uploaders at once


def _random_names(count: int, length: int, generator: np.random.Generator) -> list[str]:
    """Names of letters, digits, `-` and `_`, as the ids of videos and of channels."""
    width = -(-length // 4) * 4
    text = base64.urlsafe_b64encode(generator.bytes(count * width * 3 // 4)).decode()
    return [text[start : start + length] for start in range(0, count * width, width)]


def uploaders(rows: int, seed: int) -> Iterator[tuple[list[str], np.ndarray, np.random.Generator]]:
    """Blocks of uploaders, `rows` videos in all: names, videos of each, and a generator for what these are."""
    left, block = rows, 0
    while left:
        generator = np.random.default_rng([seed, block])
        sizes = np.minimum(generator.pareto(PARETO, _BLOCK) + 1, MAX_UPLOADS).astype(np.int64)
        ends = np.cumsum(sizes)
        if ends[-1] >= left:
            last = int(np.searchsorted(ends, left))
            sizes = sizes[: last + 1]
            sizes[last] -= int(ends[last]) - left
        yield _random_names(len(sizes), 22, generator), sizes, generator
        left -= int(sizes.sum())
        block += 1


def video_ids(count: int, generator: np.random.Generator) -> list[str]:
    """Ids of videos."""
    return _random_names(count, 11, generator)


def split_codes(names: Sequence[str]) -> np.ndarray:
    """Position in SPLITS of each uploader's split, by the product's hash."""
    return np.array([SPLITS.index(split_of_group(name, DEFAULT_SHARES)) for name in names], np.int8)


def split_rows(rows: int, seed: int) -> tuple[np.ndarray, int, int]:
    """Videos of each split, number of uploaders, videos of the largest."""
    counts, number, largest = np.zeros(len(SPLITS), np.int64), 0, 0
    for names, sizes, _ in uploaders(rows, seed):
        counts += np.bincount(split_codes(names), sizes, minlength=len(SPLITS)).astype(np.int64)
        number, largest = number + len(names), max(largest, int(sizes.max()))
    return counts, number, largest


class Layout:
    """Videos and seconds of every shard, for one number of videos a shard.

    Args:
        counts: videos of each split.
        videos_per_shard: on average.
    """

    def __init__(self, counts: np.ndarray, videos_per_shard: int) -> None:
        shards = -(-counts // videos_per_shard)  # as beam_pipelines.layout.lay_out
        self._of_split = shards
        self._first = np.concatenate([[0], np.cumsum(shards)[:-1]])
        self.videos = np.zeros(shards.sum(), np.int32)
        self.seconds = np.zeros(shards.sum(), np.float32)

    def add(self, codes: np.ndarray, positions: np.ndarray, seconds: np.ndarray) -> None:
        """Adds videos: split codes, positions in [0, 1), lengths in seconds."""
        shards = self._first[codes] + (positions * self._of_split[codes]).astype(np.int64)
        found, of_video = np.unique(shards, return_inverse=True)
        self.videos[found] += np.bincount(of_video).astype(np.int32)
        self.seconds[found] += np.bincount(of_video, seconds).astype(np.float32)

    def summary(self) -> dict[str, Any]:
        """What is recorded of it."""
        held = self.videos > 0
        return {
            "shards": int(held.sum()),
            "empty": int((~held).sum()),
            "videos": _spread(self.videos[held]),
            "seconds": _spread(self.seconds[held]),
            "tail": {str(workers): _tail(self.seconds[held], workers) for workers in WORKERS},
        }


def _spread(values: np.ndarray) -> dict[str, float]:
    levels = {"min": 0, "p1": 1, "p50": 50, "p99": 99, "p99.9": 99.9, "max": 100}
    found = np.percentile(values, list(levels.values())).tolist()
    return {"mean": float(values.mean(dtype=np.float64)), **dict(zip(levels, found, strict=True))}


def _tail(seconds: np.ndarray, workers: int) -> float:
    """Time of the whole / time if work could be divided at will; workers take shards as they get free."""
    free = [0.0] * workers
    for start in range(0, len(seconds), _BLOCK):  # a list of all would take more memory than the counts
        for work in seconds[start : start + _BLOCK].tolist():
            heapq.heapreplace(free, free[0] + work)
    return max(free) / (float(seconds.sum(dtype=np.float64)) / workers)


def simulate(rows: int, seed: int = SEED, sizes: Sequence[int] = VIDEOS_PER_SHARD) -> dict[str, Any]:
    """Streams the rows of a made-up manifest into splits and shards.

    Args:
        rows: videos of the manifest.
        seed: of the made-up rows; the hashes have none.
        sizes: videos a shard, each laid out.

    Returns:
        What is recorded: shares of the splits, spread of the shards, time and memory.
    """
    began = time.process_time()
    counts, number, largest = split_rows(rows, seed)
    layouts = {size: Layout(counts, size) for size in sizes}
    mu = np.log(MEAN_SECONDS) - SIGMA**2 / 2
    longest = 0.0
    for names, uploads, generator in uploaders(rows, seed):
        codes = np.repeat(split_codes(names), uploads)
        ids = video_ids(len(codes), generator)
        positions = np.fromiter(map(shard_position, ids), np.float64, len(ids))
        seconds = np.minimum(generator.lognormal(mu, SIGMA, len(ids)), MAX_SECONDS)
        longest = max(longest, float(seconds.max()))
        for layout in layouts.values():
            layout.add(codes, positions, seconds)
    cpu_seconds = time.process_time() - began
    return {
        "rows": rows,
        "uploaders": number,
        "largest_uploader": largest,
        "longest_seconds": longest,
        "shares": dict(zip(SPLITS, (counts / rows).tolist(), strict=True)),
        "layouts": {str(size): layout.summary() for size, layout in layouts.items()},
        "cpu_seconds": cpu_seconds,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def small_sets(rows: int, sets: int) -> dict[str, Any]:
    """The share of the test split in many manifests of few rows: how far one uploader's luck reaches."""
    shares = [split_rows(rows, SEED + 1 + number)[0][SPLITS.index("test")] / rows for number in range(sets)]
    low, median, high = np.percentile(shares, [2.5, 50, 97.5]).tolist()
    return {"rows": rows, "sets": sets, "low": low, "median": median, "high": high}


def main() -> None:
    """Simulates one length of a manifest and records it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--sets", type=int, default=0, help="instead: the test split's share in so many manifests")
    arguments = parser.parse_args()
    if arguments.sets:
        record(f"small_sets_{arguments.rows}", small_sets(arguments.rows, arguments.sets))
    else:
        record(f"layout_{arguments.rows}", simulate(arguments.rows))


if __name__ == "__main__":
    main()
