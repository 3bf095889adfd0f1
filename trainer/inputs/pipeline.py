"""From a dataset's TFRecord files to batches: endless and shuffled for training, else in the files' order."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from avinst.dataset import Dataset
from avinst.keyword_settings import check_choice, check_least
from avinst.schema import parse_examples, parse_labels
from trainer.config import TrainConfig
from trainer.inputs.balance import drawn_by_weight, example_weights, label_weights

INPUTS = ("log_mel", "frame")
# Files that are read side by side, so that neighbours in a file are not neighbours in a batch.
_FILES_AT_ONCE = 8
# Stored examples are small (20 to 50 kB): this many are shuffled before any is decoded.
_SHUFFLE_BUFFER = 4096
# Stored examples whose labels are read together to decide how often each is shown.
_DRAWN_AT_ONCE = 256
_PREFETCHED_BATCHES = 2


def training_examples(
    dataset: Dataset,
    config: TrainConfig,
    *,
    inputs: Sequence[str] = INPUTS,
    first_epoch: int = 0,
    first_batch: int = 0,
    plain: bool = False,
) -> tf.data.Dataset:
    """Batches of the training split: epoch after epoch without end, `steps_per_epoch` full batches each.

    Each epoch has its own order; what is left over of one comes in another. Order and alterations are a pure
    function of the seed, the epoch's number and the batch's, so batches are made side by side, and a resumed
    training sees what an undisturbed one would.

    Args:
        dataset: a finished dataset.
        config: `batch_size` (a split with fewer examples is one batch), `seed`, `cache`, `balance`, and what
            `trainer.inputs.augmentation` takes.
        inputs: which of `log_mel` and `frame` are wanted.
        first_epoch: number of the epoch to begin with.
        first_batch: batches of that epoch to leave out, those that an interrupted training has seen.
        plain: the examples as they are stored, neither altered nor balanced.

    Returns:
        `(features, label)`, names, shapes and types as `avinst.schema.parse_examples`, altered frames float32;
        with `balance` weights also float32 [batch], the examples' weights in the loss.

    Raises:
        UserError: the split has no examples.
    """
    sampled = config.balance == "sampling" and not plain
    # Skipped before anything is decoded or altered.
    batches = _shuffled_batches(dataset, config, first_epoch, sampled=sampled).skip(first_batch)
    weights = label_weights(dataset) if config.balance == "weights" and not plain else None
    alter = None
    if not plain and (config.augment or config.mix != "none"):
        from trainer.inputs.augmentation import augmenter

        alter = augmenter(dataset, config, inputs)

    def make(seed: tf.Tensor, serialized: tf.Tensor) -> tuple[Any, ...]:
        features, label = _parsed(serialized, dataset, inputs)
        if alter is not None:
            features, label = alter(features, label, seed)
        return (features, label) if weights is None else (features, label, example_weights(label, weights))

    return batches.map(make, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).prefetch(_PREFETCHED_BATCHES)


def examples(dataset: Dataset, split: str, batch_size: int, *, inputs: Sequence[str] = INPUTS) -> tf.data.Dataset:
    """One pass over a split in the order of its files, which `keras.Model.fit` takes as it is.

    Args:
        dataset: a finished dataset.
        split: train, validation or test.
        batch_size: segments of a batch; the last one may have fewer.
        inputs: which of `log_mel` and `frame` are wanted.

    Returns:
        Batches `(features, label)` as they are stored: `log_mel` float32 [batch, log_mel_frames, mel_bands] dB,
        `frame` uint8 [batch, size, size, 3]; label float32 [batch, labels], multi-hot.

    Raises:
        UserError: the split has no examples, a batch would be empty, or there is no such input.
    """
    check_least("batch_size", batch_size, 1)
    for name in inputs:
        check_choice("inputs", name, INPUTS)
    batches = _records(dataset, split).batch(batch_size)
    parsed = batches.map(
        lambda serialized: _parsed(serialized, dataset, inputs),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    return parsed.prefetch(_PREFETCHED_BATCHES)


def keyed_examples(dataset: Dataset, split: str, batch_size: int, *, skip: int = 0) -> tf.data.Dataset:
    """One pass over a split in the order of its files, with what tells which segment each row is.

    Args:
        dataset: a finished dataset.
        split: train, validation or test.
        batch_size: segments of a batch; the last one may have fewer.
        skip: examples to leave out at the beginning: they are read, not decoded.

    Returns:
        The dicts of `avinst.schema.parse_examples`: `log_mel`, `frame` and `label` as of `examples`, `video_id`
        string [batch], `segment_index` int64 [batch], `segment_start_seconds` float32 [batch].

    Raises:
        UserError: the split has no examples, or a batch would be empty.
    """
    check_least("batch_size", batch_size, 1)
    return (
        _records(dataset, split)
        .skip(skip)
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
    """The seed of an epoch's order, int64, for use in the function that makes the epoch's dataset.

    tf.data mixes the program's global seed in (and cannot when that is 0); the function's own graph gets a fixed
    one instead, so that the order is a function of seed and epoch alone.
    """
    tf.compat.v1.get_default_graph().seed = 1
    return tf.constant(seed, tf.int64) * 1_000_003 + epoch


def _parsed(
    serialized: tf.Tensor, dataset: Dataset, inputs: Sequence[str]
) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    parsed = parse_examples(serialized, dataset.spec, len(dataset.labels))
    return {name: parsed[name] for name in inputs}, parsed["label"]


def _records(dataset: Dataset, split: str) -> tf.data.Dataset:
    records = tf.data.TFRecordDataset(dataset.tfrecord_paths(split))
    # Known from dataset.json; Keras takes the end of a dataset of unknown length for a mishap.
    return records.apply(tf.data.experimental.assert_cardinality(dataset.segments[split]))


def _shuffled_batches(
    dataset: Dataset, config: TrainConfig, first_epoch: int, *, sampled: bool
) -> tf.data.Dataset:
    """Pairs of a batch's seed, int64 [2], and its stored examples, string [batch]."""
    files, count = dataset.tfrecord_paths("train"), dataset.segments["train"]
    steps, size = steps_per_epoch(count, config.batch_size), min(config.batch_size, count)
    cached = _records(dataset, "train").cache() if config.cache == "memory" else None

    def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        seed = pure_seed(config.seed, epoch)
        if cached is not None:
            records, buffer = cached, count
        else:
            order = tf.data.Dataset.from_tensor_slices(files)
            order = order.shuffle(len(files), seed=seed, reshuffle_each_iteration=False)
            records = order.interleave(
                tf.data.TFRecordDataset,
                cycle_length=min(_FILES_AT_ONCE, len(files)),
                num_parallel_calls=tf.data.AUTOTUNE,
                deterministic=True,
            )
            buffer = min(count, _SHUFFLE_BUFFER)
        if sampled:
            records = _sampled(records, dataset, seed)
        records = records.shuffle(buffer, seed=seed, reshuffle_each_iteration=False)
        if sampled:  # chance decides the number of examples; the steps stay
            records = records.repeat()
        batches = records.batch(size, drop_remainder=True).take(steps).enumerate()
        return batches.map(lambda number, serialized: (tf.stack([seed, number]), serialized))

    return endless_epochs(epoch_batches, first_epoch)


def _sampled(records: tf.data.Dataset, dataset: Dataset, seed: tf.Tensor) -> tf.data.Dataset:
    """The stored examples, each as often as its labels' weights say, on the average."""
    weights = label_weights(dataset)

    def draw(number: tf.Tensor, serialized: tf.Tensor) -> tf.Tensor:
        label = parse_labels(serialized, len(dataset.labels))
        # No batch has a negative number: what is drawn here is not drawn again for the alterations.
        rows = drawn_by_weight(example_weights(label, weights), tf.stack([seed, -1 - number]))
        return tf.gather(serialized, rows)

    return records.batch(_DRAWN_AT_ONCE).enumerate().map(draw).unbatch()
