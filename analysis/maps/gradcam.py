"""Grad-CAM: where in the frame and in the spectrogram the evidence for a label lies, for both in one pass."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

from analysis.features import model_inputs
from analysis.maps.receptive_field import spread_over_input
from analysis.maps.scorecam import score_cam_pass

Method = Literal["gradcam", "gradcam++", "scorecam"]
METHOD_NAMES: dict[Method, str] = {"gradcam": "Grad-CAM", "gradcam++": "Grad-CAM++", "scorecam": "Score-CAM"}
# Modality to the input and the layer of feature maps that belong together.
INPUT_OF = {"audio": "log_mel", "visual": "frame"}
MAP_OF = {"audio": "audio_map", "visual": "visual_map"}


class EvidenceMaps:
    """The raw maps of all modalities of a model for one label of each segment; compiled once, called per batch.

    One pass forward and one back over both branches: what tf-keras-vis works out layer by layer and eagerly
    (`analysis.maps.gradcam_reference`), the same values many times as fast.
    """

    def __init__(self, model: keras.Model, method: Method = "gradcam") -> None:
        """Builds the pass.

        Args:
            model: flat, float inputs, with the layers `logits` (Score-CAM: `probabilities`) and `audio_map`,
                `visual_map` or one of them.
            method: how the channels of a layer become one map.

        Raises:
            ValueError: an input of the model is not floating: no gradient passes it.
        """
        integers = [tensor.name for tensor in model.inputs if not tf.as_dtype(tensor.dtype).is_floating]
        if integers:
            raise ValueError(f"the model's input {integers[0]!r} is not floating; no gradient passes it")
        self.model = model
        self.method = method
        given = {tensor.name for tensor in model.inputs}
        self.modalities = tuple(modality for modality, name in INPUT_OF.items() if name in given)
        if method == "scorecam":
            self._maps: Callable[..., Any] = score_cam_pass(
                model, [(INPUT_OF[modality], MAP_OF[modality]) for modality in self.modalities]
            )
        else:
            self._maps = _gradient_pass(model, self.modalities, METHODS[method])

    def __call__(self, batch: Mapping[str, Any], label_indices: np.ndarray) -> dict[str, np.ndarray]:
        """The maps of a batch.

        Args:
            batch: `log_mel` [n, frames, mels] and `frame` [n, size, size, 3], of those that the model takes.
            label_indices: int [n], the label whose logit is explained.

        Returns:
            Modality to float32 [n, rows, columns] of its feature maps, at least 0 and not normalised: comparable
            between segments. A map without positive evidence is zero everywhere.
        """
        maps = self._maps(model_inputs(self.model, batch), tf.constant(label_indices, tf.int32))
        return {modality: np.asarray(found) for modality, found in zip(self.modalities, maps, strict=True)}

    def in_batches(
        self, batch: Mapping[str, Any], label_indices: np.ndarray, batch_size: int
    ) -> dict[str, np.ndarray]:
        """The same for any number of segments, `batch_size` at once."""
        parts = [
            self({tensor.name: batch[tensor.name][rows] for tensor in self.model.inputs}, label_indices[rows])
            for rows in _slices(len(label_indices), batch_size)
        ]
        return {modality: np.concatenate([part[modality] for part in parts]) for modality in self.modalities}


def weighted_by_gradient(maps: tf.Tensor, gradients: tf.Tensor) -> tf.Tensor:
    """max(sum over channels of (mean over places of d logit / d map) x map, 0); float32 [n, rows, columns].

    Selvaraju et al., "Grad-CAM: Visual explanations from deep networks via gradient-based localization" (2017).

    Args:
        maps: float32 [n, rows, columns, channels].
        gradients: of the logit with respect to them, of the same shape.
    """
    weights = tf.reduce_mean(gradients, axis=(1, 2), keepdims=True)
    return tf.nn.relu(tf.reduce_sum(maps * weights, axis=-1))


def weighted_by_positive_gradient(maps: tf.Tensor, gradients: tf.Tensor) -> tf.Tensor:
    """Grad-CAM++; arguments and result as in `weighted_by_gradient`.

    Chattopadhay et al., "Grad-CAM++: Improved visual explanations for deep convolutional networks" (2018), for
    the score exp(logit), whose higher derivatives are powers of the gradient. The common factor exp(logit) is
    left out: it overflows from a logit of 88 on, and the maps of two segments could not be compared.
    """
    squares = gradients**2
    total = tf.reduce_sum(maps, axis=(1, 2), keepdims=True)
    alphas = tf.math.divide_no_nan(squares, 2 * squares + squares * gradients * total)
    alphas = tf.math.divide_no_nan(alphas, tf.reduce_sum(alphas, axis=(1, 2), keepdims=True))
    weights = tf.reduce_sum(tf.nn.relu(gradients) * alphas, axis=(1, 2), keepdims=True)
    return tf.nn.relu(tf.reduce_sum(maps * weights, axis=-1))


def dead_maps(maps: np.ndarray) -> np.ndarray:
    """bool [n]: the maps of [n, height, width] that show no evidence anywhere."""
    return maps.max(axis=(1, 2)) <= 0


def on_input(maps: np.ndarray, centres: tuple[np.ndarray, np.ndarray], size: tuple[int, int]) -> np.ndarray:
    """Maps at the size of their own input and scaled to a maximum of 1, for drawing.

    Args:
        maps: float32 [n, rows, columns], at least 0.
        centres: where the maps' cells look (`analysis.maps.receptive_field.cell_centres`).
        size: height and width of the input (frames and mel bands for a spectrogram).

    Returns:
        float32 [n, *size] in [0, 1]; zero for a dead map.
    """
    spread = spread_over_input(maps, centres, size)
    largest = spread.max(axis=(1, 2), keepdims=True)
    return np.divide(spread, largest, out=np.zeros_like(spread), where=largest > 0)


def _gradient_pass(
    model: keras.Model, modalities: tuple[str, ...], weighted: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
) -> Callable[..., Any]:
    outputs = [model.get_layer(MAP_OF[modality]).output for modality in modalities]
    # Ends in logits: through a softmax the gradient of a certain decision vanishes.
    explained = keras.Model(model.inputs, [*outputs, model.get_layer("logits").output])

    @tf.function(reduce_retracing=True)
    def compute(inputs: list[tf.Tensor], label_indices: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(inputs)
            *maps, logits = explained(inputs, training=False)
            # Rows do not meet: the gradient of the sum is each row's own.
            score = tf.reduce_sum(tf.gather(logits, label_indices, batch_dims=1))
        gradients = tape.gradient(score, maps)
        return [
            weighted(tf.cast(found, tf.float32), tf.cast(gradient, tf.float32))
            for found, gradient in zip(maps, gradients, strict=True)
        ]

    return compute


def _slices(count: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, count, size))


METHODS: dict[str, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]] = {
    "gradcam": weighted_by_gradient,
    "gradcam++": weighted_by_positive_gradient,
}
