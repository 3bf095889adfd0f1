"""Exact statistics for BatchNorm: the moving averages of a short training lag behind its weights."""

from typing import Any

import keras
import tensorflow as tf

from avinst.progress import Progress

LARGEST_NUMBER_OF_BATCHES = 50


def reestimate_batch_norm(model: keras.Model, batches: tf.data.Dataset, progress: Progress | None = None) -> int:
    """Sets mean and variance of every BatchNorm layer to those of its inputs over the batches.

    Each batch is normalized by its own statistics on its way through the network, as in training, and the
    layers' statistics are the mean over batches (Wu and Johnson, "Rethinking 'Batch' in BatchNorm",
    arXiv 2105.07576, section 3). Layers that are frozen keep theirs.

    Args:
        model: its weights stay as they are.
        batches: features as the model takes them, and labels; at most 50 batches are used. Equally large.
        progress: counts the examples.

    Returns:
        The number of layers re-estimated.
    """
    layers = [
        layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable
    ]
    if not layers:
        return 0
    inputs_of_layers = keras.Model(model.inputs, [layer.input for layer in layers])

    @tf.function(reduce_retracing=True)
    def moments(features: Any) -> list[tuple[tf.Tensor, tf.Tensor]]:
        found = inputs_of_layers(features, training=True)
        values = [tf.cast(value, tf.float32) for value in (found if isinstance(found, list) else [found])]
        axes = [list(range(value.shape.rank - 1)) for value in values]
        return [
            (tf.reduce_mean(value, axis), tf.reduce_mean(tf.square(value), axis))
            for value, axis in zip(values, axes, strict=True)
        ]

    sums: list[tuple[tf.Tensor, tf.Tensor]] = []
    count = 0
    for features, label in batches.take(LARGEST_NUMBER_OF_BATCHES):
        found = moments(features)
        sums = found if not sums else [(m + n, s + t) for (m, s), (n, t) in zip(sums, found, strict=True)]
        count += 1
        if progress:
            progress.advance(len(label))
    if progress:
        progress.finish()
    for layer, (mean_sum, square_sum) in zip(layers, sums, strict=True):
        mean = mean_sum / count
        layer.moving_mean.assign(mean)
        layer.moving_variance.assign(tf.maximum(square_sum / count - tf.square(mean), 0.0))
    return len(layers)
