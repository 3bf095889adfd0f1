"""The Beam job of `prepare`: the chain with what writes a shard of examples at its end."""

from typing import NamedTuple

import apache_beam as beam

from avinst.media.decoder import Decoder
from avinst.media.types import DecodeLimits
from avinst.spec import DatasetSpec
from beam_pipelines.chain import add_chain
from beam_pipelines.layout import Shard
from beam_pipelines.plan import Plan
from beam_pipelines.shard_record import ExamplesRecord
from beam_pipelines.shard_step import ShardStep


class PreparationWork(NamedTuple):
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


def add_prepare(pipeline: beam.Pipeline, plan: Plan, work: PreparationWork) -> beam.PCollection:
    """Adds the chain to a pipeline; its output is the names of the shards that were written."""
    return add_chain(pipeline, plan, work.data_dir, ExamplesRecord, WriteExamples(work))


class WriteExamples(ShardStep):
    """Wraps `write_examples`."""

    def __init__(self, work: PreparationWork) -> None:
        super().__init__(work.limits)
        self._work = work

    def write(self, shard: Shard, decoder: Decoder) -> None:
        """Makes the shard's TFRecord file and its record."""
        from beam_pipelines.example_writer import write_examples

        write_examples(
            shard,
            spec=self._work.spec,
            labels=self._work.labels,
            media_root=self._work.media_root,
            data_dir=self._work.data_dir,
            decoder=decoder,
        )
