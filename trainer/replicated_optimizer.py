"""Keras' optimizers, made to compute on several replicas what they compute on one."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf


class ClippingAdamW(keras.optimizers.AdamW):
    """AdamW that clips the norm of the whole gradient after the replicas' parts are added up.

    Keras' `global_clipnorm` clips each replica's part before: where they disagree their sum is shorter than
    allowed, and the same batch gives other steps on another number of replicas.
    """

    def __init__(self, *args: Any, clip_norm: float = 0.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._clip_norm = clip_norm

    def _all_reduce_sum_gradients(self, grads_and_vars: Sequence[tuple[Any, Any]]) -> Sequence[tuple[Any, Any]]:
        summed = super()._all_reduce_sum_gradients(grads_and_vars)
        if not self._clip_norm:
            return summed
        gradients, variables = zip(*summed, strict=True)
        clipped, _ = tf.clip_by_global_norm(gradients, self._clip_norm)
        return list(zip(clipped, variables, strict=True))


class ReplicatedLossScale(keras.optimizers.LossScaleOptimizer):
    """A loss scale that leaves a step out when the gradient of any replica is no number.

    Keras asks the first replica only, before the gradients are added up: an overflow in another one would go into
    the weights of all.
    """

    def check_finite(self, grads: Sequence[Any]) -> tf.Tensor:
        """Whether all gradients of all replicas are finite; called on each replica."""
        finite = super().check_finite(grads)
        context = tf.distribute.get_replica_context()
        if context is None or context.num_replicas_in_sync == 1:
            return finite
        return tf.equal(context.all_reduce(tf.distribute.ReduceOp.SUM, tf.cast(~finite, tf.float32)), 0.0)
