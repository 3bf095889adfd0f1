"""The Beam graph of `prepare`: one linear chain, so that it is right on every runner.

    manifest rows -> group by shard -> leave out the shards that are done -> write shard

A runner has to promise only that each shard's work ran at least once: a shard is written under a temporary name
and renamed, and what it holds depends on the manifest and the spec alone. Only manifest rows cross the shuffle.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import apache_beam as beam

from avinst.decoder import Decoder
from avinst.manifest_rows import ManifestRow
from avinst.media_types import DecodeLimits
from avinst.spec import DatasetSpec
from beam_pipelines.layout import Shard, in_order, shard_fingerprint
from beam_pipelines.shard_record import load_record

# The quiet import turns stderr aside; two threads that did so at once could leave it turned aside.
_IMPORTING = threading.Lock()


class Work(NamedTuple):
    """What every worker must know of the job.

    Attributes:
        spec: what is made of a recording.
        labels: the dataset's label names.
        media_root: the folder that the recordings' paths are relative to.
        data_dir: the dataset directory.
        limits: what one recording may cost.
    """

    spec: DatasetSpec
    labels: tuple[str, ...]
    media_root: str
    data_dir: str
    limits: DecodeLimits


def add_prepare(pipeline: beam.Pipeline, shards: Sequence[Shard], work: Work) -> beam.PCollection:
    """Adds the chain to a pipeline; its output is the names of the shards that were written."""
    return (
        pipeline
        | "Manifest rows" >> beam.Create([(shard.name, row) for shard in shards for row in shard.rows])
        | "Group by shard" >> beam.GroupByKey()
        | "To shards" >> beam.Map(_to_shard, spec=work.spec, labels=work.labels)
        | "Leave out done" >> beam.Filter(_is_not_done, data_dir=work.data_dir)
        | "Write shard" >> beam.ParDo(WriteShard(work))
    )


def _to_shard(name_and_rows: tuple[str, Iterable[ManifestRow]], spec: DatasetSpec, labels: Sequence[str]) -> Shard:
    name, rows = name_and_rows
    ordered = in_order(list(rows))
    return Shard(name, ordered, shard_fingerprint(ordered, spec, labels))


def _is_not_done(shard: Shard, data_dir: str) -> bool:
    return load_record(data_dir, shard.name, shard.fingerprint) is None


class WriteShard(beam.DoFn):
    """Wraps `write_shard`: one decoder child for each thread that Beam gives work to."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._decoder: Decoder | None = None

    def setup(self) -> None:
        """Starts the decoder child."""
        from avinst.quiet import import_tensorflow_quietly

        with _IMPORTING:
            import_tensorflow_quietly()
        self._decoder = Decoder(self._work.limits)

    def process(self, shard: Shard) -> Iterator[str]:
        """Writes the shard; yields its name."""
        from beam_pipelines.shard_writer import write_shard

        assert self._decoder is not None
        write_shard(
            shard,
            spec=self._work.spec,
            labels=self._work.labels,
            media_root=self._work.media_root,
            data_dir=self._work.data_dir,
            decoder=self._decoder,
        )
        yield shard.name

    def teardown(self) -> None:
        """Ends the decoder child."""
        if self._decoder is not None:
            self._decoder.close()
            self._decoder = None
