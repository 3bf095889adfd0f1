"""What a dataset directory holds when `prepare` begins: what is kept, what is deleted, what is refused."""

import re
from collections.abc import Sequence

from avinst import paths
from avinst.dataset import DATASET_FILE, SHARDS_FOLDER, load_dataset
from avinst.errors import UserError
from avinst.media_types import DecodeLimits
from avinst.spec import DatasetSpec
from beam_pipelines.layout import Shard, dataset_fingerprint
from beam_pipelines.shard_record import limits_changed, load_record, media_changed, record_path

FAILURE_FILE = "failure.txt"
_SHARD_FILE = re.compile(
    rf"(?:train|validation|test)-\d{{5,}}-of-\d{{5,}}\.(?:tfrecord|json)|{paths.TEMPORARY_NAME.pattern}"
)


def is_finished(data_dir: str, shards: Sequence[Shard], media_root: str, limits: DecodeLimits) -> bool:
    """Whether the directory holds just this dataset, finished, and nothing is worth another try."""
    if not paths.exists(paths.join(data_dir, DATASET_FILE)):
        return False
    try:
        same = load_dataset(data_dir).fingerprint == dataset_fingerprint(shards)
    except UserError:
        return False  # of another version: made anew
    return same and all(_is_done(data_dir, shard, media_root, limits) for shard in shards)


def _is_done(data_dir: str, shard: Shard, media_root: str, limits: DecodeLimits) -> bool:
    """Whether a shard's record is there, and neither media files nor limits that cost it a recording changed."""
    record = load_record(data_dir, shard.name, shard.fingerprint)
    if record is None or limits_changed(record, limits):
        return False
    return not media_changed(record, shard.rows, media_root)


def check_ours(data_dir: str, shards: Sequence[Shard], spec: DatasetSpec, overwrite: bool) -> None:
    """Nothing that somebody may still want is deleted unasked.

    Raises:
        UserError: the directory holds TFRecord files that avinst did not make, or a finished dataset of another
            spec or manifest and `overwrite` is not set.
    """
    if not paths.is_directory(paths.join(data_dir, SHARDS_FOLDER)):
        foreign = [name for name in paths.list_directory(data_dir) if _SHARD_FILE.fullmatch(name)]
        if foreign:
            raise UserError(f"{data_dir!r} holds {foreign[0]!r} that avinst did not make; give another --data_dir")
    if overwrite or not paths.exists(paths.join(data_dir, DATASET_FILE)):
        return
    try:
        there = load_dataset(data_dir)
    except UserError as error:
        raise UserError(f"{error} (--overwrite replaces it)") from error
    if there.fingerprint == dataset_fingerprint(shards):
        return  # the same, with media files that were mended
    now = spec.to_json()
    before = there.spec.to_json()
    differences = [f"{name}: {before[name]} there, {now[name]} now" for name in now if before[name] != now[name]]
    found = "; ".join(differences) or "of another manifest"
    raise UserError(
        f"{data_dir!r} holds a finished dataset made otherwise ({found}); "
        "give another --data_dir, or --overwrite to make it anew and keep only what is the same"
    )


def clear(data_dir: str, shards: Sequence[Shard], media_root: str, limits: DecodeLimits) -> None:
    """Takes away what is true no more: done-marker, old failure, other layouts, records to be made anew."""
    for name in (DATASET_FILE, FAILURE_FILE):
        if paths.exists(paths.join(data_dir, name)):
            paths.remove(paths.join(data_dir, name))
    wanted = {f"{shard.name}{extension}" for shard in shards for extension in (".tfrecord", ".json")}
    for folder in (data_dir, paths.join(data_dir, SHARDS_FOLDER)):
        for name in paths.list_directory(folder):
            if _SHARD_FILE.fullmatch(name) and name not in wanted:
                paths.remove(paths.join(folder, name))
    for shard in shards:
        record = record_path(data_dir, shard.name)
        if paths.exists(record) and not _is_done(data_dir, shard, media_root, limits):
            paths.remove(record)
