"""Which of a dataset's files is damaged or gone: TensorFlow tells the place within it, not its name."""

import contextlib
from collections.abc import Iterator, Sequence

import tensorflow as tf

from avinst import paths
from avinst.dataset import Dataset
from avinst.errors import UserError
from avinst.schema import parse_examples

# A record whose checksum is wrong, and one that is no example of this dataset. TensorFlow's message of the
# latter may quote bytes that are no text: then it ends as a UnicodeDecodeError.
_DAMAGE = (tf.errors.DataLossError, tf.errors.InvalidArgumentError, UnicodeDecodeError)
_BATCH = 64


@contextlib.contextmanager
def damaged_files_named(dataset: Dataset, splits: Sequence[str]) -> Iterator[None]:
    """Within, reading a file of these splits that is damaged or gone raises UserError with its name.

    The files are looked through after the error, not before: that would read everything twice.
    """
    try:
        yield
    except (*_DAMAGE, tf.errors.NotFoundError, tf.errors.FailedPreconditionError):
        for split in splits:
            _check_split(dataset, split)
        raise


def _check_split(dataset: Dataset, split: str) -> None:
    expected = dataset.segments.get(split)
    if not expected:
        return
    again = "and run the same avinst prepare again"
    found = 0
    for file in dataset.tfrecord_paths(split):
        if not paths.exists(file):
            raise UserError(f"{file!r} is gone; run the same avinst prepare again") from None
        try:
            batches = tf.data.TFRecordDataset(file).batch(_BATCH)
            for parsed in batches.map(lambda batch: parse_examples(batch, dataset.spec, len(dataset.labels))):
                found += len(parsed["label"])
        except _DAMAGE:
            raise UserError(f"{file!r} is damaged; delete what is left of it {again}") from None
    if found != expected:
        raise UserError(
            f"{dataset.data_dir!r}: split {split!r} holds {found} examples, {expected} were written; "
            f"delete its {split}-*.tfrecord {again}"
        )
