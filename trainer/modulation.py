"""On-the-fly gradient modulation (OGM-GE) of Peng et al., "Balanced Multimodal Learning via On-the-fly Gradient
Modulation" (arXiv 2203.15332): the encoder of the modality that is ahead learns more slowly.
"""

import threading
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf


def modality_scores(label: tf.Tensor, logits: tf.Tensor, *, multi_label: bool) -> tf.Tensor:
    """s of equation 8: the probability that one modality's part of the logits gives to the true label.

    Where there are several, or mixed ones, it is their mean by share.

    Args:
        label: float32 [batch, labels].
        logits: float32 [batch, labels].
        multi_label: sigmoid instead of softmax.

    Returns:
        float32 [batch].
    """
    probabilities = tf.sigmoid(logits) if multi_label else tf.nn.softmax(logits)
    return tf.reduce_sum(label * probabilities, axis=1) / tf.reduce_sum(label, axis=1)


def modulation_coefficients(audio_score: tf.Tensor, visual_score: tf.Tensor, alpha: float) -> tf.Tensor:
    """k of equation 10: 1 - tanh(alpha rho) where rho, a modality's score by the other's, is above 1; else 1.

    Args:
        audio_score: sum of `modality_scores` over the whole batch.
        visual_score: the same of the picture.
        alpha: how much is slowed down.

    Returns:
        float32 [2]: audio's and visual's.
    """
    scores = tf.stack([audio_score, visual_score])
    ratio = scores / tf.reverse(scores, [0])
    return tf.where(ratio > 1.0, 1.0 - tf.tanh(alpha * ratio), 1.0)


class ModulatedModel(keras.Model):
    """A network of two modalities that tells its optimizer, at each step, how far each of them is ahead.

    Args:
        inputs: of the functional model.
        outputs: its logits.
        features: the modalities' features, [batch, n] each.
        head: the dense layer from both to the logits.
    """

    def __init__(self, inputs: Any, outputs: Any, *, features: Sequence[Any], head: Any, **kwargs: Any) -> None:
        super().__init__(inputs, outputs, **kwargs)
        self._with_features = _Untracked(keras.Model(inputs, [outputs, *features]))
        self._head = _Untracked(head)
        # Each replica has its thread.
        self._step = _Untracked(threading.local())

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The logits."""
        if not training:
            return super().call(inputs, training=training, mask=mask)
        logits, *self._step.of.features = self._with_features.of(inputs, training=True)
        return logits

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Keras' loss; in training the optimizer is told the modalities' scores before."""
        if training:
            self._tell_scores(y)
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def _tell_scores(self, label: tf.Tensor) -> None:
        optimizer: Any = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        kernel, bias = (tf.convert_to_tensor(weight) for weight in (self._head.of.kernel, self._head.of.bias))
        sums, first = [], 0
        for features in self._step.of.features:
            size = features.shape[1]
            logits = tf.cast(features, tf.float32) @ kernel[first : first + size] + bias / 2
            scores = modality_scores(label, logits, multi_label=optimizer.multi_label)
            sums.append(tf.reduce_sum(scores))
            first += size
        replica = tf.distribute.get_replica_context()
        optimizer.modulate(*replica.all_reduce(tf.distribute.ReduceOp.SUM, sums))


class _Untracked:
    """Hides a value from Keras, which would count its weights again."""

    def __init__(self, of: Any) -> None:
        self.of = of
