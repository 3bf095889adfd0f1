"""Grad-CAM: where in the frame and in the spectrogram the evidence for a label lies."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tf_keras_vis.gradcam import Gradcam

from analysis.features import model_inputs
from analysis.receptive_field import spread_over_input

# Modality to the input and the layer of feature maps that belong together.
INPUT_OF = {"audio": "log_mel", "visual": "frame"}
MAP_OF = {"audio": "audio_map", "visual": "visual_map"}


def gradcam(
    model: keras.Model,
    batch: Mapping[str, Any],
    label_indices: np.ndarray,
    modality: str,
    batch_size: int = 32,
) -> np.ndarray:
    """The Grad-CAM of one modality's feature maps for one label of each segment, at the maps' own size.

    max(sum over channels of (mean over places of d logit / d map) x map, 0), after Selvaraju et al., "Grad-CAM:
    Visual explanations from deep networks via gradient-based localization" (2017), by tf-keras-vis. Values are
    comparable between segments: nothing is normalised. A map without positive evidence is zero everywhere.

    Args:
        model: flat, float inputs, with the layers `logits` and `audio_map` or `visual_map`.
        batch: `log_mel` [n, frames, mels] and `frame` [n, size, size, 3], of those that are inputs of the model.
        label_indices: int [n], the label whose logit is explained.
        modality: `audio` or `visual`.
        batch_size: segments at once.

    Returns:
        float32 [n, height, width] of the map, or [n, frames, mels] of the map: at least 0.

    Raises:
        ValueError: an input of the model is not floating: no gradient passes it.
    """
    integers = [tensor.name for tensor in model.inputs if not tf.as_dtype(tensor.dtype).is_floating]
    if integers:
        raise ValueError(f"the model's input {integers[0]!r} is not floating; no gradient passes it")
    # Ends in logits: through a softmax the gradient of a certain decision vanishes. A list of inputs, no clone
    # and the very layer that is named: otherwise tf-keras-vis fails or takes another branch's layer in silence.
    explained = Gradcam(keras.Model(model.inputs, model.get_layer("logits").output), clone=False)
    maps = []
    for start in range(0, len(label_indices), batch_size):
        rows = slice(start, start + batch_size)
        indices = tf.constant(label_indices[rows], tf.int32)

        def score(logits: tf.Tensor, indices: tf.Tensor = indices) -> tf.Tensor:
            return tf.gather(logits, indices, batch_dims=1)

        inputs = model_inputs(model, {tensor.name: batch[tensor.name][rows] for tensor in model.inputs})
        found = explained(
            score,
            inputs,
            penultimate_layer=MAP_OF[modality],
            seek_penultimate_conv_layer=False,
            expand_cam=False,
            normalize_cam=False,
        )
        maps.append(np.asarray(found, np.float32))
    return np.concatenate(maps)


def dead_maps(maps: np.ndarray) -> np.ndarray:
    """bool [n]: the maps of [n, height, width] that show no evidence anywhere."""
    return maps.max(axis=(1, 2)) <= 0


def on_input(maps: np.ndarray, centres: tuple[np.ndarray, np.ndarray], size: tuple[int, int]) -> np.ndarray:
    """Maps at the size of their own input and scaled to a maximum of 1, for drawing.

    Args:
        maps: float32 [n, rows, columns], at least 0.
        centres: where the maps' cells look (`analysis.receptive_field.cell_centres`).
        size: height and width of the input (frames and mel bands for a spectrogram).

    Returns:
        float32 [n, *size] in [0, 1]; zero for a dead map.
    """
    spread = spread_over_input(maps, centres, size)
    largest = spread.max(axis=(1, 2), keepdims=True)
    return np.divide(spread, largest, out=np.zeros_like(spread), where=largest > 0)
