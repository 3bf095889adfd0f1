"""Where the next limit of each step is: the numbers that the words of scale_template.md have places for."""

import re
from collections.abc import Sequence
from pathlib import Path

from scale_steps import (
    FEATURES,
    REQUESTS_A_RECORD,
    WRITES_A_SHARD,
    Scale,
    bytes_a_shard,
    memory_a_row,
    plan_bytes_a_row,
)
from scale_words import count, hours, number, size

from avinst.side_by_side import REQUESTS_AT_ONCE
from avinst.splits import DEFAULT_SHARES

ROOT = Path(__file__).parents[1]
# https://cloud.google.com/dataflow/docs/request-quotas
GRAPH_BYTES = 10e6
PART_ROWS = 10_000_000
# Of a listing: https://cloud.google.com/storage/docs/json_api/v1/objects/list
NAMES_A_PAGE = 1_000
SHARD_NAME_BYTES = len('  "train-00000-of-00000",\n')


def reader_constants() -> dict[str, int]:
    """Constants of the trainer's input pipeline, without importing TensorFlow."""
    text = (ROOT / "trainer" / "inputs" / "pipeline.py").read_text()
    return {name: int(value) for name, value in re.findall(r"^(_[A-Z_]+) = (\d+)$", text, flags=re.MULTILINE)}


def spearman() -> tuple[int, float, float]:
    """Recordings, seconds and MB of the largest Spearman in docs/benchmarks.md."""
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    row = rf"^\| ([\d,]+) x {FEATURES} \| `correlations\.spearman` \| ([\d.]+) \| (\d+) \|"
    recordings, seconds, megabytes = re.findall(row, page, re.MULTILINE)[-1]
    return int(recordings.replace(",", "")), float(seconds), float(megabytes)


def launcher_gb(scale: Scale) -> float:
    """Peak of the launching process: a straight line through both measurements."""
    large = scale.measured["launcher_1000000"]
    return (large["peak_mb"] * 2**20 + (scale.videos - large["rows"]) * memory_a_row(scale.measured)) / 1e9


def finishing_bytes(scale: Scale) -> float:
    """Memory that the records take at the end, for each recording."""
    found = scale.measured["finishing_62500"]
    return float((found["peak_mb"] - found["mb_before"]) * 2**20 / found["recordings"])


def finishing_hours(scale: Scale) -> tuple[float, float]:
    """Reading all records: work of the process, and waiting for Cloud Storage, some requests at once."""
    found = scale.measured["finishing_62500"]
    work = found["cpu_seconds"] / found["recordings"] * scale.videos / 3600
    return work, scale.shards * REQUESTS_A_RECORD * scale.given.request_ms / REQUESTS_AT_ONCE / 3.6e6


def limits(scales: Sequence[Scale]) -> dict[str, str]:
    """Places of the template to their text."""
    small, middle, large = scales
    kept, request_hours = (
        large.given.segments_per_video,
        REQUESTS_A_RECORD * large.given.request_ms / REQUESTS_AT_ONCE / 3.6e6,
    )
    reader = reader_constants()
    recordings, seconds, megabytes = spearman()
    finest_shards = large.videos / small.videos_per_shard
    longest = large.measured[f"layout_{large.videos}"]["longest_seconds"]
    decoding = large.prepare().vcpu_hours * 3600 / large.segments
    writes = middle.shards * WRITES_A_SHARD / (middle.prepare().wall_hours * 3600)
    shard = bytes_a_shard(large.measured)
    return {
        "requests_at_once": str(REQUESTS_AT_ONCE),
        "memory_a_row": number(memory_a_row(large.measured)),
        "memory_middle": size(launcher_gb(middle) * 1e9),
        "memory_large": size(launcher_gb(large) * 1e9),
        "middle": count(middle.videos),
        "large": count(large.videos),
        "memory_part": size(PART_ROWS * (memory_a_row(large.measured) + finishing_bytes(large))),
        "part_rows": count(PART_ROWS),
        "listing_pages": count(-(-large.shards // NAMES_A_PAGE)),
        "listing": hours(-(-large.shards // NAMES_A_PAGE) * large.given.request_ms / 3.6e6),
        "retried": ", ".join(hours(scale.prepare().vcpu_hours / scale.shards) for scale in scales),
        "bytes_a_shard": number(shard),
        "most_shards": count(int(GRAPH_BYTES / shard / 1e4) * 1e4),
        "most_videos": count(int(GRAPH_BYTES / shard / 1e4) * 1e4 * large.videos_per_shard),
        "graph_large": size(large.shards * shard),
        "plan_row": number(plan_bytes_a_row(large.measured)),
        "plan_large": size(large.videos * plan_bytes_a_row(large.measured)),
        "large_per_shard": str(large.videos_per_shard),
        "large_one_vcpu": hours(large.prepare().vcpu_hours),
        "middle_writes": number(writes),
        "middle_vcpus": f"{middle.vcpus:,}",
        "finest": str(small.videos_per_shard),
        "finest_files": count(2 * finest_shards),
        "finest_waiting": hours(finest_shards * request_hours),
        "per_shard": ", ".join(f"{scale.videos_per_shard} for {count(scale.videos)}" for scale in scales),
        "shard_bytes": ", ".join(size(scale.dataset_bytes / scale.shards) for scale in scales),
        "longest": hours(longest / 3600),
        "longest_cpu": hours(longest * decoding / 3600),
        "files_at_once": str(reader["_FILES_AT_ONCE"]),
        "buffer": f"{reader['_SHUFFLE_BUFFER']:,}",
        "kept_segments": number(kept),
        "buffer_videos": number(reader["_SHUFFLE_BUFFER"] / kept),
        "gpus": str(large.given.gpus),
        "joint_times": ", ".join(
            f"{hours(scale.train('joint').gpu_wall_hours or 0)} for {count(scale.videos)}" for scale in scales
        ),
        "predict_times": number(large.predict().vcpu_hours / large.prepare().vcpu_hours),
        "features_one": size(FEATURES * 4),
        "features_middle": size(middle.videos * DEFAULT_SHARES["test"] * FEATURES * 4),
        "features_large": size(large.videos * DEFAULT_SHARES["test"] * FEATURES * 4),
        "spearman_recordings": count(recordings),
        "spearman_seconds": number(seconds),
        "spearman_memory": size(megabytes * 1e6),
    }
