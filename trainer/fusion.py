"""The last stage of the independent scheme: a head on the frozen branches, trained on features computed once."""

import dataclasses
import functools
from collections.abc import Callable, Mapping

import keras
import numpy as np
import tensorflow as tf

from avinst.dataset import Dataset
from avinst.progress import Progress
from trainer.config import TrainConfig
from trainer.devices import training_batch_size
from trainer.inputs.balance import drawn_by_weight, example_weights, label_weights
from trainer.inputs.batches import Batches
from trainer.inputs.pipeline import endless_epochs, examples, pure_seed, steps_per_epoch
from trainer.models import build_fusion_head, build_model, copy_weights, sub_model
from trainer.run import RunPaths, load_model
from trainer.training import fit, save_stage, stage_model_path

BRANCHES = ("audio", "visual")
# Both compute the same head on the same features; the order of a sum may differ. float32, probabilities.
_TOLERANCE = 1e-5
# bfloat16 keeps 8 bits of a feature.
_TOLERANCE_MIXED = 2e-2


def train_fusion(where: RunPaths, dataset: Dataset, config: TrainConfig) -> None:
    """Trains the head on the stages `audio` and `visual`, assembles the whole network and saves it.

    In the whole network the branches are frozen, BatchNorm in inference mode.

    Raises:
        RuntimeError: the assembled network does not give what the head gave: a defect of this program.
    """
    network = build_model("independent", config, dataset)
    for branch in BRANCHES:
        source = load_model(stage_model_path(where.run_dir, branch))
        copy_weights(source, network, prefix=f"{branch}_")
        del source
    for layer in network.layers:
        if layer.name.startswith(tuple(f"{branch}_" for branch in BRANCHES)):
            layer.trainable = False
    features, labels = compute_features(network, dataset, "train", config.batch_size)
    validation = None
    if dataset.segments.get("validation"):
        validation = tf.data.Dataset.from_tensor_slices(
            compute_features(network, dataset, "validation", config.batch_size)
        ).batch(config.batch_size)
    count = len(labels)
    config = dataclasses.replace(config, batch_size=training_batch_size(count, config.batch_size))
    epochs = feature_epochs(features, labels, dataset, config)
    head = fit(
        functools.partial(build_fusion_head, config, dataset),
        Batches(
            train=lambda epoch, batch: endless_epochs(epochs, epoch).skip(batch),
            validation=validation,
            steps=steps_per_epoch(count, config.batch_size),
            batch_size=config.batch_size,
        ),
        where=where,
        stage="fusion",
        epochs=config.fusion_epochs,
        config=config,
        multi_label=dataset.multi_label,
    )
    copy_weights(head, network)
    _check_equal(network, head, features, dataset, config)
    save_stage(network, where.run_dir, "fusion")


def compute_features(
    network: keras.Model, dataset: Dataset, split: str, batch_size: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The penultimate features of a split in the order of its files, and the labels.

    Returns:
        `audio_features` float32 [segments, 1024] and `visual_features` float32 [segments, 2048]; labels
        float32 [segments, labels], multi-hot.
    """
    names = [f"{branch}_features" for branch in BRANCHES]
    compute = tf.function(sub_model(network, names))
    progress = Progress(f"fusion, features of {split}", dataset.segments[split])
    found: dict[str, list[np.ndarray]] = {name: [] for name in names}
    labels = []
    for batch, label in examples(dataset, split, batch_size):
        for name, values in zip(names, compute(batch, training=False), strict=True):
            found[name].append(tf.cast(values, tf.float32).numpy())
        labels.append(label.numpy())
        progress.advance(len(label))
    progress.finish()
    return {name: np.concatenate(values) for name, values in found.items()}, np.concatenate(labels)


def feature_epochs(
    features: Mapping[str, np.ndarray], labels: np.ndarray, dataset: Dataset, config: TrainConfig
) -> Callable[[tf.Tensor], tf.data.Dataset]:
    """Makes an epoch's batches of its number; like `training_examples`, but of features and never altered."""
    count = len(labels)
    size, steps = min(config.batch_size, count), steps_per_epoch(count, config.batch_size)
    weights = example_weights(tf.constant(labels), label_weights(dataset))
    columns = [{name: tf.constant(values) for name, values in features.items()}, tf.constant(labels)]
    if config.balance == "weights":
        columns.append(weights)

    def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        seed = pure_seed(config.seed, epoch)
        rows = tf.range(count, dtype=tf.int64)
        if config.balance == "sampling":
            rows = drawn_by_weight(weights, tf.stack([seed, -1]))
        order = tf.data.Dataset.from_tensor_slices(rows).shuffle(count, seed=seed, reshuffle_each_iteration=False)
        batches = order.repeat().batch(size).take(steps)
        return batches.map(lambda chosen: tuple(tf.nest.map_structure(lambda x: tf.gather(x, chosen), columns)))

    return epoch_batches


def _check_equal(
    network: keras.Model,
    head: keras.Model,
    features: Mapping[str, np.ndarray],
    dataset: Dataset,
    config: TrainConfig,
) -> None:
    batch, _ = next(iter(examples(dataset, "train", config.batch_size)))
    whole = np.asarray(network(batch, training=False))
    apart = np.asarray(head({name: values[: len(whole)] for name, values in features.items()}, training=False))
    difference = float(np.abs(whole - apart).max())
    if not difference <= (_TOLERANCE if config.precision == "float32" else _TOLERANCE_MIXED):
        raise RuntimeError(f"the assembled network is off by {difference} from its head on the cached features")
