"""What a dataset directory holds when `prepare` begins: finished, begun, or something that must not be lost."""

from collections.abc import Sequence

from avinst import paths
from avinst.dataset import DATASET_FILE, load_dataset
from avinst.errors import UserError
from avinst.manifests.rows import SPLITS
from avinst.media.types import DecodeLimits
from avinst.spec import DatasetSpec
from beam_pipelines.layout import Shard, whole_fingerprint
from beam_pipelines.results import ResultsKind, all_done, refuse_foreign, refuse_other
from beam_pipelines.shard_record import ExamplesRecord

DATASET = ResultsKind(
    command="prepare",
    flag="data_dir",
    what="dataset",
    record_type=ExamplesRecord,
    parts=SPLITS,
    extensions=(".tfrecord",),
    finished_files=(DATASET_FILE,),
)


def is_finished(data_dir: str, shards: Sequence[Shard], media_root: str, limits: DecodeLimits) -> bool:
    """Whether the directory holds just this dataset, finished, and nothing is worth another try."""
    if not paths.exists(paths.join(data_dir, DATASET_FILE)):
        return False
    try:
        same = load_dataset(data_dir).fingerprint == whole_fingerprint(shards)
    except UserError:
        return False  # of another version: made anew
    return same and all_done(DATASET, data_dir, shards, media_root, limits)


def check_ours(data_dir: str, shards: Sequence[Shard], spec: DatasetSpec, overwrite: bool) -> None:
    """Nothing that somebody may still want is deleted unasked.

    Raises:
        UserError: the directory holds TFRecord files that avinst did not make, or a finished dataset of another
            spec or manifest and `overwrite` is not set.
    """
    refuse_foreign(DATASET, data_dir)
    if overwrite or not paths.exists(paths.join(data_dir, DATASET_FILE)):
        return
    try:
        there = load_dataset(data_dir)
    except UserError as error:
        raise UserError(f"{error} (--overwrite replaces it)") from error
    if there.fingerprint != whole_fingerprint(shards):  # else the same, with media files that were mended
        refuse_other(DATASET, data_dir, there.spec.to_json(), spec.to_json(), "of another manifest")
