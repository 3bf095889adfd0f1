"""The plan of a job: one file with the manifest rows of all its shards, from which every worker reads its own.

What a runner is given is a name and two numbers for each shard. Rows in the job's graph would end at a hundred
thousand of them: Dataflow takes graphs of 10 MB.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from avinst import paths
from avinst.dataset import SHARDS_FOLDER
from beam_pipelines.layout import Shard, whole_fingerprint


class Place(NamedTuple):
    """Where in the plan a shard's rows are.

    Attributes:
        name: of the shard.
        offset: first byte.
        size: bytes.
    """

    name: str
    offset: int
    size: int


class Plan(NamedTuple):
    """A plan that was written.

    Attributes:
        file: where it lies, absolute.
        places: of all shards.
    """

    file: str
    places: tuple[Place, ...]


def plan_name(shards: Sequence[Shard]) -> str:
    """The file's name, by which plans of other rows are told from this one."""
    return f"plan-{whole_fingerprint(shards)[:16]}.bin"


def write_plan(directory: str, shards: Sequence[Shard]) -> Plan:
    """Writes the plan into the job's directory, whole or not at all; equal shards give equal bytes."""
    folder = paths.join(paths.absolute(directory), SHARDS_FOLDER)
    paths.make_directory(folder)
    file = paths.join(folder, plan_name(shards))
    places, offset = [], 0
    with paths.writing_locally(file) as local, open(local, "wb") as plan:  # noqa: PTH123
        for shard in shards:
            size = plan.write(shard.packed())
            places.append(Place(shard.name, offset, size))
            offset += size
    return Plan(file, tuple(places))


def remove_plan(plan: Plan) -> None:
    """Takes a plan away that every worker has followed."""
    if paths.exists(plan.file):
        paths.remove(plan.file)


def read_shard(file: str, name_and_spans: tuple[str, Iterable[tuple[int, int]]]) -> Shard:
    """A shard as it was planned.

    Args:
        file: of the plan.
        name_and_spans: its name, and (offset, size) at least once: a runner may deliver twice.
    """
    _, spans = name_and_spans
    offset, size = next(iter(spans))
    return Shard.unpacked(paths.read_part(file, offset, size))
