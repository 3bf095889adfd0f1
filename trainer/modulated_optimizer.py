"""AdamW with steps that are slowed down for the modality that is ahead (OGM-GE, `trainer.modulation`)."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from trainer.modulation import modulation_coefficients
from trainer.replicated_optimizer import ClippingAdamW

_PREFIXES = ("audio_", "visual_")
# The kernels of convolutions, which the authors' code modulates, and nothing else.
_KERNEL_RANK = 4


class ModulatedAdamW(ClippingAdamW):
    """Multiplies the steps of the encoders' kernels by the modalities' coefficients.

    The paper multiplies the gradient, under SGD, where that is the same. AdamW divides a gradient by its own size,
    which would undo a coefficient: so the step is multiplied. With `noise` Gaussian noise of the gradient's own
    standard deviation is added to it, as in the authors' code.

    Args:
        alpha: how much is slowed down.
        noise: whether noise is added (the GE of OGM-GE).
        multi_label: how scores are to be computed from logits.
        seed: of the noise, which is a pure function of it, the step and the variable: replicas add the same.
    """

    def __init__(self, *args: Any, alpha: float, noise: bool, multi_label: bool, seed: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.multi_label = multi_label
        self._alpha, self._noise, self._seed = alpha, noise, seed

    def build(self, variables: Sequence[Any]) -> None:
        """Makes the moments, and a place for the two coefficients."""
        if self.built:
            return
        super().build(variables)
        self._coefficients = self.add_variable(
            (2,), initializer="ones", aggregation="only_first_replica", name="modulation"
        )
        self._modality_of = [
            next((number for number, prefix in enumerate(_PREFIXES) if variable.path.startswith(prefix)), None)
            if len(variable.shape) == _KERNEL_RANK
            else None
            for variable in variables
        ]

    def modulate(self, audio_score: tf.Tensor, visual_score: tf.Tensor) -> None:
        """Sets the coefficients of the coming step; called on every replica with the sums over all of them."""
        self._coefficients.assign(modulation_coefficients(audio_score, visual_score, self._alpha))

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """AdamW's step, modulated; the gradient is the sum over the replicas."""
        index = self._get_variable_index(variable)
        modality = self._modality_of[index]
        if modality is None:
            super().update_step(gradient, variable, learning_rate)
            return
        if self._noise:
            seed = tf.stack(
                [tf.constant(self._seed * 100_003 + index, tf.int64), tf.cast(self.iterations, tf.int64)]
            )
            noise = tf.random.stateless_normal(tf.shape(gradient), seed, dtype=gradient.dtype)
            gradient = gradient + tf.math.reduce_std(gradient) * noise
        super().update_step(gradient, variable, learning_rate * self._coefficients[modality])
