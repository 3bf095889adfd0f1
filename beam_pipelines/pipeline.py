"""The Beam job of `prepare`: the chain with what writes a shard of examples at its end."""

from collections.abc import Iterator
from typing import NamedTuple

import apache_beam as beam

from avinst.decoder import Decoder
from avinst.media_types import DecodeLimits
from avinst.quiet import import_tensorflow_quietly
from avinst.spec import DatasetSpec
from beam_pipelines.chain import add_chain
from beam_pipelines.layout import Shard
from beam_pipelines.plan import Plan
from beam_pipelines.shard_record import ExamplesRecord


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


def add_prepare(pipeline: beam.Pipeline, plan: Plan, work: Work) -> beam.PCollection:
    """Adds the chain to a pipeline; its output is the names of the shards that were written."""
    return add_chain(pipeline, plan, work.data_dir, ExamplesRecord, WriteShard(work))


class WriteShard(beam.DoFn):
    """Wraps `write_shard`: one decoder child for each thread that Beam gives work to."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._decoder: Decoder | None = None

    def setup(self) -> None:
        """Starts the decoder child."""
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
