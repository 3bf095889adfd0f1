"""The Beam graph of every job over videos: one linear chain, so that it is right on every runner.

    shards of manifest rows -> group by shard -> leave out the shards that are done -> write shard

A runner has to promise only that each shard's work ran at least once: a shard's files are written under temporary
names and renamed, and what they hold depends on nothing but the shard and the job. Only manifest rows cross the
shuffle, those of a shard in one packed element: a million single ones would take 7 GB of the launching process.
"""

import dataclasses
from collections.abc import Iterable, Sequence

import apache_beam as beam

from beam_pipelines.layout import Shard
from beam_pipelines.shard_record import ShardRecord, load_record


def add_chain(
    pipeline: beam.Pipeline,
    shards: Sequence[Shard],
    directory: str,
    record_type: type[ShardRecord],
    write: beam.DoFn,
) -> beam.PCollection:
    """Adds the chain to a pipeline.

    Args:
        pipeline: gets the chain.
        shards: the units of work.
        directory: where the job writes.
        record_type: what a shard that is done leaves there.
        write: takes a shard, leaves its record and gives its name.

    Returns:
        The names of the shards that were written.
    """
    return (
        pipeline
        | "Manifest rows" >> beam.Create([(shard.name, shard.packed()) for shard in shards])
        # Divides the shards evenly among workers; the runner's own order of the source would be one worker's.
        | "Group by shard" >> beam.GroupByKey()
        | "To shards" >> beam.Map(_to_shard)
        | "Leave out done" >> beam.Filter(_LeftToDo(directory, record_type))
        | "Write shard" >> beam.ParDo(write)
    )


def _to_shard(name_and_packed: tuple[str, Iterable[bytes]]) -> Shard:
    _, packed = name_and_packed
    return Shard.unpacked(next(iter(packed)))  # a runner that delivers twice delivers the same


@dataclasses.dataclass(frozen=True)
class _LeftToDo:
    directory: str
    record_type: type[ShardRecord]

    def __call__(self, shard: Shard) -> bool:
        return load_record(self.record_type, self.directory, shard.name, shard.fingerprint) is None
