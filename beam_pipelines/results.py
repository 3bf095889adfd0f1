"""The directories that the jobs fill, and what of one is kept, deleted or refused when a job begins."""

import dataclasses
import re
from collections.abc import Sequence

from avinst import paths
from avinst.dataset import DATASET_FILE, REJECTS_FILE, SHARDS_FOLDER
from avinst.errors import UserError
from avinst.media.types import DecodeLimits
from avinst.side_by_side import side_by_side
from beam_pipelines.layout import Shard
from beam_pipelines.shard_record import (
    ShardRecord,
    limits_changed,
    load_record,
    media_changed,
    record_path,
)

FAILURE_FILE = "failure.txt"
_ANY_SHARD = re.compile(r"[a-z]+-\d{5,}-of-\d{5,}\.")
# By which directories of other kinds are known: datasets, predictions, SavedModels.
_MARKERS = (DATASET_FILE, "predictions.json", "saved_model.pb")


@dataclasses.dataclass(frozen=True)
class ResultsKind:
    """What a job leaves in its directory.

    Attributes:
        command: the command that fills it.
        flag: the command's flag of the directory.
        what: what the directory holds, in words.
        record_type: of a shard that is done.
        parts: what the shards' names begin with.
        extensions: of a shard's files.
        finished_files: are written when all shards are done; the first, written last, says so.
    """

    command: str
    flag: str
    what: str
    record_type: type[ShardRecord]
    parts: tuple[str, ...]
    extensions: tuple[str, ...]
    finished_files: tuple[str, ...]

    @property
    def marker(self) -> str:
        """The file without which the results are unfinished."""
        return self.finished_files[0]

    def shard_file(self, name: str) -> bool:
        """Whether a file of this name is a shard's, a plan, or one that was not written to its end."""
        parts, extensions = "|".join(self.parts), "|".join(map(re.escape, (*self.extensions, ".json")))
        shard = rf"(?:{parts})-\d{{5,}}-of-\d{{5,}}(?:{extensions})"
        ours = rf"{shard}|plan-[0-9a-f]{{16}}\.bin|{paths.TEMPORARY_NAME.pattern}"
        return re.fullmatch(ours, name) is not None


def all_done(
    kind: ResultsKind, directory: str, shards: Sequence[Shard], media_root: str, limits: DecodeLimits
) -> bool:
    """Whether every shard is done and nothing of it is worth another try."""
    return all(side_by_side(directory, lambda shard: _is_done(kind, directory, shard, media_root, limits), shards))


def _is_done(kind: ResultsKind, directory: str, shard: Shard, media_root: str, limits: DecodeLimits) -> bool:
    """Whether a shard's record is there, and neither media files nor limits that cost it a recording changed."""
    record = load_record(kind.record_type, directory, shard.name, shard.fingerprint)
    if record is None or limits_changed(record, limits):
        return False
    return not media_changed(record, shard.rows, media_root)


def refuse_foreign(kind: ResultsKind, directory: str) -> None:
    """Nothing that this command did not make is deleted.

    Raises:
        UserError: the directory is a dataset, a set of predictions or a model, and not of this kind; or it holds
            files named as ours that no job of ours has left.
    """
    names = paths.list_directory(directory)
    shards = paths.list_directory(paths.join(directory, SHARDS_FOLDER))
    others = [name for name in names if name in _MARKERS and name != kind.marker]
    others += [
        f"{SHARDS_FOLDER}/{name}" for name in shards if _ANY_SHARD.match(name) and not kind.shard_file(name)
    ]
    if others:
        raise UserError(f"{directory!r} holds {others[0]!r}, it is no {kind.what}; give another --{kind.flag}")
    if kind.marker in names or any(map(kind.shard_file, shards)):
        return
    written_last = [*kind.finished_files, REJECTS_FILE]
    begun = SHARDS_FOLDER in names  # a job that was ended before its first shard leaves no more
    foreign = [
        name
        for name in names
        if name in written_last or (not begun and (name == FAILURE_FILE or kind.shard_file(name)))
    ]
    if foreign:
        raise UserError(f"{directory!r} holds {foreign[0]!r} that avinst did not make; give another --{kind.flag}")


def refuse_other(
    kind: ResultsKind, directory: str, before: dict[str, object], now: dict[str, object], unknown: str
) -> None:
    """Refuses to replace finished results that were made otherwise.

    Args:
        kind: of the directory.
        directory: holds finished results.
        before: by which settings they were made.
        now: by which they would be made.
        unknown: what differs where none of the settings does.

    Raises:
        UserError: always, with the differences.
    """
    differences = [
        f"{name}: {before.get(name)} there, {now.get(name)} now"
        for name in {**before, **now}
        if before.get(name) != now.get(name)
    ]
    found = "; ".join(differences) or unknown
    raise UserError(
        f"{directory!r} holds a finished {kind.what} made otherwise ({found}); give another --{kind.flag}, or "
        "--overwrite to make it anew and keep only what is the same"
    )


def clear(
    kind: ResultsKind, directory: str, shards: Sequence[Shard], media_root: str, limits: DecodeLimits
) -> None:
    """Takes away what is true no more: done-marker, old failure, other layouts, records to be made anew."""
    for name in (*kind.finished_files, FAILURE_FILE):
        if paths.exists(paths.join(directory, name)):
            paths.remove(paths.join(directory, name))
    wanted = {f"{shard.name}{extension}" for shard in shards for extension in (*kind.extensions, ".json")}
    for folder in (directory, paths.join(directory, SHARDS_FOLDER)):
        for name in paths.list_directory(folder):
            if kind.shard_file(name) and name not in wanted:
                paths.remove(paths.join(folder, name))

    def clear_record(shard: Shard) -> None:
        record = record_path(directory, shard.name)
        if paths.exists(record) and not _is_done(kind, directory, shard, media_root, limits):
            paths.remove(record)

    for _ in side_by_side(directory, clear_record, shards):
        pass
