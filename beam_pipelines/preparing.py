"""Videos to a dataset: lays the shards out, runs the pipeline, adds up."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from avinst import paths
from avinst.dataset import SHARDS_FOLDER, Dataset, load_dataset
from avinst.directory_lock import only_writer
from avinst.errors import UserError
from avinst.keyword_settings import check_least
from avinst.manifests.rows import ManifestRow, read_manifest
from avinst.media.decoder import Decoder
from avinst.media.types import DecodeLimits
from avinst.nearest import file_hint
from avinst.quiet import import_tensorflow_quietly
from avinst.spec import DatasetSpec
from avinst.splits import DEFAULT_SHARES, assign_splits
from beam_pipelines.beam_flags import check_workers_reach
from beam_pipelines.finishing import check_finished, finish_dataset
from beam_pipelines.job import run_job
from beam_pipelines.layout import Shard, label_names, lay_out
from beam_pipelines.preparation_pipeline import PreparationWork, add_prepare
from beam_pipelines.results import clear
from beam_pipelines.resuming import DATASET, check_ours, is_finished
from beam_pipelines.runner import make_pipeline

if TYPE_CHECKING:
    from beam_pipelines.dry_run import Estimate


@dataclasses.dataclass(frozen=True)
class PrepareConfig:
    """Where the videos come from and how the work is divided; what an example holds is the spec's.

    Attributes:
        manifest: a CSV or JSONL file.
        media_root: the folder that the manifest's paths are relative to; the manifest's own by default.
        data_dir: the dataset directory to be made.
        splits: `hash` or `stratified`.
        shares: of train, validation and test.
        videos_per_shard: recordings of a shard, on average.
        workers: threads of the in-process runner, 0 for one per core.
        max_reject_rate: largest share of recordings that may give no example.
        overwrite: replace a finished dataset of another spec or manifest.
        limits: what one recording may cost.
    """

    manifest: str
    data_dir: str
    media_root: str = ""
    splits: str = "hash"
    shares: Mapping[str, float] = dataclasses.field(default_factory=lambda: dict(DEFAULT_SHARES))
    videos_per_shard: int = 16
    workers: int = 0
    max_reject_rate: float = 0.2
    overwrite: bool = False
    limits: DecodeLimits = dataclasses.field(default_factory=DecodeLimits)

    def __post_init__(self) -> None:
        """Raises UserError for a number that no job can be divided or judged by."""
        check_least("videos_per_shard", self.videos_per_shard, 1)
        check_least("workers", self.workers, 0)
        if not 0 <= self.max_reject_rate <= 1:  # so that NaN fails
            raise UserError(f"max_reject_rate={self.max_reject_rate}: expected 0 to 1")


def prepare_dataset(config: PrepareConfig, spec: DatasetSpec, beam_flags: Sequence[str] = ()) -> Dataset:
    """Makes a dataset, or finishes one that was begun: shards done under the same fingerprint are kept.

    Args:
        config: where from, where to, how.
        spec: what is made of a recording.
        beam_flags: flags for Beam.

    Returns:
        The finished dataset.

    Raises:
        UserError: bad manifest, folders or flags, no video below the media root, another process at work in the
            directory, or too many rejects.
    """
    media_root = _media_root(config)
    # Before anything is read or deleted: these check the flags.
    check_workers_reach(beam_flags, {"--media_root": media_root, "--data_dir": config.data_dir})
    shards, labels = _planned(config, spec)
    finished = _finished(config, shards)
    if finished:
        return finished
    check_ours(config.data_dir, shards, spec, config.overwrite)
    if not paths.exists(paths.join(config.data_dir, SHARDS_FOLDER)):  # what was made before the videos went stays
        _check_media_root(config, shards)
    pipeline = make_pipeline(beam_flags, config.workers, elements=len(shards))
    # Absolute, for workers have working directories of their own.
    work = PreparationWork(
        spec, labels, paths.absolute(media_root), paths.absolute(config.data_dir), config.limits
    )
    with only_writer(config.data_dir, "prepare", "data_dir"):
        # Again: before the lock another job may have been at work here, and finished since.
        finished = _finished(config, shards)
        if finished:
            return finished
        check_ours(config.data_dir, shards, spec, config.overwrite)
        paths.make_directory(paths.join(config.data_dir, SHARDS_FOLDER))
        clear(DATASET, config.data_dir, shards, media_root, config.limits)
        run_job(pipeline, lambda source, plan: add_prepare(source, plan, work), DATASET, config.data_dir, shards)
        return finish_dataset(config.data_dir, shards, spec, labels, config.max_reject_rate)


def _finished(config: PrepareConfig, shards: Sequence[Shard]) -> Dataset | None:
    """The dataset, if it is there and nothing of it is to be done; raises UserError for too many rejects in it."""
    if not is_finished(config.data_dir, shards, _media_root(config), config.limits):
        return None
    dataset = load_dataset(config.data_dir)
    check_finished(dataset, shards, config.max_reject_rate)
    return dataset


def estimate_dataset(config: PrepareConfig, spec: DatasetSpec) -> "Estimate":
    """What `prepare_dataset` would cost; writes nothing. Raises UserError as it does for bad input."""
    media_root = _media_root(config)
    shards, labels = _planned(config, spec)
    check_ours(config.data_dir, shards, spec, config.overwrite)
    _check_media_root(config, shards)
    paths.check_writable(config.data_dir)
    import_tensorflow_quietly()  # not at the top: errors in the manifest are told before it
    from beam_pipelines.dry_run import estimate

    with Decoder(config.limits) as decoder:
        return estimate(shards, spec, labels, media_root, decoder, config.workers)


def _media_root(config: PrepareConfig) -> str:
    return config.media_root or _folder_of(config.manifest)


def _planned(config: PrepareConfig, spec: DatasetSpec) -> tuple[list[Shard], tuple[str, ...]]:
    """The shards and the label names: all that is known before any video is opened."""
    media_root = _media_root(config)
    if not paths.is_directory(media_root):
        advice = "give the folder of the videos with --media_root"
        raise UserError(f"no media folder {media_root!r}{file_hint(media_root)}; {advice}")
    rows = read_manifest(config.manifest, media_root)
    labels = label_names(rows)
    split_of_row = assign_splits(rows, config.splits, config.shares)
    return lay_out(rows, split_of_row, spec, labels, config.videos_per_shard), labels


def _check_media_root(config: PrepareConfig, shards: Sequence[Shard]) -> None:
    """Raises UserError where not one of the videos is below a local media root, which is the wrong one."""
    media_root = _media_root(config)
    rows = [row for shard in shards for row in shard.rows]
    # On a cloud file system each look is a request. Elsewhere the first row usually ends the search.
    if paths.is_remote(media_root) or any(_may_be_there(media_root, row) for row in rows):
        return
    first = paths.join(media_root, min(row.video_path for row in rows))
    advice = "is this the folder of the videos?" if config.media_root else "is --media_root missing?"
    raise UserError(
        f"none of the {len(rows)} videos of {config.manifest} is below {media_root!r}: no {first!r}; {advice} The "
        "manifest's paths are relative to --media_root (default: the manifest's folder)"
    )


def _may_be_there(media_root: str, row: ManifestRow) -> bool:
    try:
        return paths.exists(paths.join(media_root, row.video_path))
    except OSError:  # it may not be looked at, which its reject will tell
        return True


def _folder_of(path: str) -> str:
    return path.rpartition("/")[0] or ("/" if path.startswith("/") else ".")
