"""Which of a dataset's files is damaged or gone: TensorFlow tells the place within it, not its name."""

import contextlib
from collections.abc import Iterator, Sequence

import tensorflow as tf

from avinst import paths
from avinst.dataset import Dataset
from avinst.errors import UserError


@contextlib.contextmanager
def damaged_files_named(dataset: Dataset, splits: Sequence[str]) -> Iterator[None]:
    """Within, reading a file of these splits that is damaged or gone raises UserError with its name.

    The files are looked through after the error, not before: that would read everything twice.
    """
    try:
        yield
    except (tf.errors.DataLossError, tf.errors.NotFoundError):
        for split in splits:
            for file in dataset.tfrecord_paths(split) if dataset.segments.get(split) else []:
                if trouble := _trouble(file):
                    raise UserError(
                        f"{file!r} is {trouble}; delete what is left of it and run the same avinst prepare again"
                    ) from None
        raise


def _trouble(file: str) -> str:
    if not paths.exists(file):
        return "gone"
    try:
        for _ in tf.data.TFRecordDataset(file):
            pass
    except tf.errors.DataLossError:
        return "damaged"
    return ""
