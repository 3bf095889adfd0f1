"""Score-CAM: a channel of a feature map weighs as much as what it shows of the input makes the label probable."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from analysis.maps.receptive_field import cell_centres, spread_over_input

# Those that vary most over the places, as in the "Faster Score-CAM" of tf-keras-vis: each costs a pass.
CHANNELS = 64


def score_cam_pass(
    model: keras.Model, inputs_and_maps: Sequence[tuple[str, str]]
) -> Callable[[list[tf.Tensor], tf.Tensor], list[np.ndarray]]:
    """A function of a batch's inputs and label indices, int32 [n], that gives each modality's maps.

    Wang et al., "Score-CAM: Score-weighted visual explanations for convolutional neural networks" (2020): a
    channel's map, spread over the input and scaled to [0, 1], says how much of the input is shown; the channel's
    weight is the probability that the label then has. In the place of what is not shown stands the mean of the
    segment's own input (0, as in the paper, would be loud in decibels); the other modality stays as it is.

    Args:
        model: flat, float inputs, with the layer `probabilities`.
        inputs_and_maps: for each modality the names of its input and of its layer of feature maps.

    Returns:
        The function; its results are float32 [n, rows, columns], at least 0.
    """
    names = [tensor.name for tensor in model.inputs]
    extractor = keras.Model(model.inputs, [model.get_layer(layer).output for _, layer in inputs_and_maps])
    centres = [cell_centres(model, layer) for _, layer in inputs_and_maps]
    classifier = keras.Model(model.inputs, model.get_layer("probabilities").output)

    @tf.function(reduce_retracing=True)
    def probability(inputs: list[tf.Tensor], position: int, masks: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
        """[channels]: of the label, where each of the masks [channels, ...] covers one of the inputs."""
        own = inputs[position]
        shown = [tf.repeat(tensor, tf.shape(masks)[0], axis=0) for tensor in inputs]
        shown[position] = masks * own + (1 - masks) * tf.reduce_mean(own)
        return tf.cast(classifier(shown, training=False), tf.float32)[:, label]

    def one_map(
        inputs: list[tf.Tensor], position: int, maps: np.ndarray, centre: Any, label: tf.Tensor
    ) -> np.ndarray:
        chosen = np.argsort(-maps.std(axis=(0, 1)), kind="stable")[:CHANNELS]
        channels = maps[..., chosen].transpose(2, 0, 1)
        size = inputs[position].shape[1:3]
        masks = spread_over_input(channels, centre, (size[0], size[1]))
        lowest = masks.min(axis=(1, 2), keepdims=True)
        masks = (masks - lowest) / (masks.max(axis=(1, 2), keepdims=True) - lowest + keras.config.epsilon())
        if len(inputs[position].shape) == 4:
            masks = masks[..., np.newaxis]
        weights = probability(inputs, position, tf.constant(masks, inputs[position].dtype), label)
        return np.maximum(np.tensordot(np.asarray(weights), channels, axes=1), 0).astype(np.float32)

    def compute(inputs: list[tf.Tensor], label_indices: tf.Tensor) -> list[np.ndarray]:
        results = []
        for found, centre, (name, _) in zip(
            keras.tree.flatten(extractor(inputs, training=False)), centres, inputs_and_maps, strict=True
        ):
            maps = tf.cast(found, tf.float32).numpy()
            results.append(
                np.stack(
                    [
                        one_map([x[row : row + 1] for x in inputs], names.index(name), maps[row], centre, label)
                        for row, label in enumerate(label_indices)
                    ]
                )
            )
        return results

    return compute
