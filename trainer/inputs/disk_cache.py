"""A dataset's files on a local disk, for trainings whose dataset lies where reading is slow."""

import contextlib
import dataclasses
import shutil
from collections.abc import Iterator

from avinst import paths
from avinst.dataset import Dataset
from avinst.directory_lock import waiting_lock
from avinst.errors import UserError
from avinst.progress import Progress
from trainer.config import TrainConfig
from trainer.leftovers import clear_leftovers
from trainer.run import CACHE_FOLDER

_SPLITS = ("train", "validation")


@contextlib.contextmanager
def cached_on_disk(dataset: Dataset, config: TrainConfig, run_dir: str) -> Iterator[Dataset]:
    """Gives the dataset to train on: with --cache=disk one whose files are copies, else the dataset itself.

    The copies of the training and validation files lie in `<cache_dir>/<fingerprint>` and stay for other runs, or,
    without a --cache_dir, in `<run_dir>/cache`, which is deleted when the body ends without an error: an
    interrupted training finds them again. Each file is there whole or not at all, and is copied anew where its
    size is another. Trainings that share a --cache_dir copy one after the other.

    Raises:
        UserError: the place is not on a local disk, or there is not enough room.
    """
    if config.cache != "disk":
        yield dataset
        return
    folder = (
        paths.join(config.cache_dir, dataset.fingerprint)
        if config.cache_dir
        else paths.join(run_dir, CACHE_FOLDER)
    )
    if paths.is_remote(folder):
        raise UserError(f"--cache=disk: {folder!r} is not on a local disk; give a local directory as --cache_dir")
    paths.make_directory(folder)
    if config.cache_dir:
        # Other trainings copy to it too, in containers and on machines whose processes this one cannot see.
        waits_for = f"waits for another training, which copies the dataset's files to {folder!r}"
        with waiting_lock(f"{folder}.lock", waits_for) as held:
            _copy_files(dataset, folder, alone=held)
    else:
        _copy_files(dataset, folder, alone=True)
    yield dataclasses.replace(dataset, data_dir=folder)
    if not config.cache_dir:
        paths.remove(folder)


def _copy_files(dataset: Dataset, folder: str, *, alone: bool) -> None:
    """Copies what is missing; where nobody else can be copying, takes away what a killed training left."""
    if alone:
        clear_leftovers(folder)
    files = [file for split in _SPLITS if dataset.segments.get(split) for file in dataset.tfrecord_paths(split)]
    missing = {}
    for file in files:
        copy, size = paths.join(folder, file.rpartition("/")[2]), paths.size(file)
        if paths.size(copy) != size:
            missing[file] = (copy, size)
    needed, free = sum(size for _, size in missing.values()), shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(
            f"--cache=disk: {needed / 1e9:.1f} GB are to be copied to {folder!r}, {free / 1e9:.1f} GB are free; "
            "give another --cache_dir or --cache=none"
        )
    if not missing:
        return
    progress = Progress("copying the dataset's files", len(missing))
    for file, (copy, _) in missing.items():
        paths.copy(file, copy)
        progress.advance()
    progress.finish()
