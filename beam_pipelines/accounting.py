"""The end of every job: the shards' records, none missing and no recording lost, and the rejects as one file."""

import dataclasses
import functools
import json
from collections.abc import Sequence

from avinst import paths
from avinst.dataset import REJECTS_FILE
from avinst.errors import UserError
from avinst.side_by_side import side_by_side
from beam_pipelines.layout import Shard
from beam_pipelines.shard_record import Record, Reject, ShardRecord, load_record


def records_of(record_type: type[Record], command: str, directory: str, shards: Sequence[Shard]) -> list[Record]:
    """The record of each shard.

    Raises:
        UserError: a shard was not written, or a recording ended neither as segments nor as a reject.
    """
    read = functools.partial(_record_of, record_type, command, directory)
    return list(side_by_side(directory, read, shards))


def _record_of(record_type: type[Record], command: str, directory: str, shard: Shard) -> Record:
    record = load_record(record_type, directory, shard.name, shard.fingerprint)
    if record is None:
        raise UserError(
            f"shard {shard.name} was not written to {directory!r}; run the same avinst {command} again"
        )
    expected = {row.video_id for row in shard.rows}
    told = {reject.video_id for reject in record.rejects}
    accounted = {video for video, segments in record.segments_of_video.items() if segments or video in told}
    if accounted != expected:
        lost = sorted(expected ^ accounted)
        raise UserError(
            f"shard {shard.name}: {len(lost)} recordings unaccounted for, {lost[0]!r} the first; report it"
        )
    return record


def versions_of(records: Sequence[ShardRecord]) -> dict[str, str]:
    """What made the shards; where a job was gone on with after an update, all versions of a package."""
    found: dict[str, dict[str, None]] = {}
    for record in records:
        for name, version in record.versions.items():
            found.setdefault(name, {})[version] = None
    return {name: ", ".join(sorted(versions)) for name, versions in found.items()}


def write_rejects(directory: str, rejects: Sequence[Reject]) -> None:
    """Writes `rejects.jsonl`, a line a reject."""
    lines = [json.dumps(dataclasses.asdict(reject), ensure_ascii=False) + "\n" for reject in rejects]
    paths.write_text(paths.join(directory, REJECTS_FILE), "".join(lines))
