"""The Beam graph of every job over videos: one linear chain, so that it is right on every runner.

    shards -> group by shard -> read the shard's rows -> leave out the shards that are done -> write shard

A runner has to promise only that each shard's work ran at least once: a shard's files are written under temporary
names and renamed, and what they hold depends on nothing but the shard and the job. Only the shards' names, and
where in the plan their manifest rows lie, cross the shuffle.
"""

import dataclasses
from collections.abc import Iterable

import apache_beam as beam

from beam_pipelines.layout import Shard
from beam_pipelines.plan import Plan, read_shard
from beam_pipelines.shard_record import ShardRecord, load_record


def add_chain(
    pipeline: beam.Pipeline, plan: Plan, directory: str, record_type: type[ShardRecord], write: beam.DoFn
) -> beam.PCollection:
    """Adds the chain to a pipeline.

    Args:
        pipeline: gets the chain.
        plan: the units of work, which the workers read.
        directory: where the job writes.
        record_type: what a shard that is done leaves there.
        write: takes a shard, leaves its record and gives its name.

    Returns:
        The names of the shards that were written.
    """
    return (
        pipeline
        | "Shards" >> beam.Create([(place.name, (place.offset, place.size)) for place in plan.places])
        # Divides the shards evenly among workers; the runner's own order of the source would be one worker's.
        | "Group by shard" >> beam.GroupByKey()
        | "Read rows" >> beam.Map(_ReadRows(plan.file))
        | "Leave out done" >> beam.Filter(_LeftToDo(directory, record_type))
        | "Write shard" >> beam.ParDo(write)
    )


@dataclasses.dataclass(frozen=True)
class _ReadRows:
    file: str

    def __call__(self, name_and_spans: tuple[str, Iterable[tuple[int, int]]]) -> Shard:
        return read_shard(self.file, name_and_spans)


@dataclasses.dataclass(frozen=True)
class _LeftToDo:
    directory: str
    record_type: type[ShardRecord]

    def __call__(self, shard: Shard) -> bool:
        return load_record(self.record_type, self.directory, shard.name, shard.fingerprint) is None
