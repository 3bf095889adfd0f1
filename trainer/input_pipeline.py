"""From a dataset's TFRecord files to batches: endless and shuffled for training, else in the files' order."""

from collections.abc import Callable, Sequence

import tensorflow as tf

from avinst.dataset import Dataset
from avinst.schema import parse_examples

INPUTS = ("log_mel", "frame")
# Files that are read side by side, so that neighbours in a file are not neighbours in a batch.
_FILES_AT_ONCE = 8
# Stored examples are small (20 to 50 kB): this many are shuffled before any is decoded.
_SHUFFLE_BUFFER = 4096
_PREFETCHED_BATCHES = 2


def examples(
    dataset: Dataset,
    split: str,
    batch_size: int,
    *,
    inputs: Sequence[str] = INPUTS,
    training: bool = False,
    seed: int = 0,
    first_epoch: int = 0,
    augment: bool = False,
    cache: str = "none",
) -> tf.data.Dataset:
    """Batches for fitting: `({"log_mel", "frame"}, label)`, shapes and types as `avinst.schema.parse_examples`.

    Training: epoch after epoch without end, `steps_per_epoch` full batches each (what is left over comes in
    another epoch: each has its own order). The order is a pure function of seed and epoch, so that a
    resumed training sees it as an undisturbed one would; augmentation is drawn anew from seed and first epoch.
    Else: one pass in the order of the files.

    Args:
        dataset: a finished dataset.
        split: train, validation or test.
        batch_size: examples a batch; a training split with fewer examples is one batch.
        inputs: which of `log_mel` and `frame` are wanted; the other is not decoded.
        training: shuffle and repeat.
        seed: of order and augmentation.
        first_epoch: number of the epoch to begin with.
        augment: alter the examples (`trainer.augmentation`).
        cache: `memory` keeps the stored examples after the first pass, `none` reads the files each time.

    Raises:
        UserError: the split has no examples.
    """
    if training:
        batches = _shuffled_batches(dataset, split, batch_size, seed, first_epoch, cache)
    else:
        batches = _records(dataset, split).batch(batch_size)

    def parse(serialized: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        parsed = parse_examples(serialized, dataset.spec, len(dataset.labels))
        return {name: parsed[name] for name in inputs}, parsed["label"]

    parsed = batches.map(parse, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    if augment:
        from trainer.augmentation import augmenter

        alter = augmenter(dataset, seed + first_epoch, inputs)
        # One call at a time: the random numbers must be drawn in the order of the batches.
        parsed = parsed.map(lambda features, label: (alter(features), label))
    return parsed.prefetch(_PREFETCHED_BATCHES)


def keyed_examples(dataset: Dataset, split: str, batch_size: int) -> tf.data.Dataset:
    """All of a split, in the order of the files, as the dicts of `avinst.schema.parse_examples`."""
    return (
        _records(dataset, split)
        .batch(batch_size)
        .map(
            lambda serialized: parse_examples(serialized, dataset.spec, len(dataset.labels)),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        .prefetch(_PREFETCHED_BATCHES)
    )


def steps_per_epoch(count: int, batch_size: int) -> int:
    """Full batches in `count` examples; 1 where there are fewer than a batch."""
    return max(1, count // batch_size)


def endless_epochs(epoch: Callable[[tf.Tensor], tf.data.Dataset], first_epoch: int = 0) -> tf.data.Dataset:
    """The datasets of all epochs, one after the other; `epoch` makes one of an epoch's number, int64."""
    return tf.data.Dataset.range(first_epoch, 2**31).flat_map(epoch)


def pure_seed(seed: int, epoch: tf.Tensor) -> tf.Tensor:
    """The seed of an epoch's order, for use in the function that makes the epoch's dataset.

    tf.data mixes the program's global seed in (and cannot when that is 0); the function's own graph gets a fixed
    one instead, so that the order is a function of seed and epoch alone.
    """
    tf.compat.v1.get_default_graph().seed = 1
    return tf.constant(seed, tf.int64) * 1_000_003 + epoch


def _records(dataset: Dataset, split: str) -> tf.data.Dataset:
    records = tf.data.TFRecordDataset(dataset.tfrecord_paths(split))
    # Known from dataset.json; Keras takes the end of a dataset of unknown length for a mishap.
    return records.apply(tf.data.experimental.assert_cardinality(dataset.segments[split]))


def _shuffled_batches(
    dataset: Dataset, split: str, batch_size: int, seed: int, first_epoch: int, cache: str
) -> tf.data.Dataset:
    files = dataset.tfrecord_paths(split)
    count = dataset.segments[split]
    cached = _records(dataset, split).cache() if cache == "memory" else None

    def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        epoch_seed = pure_seed(seed, epoch)
        if cached is not None:
            order = cached.shuffle(count, seed=epoch_seed, reshuffle_each_iteration=False)
        else:
            order = (
                tf.data.Dataset.from_tensor_slices(files)
                .shuffle(len(files), seed=epoch_seed, reshuffle_each_iteration=False)
                .interleave(tf.data.TFRecordDataset, cycle_length=min(_FILES_AT_ONCE, len(files)))
                .shuffle(min(count, _SHUFFLE_BUFFER), seed=epoch_seed, reshuffle_each_iteration=False)
            )
        return order.batch(min(batch_size, count), drop_remainder=True)

    return endless_epochs(epoch_batches, first_epoch)
