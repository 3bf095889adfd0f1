"""What a `prepare` would cost: reads the manifest, makes examples of a few videos, and writes nothing."""

import dataclasses
import itertools
import time
from collections.abc import Sequence
from typing import Any

from avinst import paths
from avinst.machine import available_cores
from avinst.manifests.rows import ManifestRow
from avinst.media.decoder import Decoder
from avinst.progress import Progress, format_bytes, format_seconds
from avinst.schema import encode_example
from avinst.spec import DatasetSpec
from avinst.splits import unit_interval_hash
from beam_pipelines.example_writer import examples_of
from beam_pipelines.layout import Shard
from beam_pipelines.shard_record import Reject, media_size

SAMPLE = 12
# Two threads of the local runner do the work of 1.9 (measured, see docs/benchmarks.md).
_PARALLEL_SHARE = 0.95


@dataclasses.dataclass(frozen=True)
class Estimate:
    """What was found in the sample, and what follows for the whole.

    Attributes:
        videos: rows of the manifest.
        shards: TFRecord files to be written.
        sampled: videos that were decoded.
        sample_segments: examples that they gave.
        sample_bytes: of these examples, serialized.
        sample_seconds: that one core took for them, seconds.
        rejects: what gave no example.
        missing: paths of the manifest's videos that are not there; on a cloud file system of the sample's alone.
        workers: threads of the local runner.
    """

    videos: int
    shards: int
    sampled: int
    sample_segments: int
    sample_bytes: int
    sample_seconds: float
    rejects: tuple[Reject, ...]
    missing: tuple[str, ...]
    workers: int

    @property
    def segments(self) -> int:
        """Examples to be expected of the whole."""
        return round(self.sample_segments * self.videos / self.sampled)

    @property
    def stored_bytes(self) -> int:
        """Bytes to be expected of the whole."""
        return round(self.sample_bytes * self.videos / self.sampled)

    @property
    def cpu_seconds(self) -> float:
        """Work of one core for the whole, seconds."""
        return self.sample_seconds * self.videos / self.sampled

    @property
    def wall_seconds(self) -> float:
        """Time for the whole on this machine, seconds."""
        cores = min(self.workers, available_cores())
        return self.cpu_seconds / (1 if cores == 1 else cores * _PARALLEL_SHARE)

    def to_json(self) -> dict[str, Any]:
        """The estimate as plain values, for a script."""
        derived = ("segments", "stored_bytes", "cpu_seconds", "wall_seconds")
        return {**dataclasses.asdict(self), **{name: getattr(self, name) for name in derived}}

    def text(self) -> str:
        """The estimate in a few lines."""
        lines = [
            f"videos     {self.videos} in {self.shards} shards",
            f"sample     {self.sampled} videos: {self.sample_segments} segments, {len(self.rejects)} rejects "
            f"in {format_seconds(self.sample_seconds)} of one core",
            f"segments   about {self.segments}",
            f"size       about {format_bytes(self.stored_bytes)}",
            f"CPU        about {_cpu_text(self.cpu_seconds)}",
            f"time here  about {format_seconds(self.wall_seconds)} with {self.workers} workers, once these run",
        ]
        if self.missing:
            names = ", ".join(repr(name) for name in self.missing[:3]) + (" ..." if len(self.missing) > 3 else "")
            lines.append(f"missing    {len(self.missing)} of {self.videos} videos are not there: {names}")
        lines += [f"reject     {reject.path}: {reject.reason}, {reject.detail}" for reject in self.rejects]
        return "\n".join([*lines, "nothing was written"])


def _cpu_text(seconds: float) -> str:
    return f"{seconds / 3600:.2f} hours" if seconds >= 3600 else format_seconds(seconds)


def estimate(
    shards: Sequence[Shard],
    spec: DatasetSpec,
    labels: Sequence[str],
    media_root: str,
    decoder: Decoder,
    workers: int = 0,
    sample: int = SAMPLE,
) -> Estimate:
    """Makes the examples of a sample of the videos, chosen by the hash of their ids, and throws them away.

    Args:
        shards: the layout of the whole job.
        spec: what is made of a recording.
        labels: the dataset's label names.
        media_root: the folder that the recordings' paths are relative to.
        decoder: the child process that decodes.
        workers: threads of the local runner, 0 for one per core.
        sample: how many videos to decode.
    """
    rows = [row for shard in shards for row in shard.rows]
    chosen = sorted(rows, key=lambda row: unit_interval_hash("sample:" + row.video_id))[:sample]
    rejects: list[Reject] = []

    def reject(row: ManifestRow, segment: int | None, stage: str, reason: str, detail: str) -> None:
        rejects.append(Reject(row.video_id, row.video_path, segment, stage, reason, detail))

    # The first second of the first video pays for starting the child and tracing the graph: not timed.
    first = dataclasses.replace(chosen[0], end_seconds=chosen[0].start_seconds + spec.segment_seconds)
    for _ in itertools.islice(examples_of(first, spec, labels, media_root, decoder, lambda *_: None), 1):
        pass
    looked_at = chosen if paths.is_remote(media_root) else rows
    missing = tuple(row.video_path for row in looked_at if media_size(media_root, row) < 0)
    progress = Progress("sampled videos", len(chosen))
    segments = size = 0
    start = time.monotonic()
    for row in chosen:
        for example in examples_of(row, spec, labels, media_root, decoder, reject):
            segments += 1
            size += len(encode_example(example, spec))
        progress.advance()
    seconds = time.monotonic() - start
    progress.finish()
    return Estimate(
        videos=len(rows),
        shards=len(shards),
        sampled=len(chosen),
        sample_segments=segments,
        sample_bytes=size,
        sample_seconds=seconds,
        rejects=tuple(rejects),
        missing=missing,
        workers=workers or available_cores(),
    )
