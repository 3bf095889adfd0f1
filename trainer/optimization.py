"""What a network is trained with: AdamW under warm-up and cosine, the loss, the metric."""

import math
from typing import Any

import keras
import tensorflow as tf

from trainer.config import TrainConfig
from trainer.modulated_optimizer import ModulatedAdamW
from trainer.replicated_optimizer import ClippingAdamW, ReplicatedLossScale

WARM_UP_SHARE = 0.1
# Plain weights are decayed; scales and shifts have no reason to be small.
_NOT_DECAYED = ["bias", "gamma", "beta"]


class WarmUpAndCosine(keras.optimizers.schedules.LearningRateSchedule):
    """Linearly from 0 to the peak in the first steps, then down half a cosine to 0, where it stays.

    Without a branch, unlike Keras' CosineDecay: weight decay asks for the rate once a weight, and to trace a
    branch for each takes seconds.

    Args:
        peak: the greatest rate.
        warm_up: steps up to it.
        total: steps in all.
    """

    def __init__(self, peak: float, warm_up: int, total: int) -> None:
        self.peak, self.warm_up, self.total = peak, warm_up, total

    def __call__(self, step: Any) -> tf.Tensor:
        """The rate, float32, of a step counted from 0."""
        done = tf.cast(tf.convert_to_tensor(step), tf.float32)
        share = tf.clip_by_value((done - self.warm_up) / max(1, self.total - self.warm_up), 0.0, 1.0)
        # Before the warm-up ends the cosine is 1, after it the line is above.
        return self.peak * tf.minimum(done / self.warm_up, 0.5 * (1.0 + tf.cos(math.pi * share)))

    def get_config(self) -> dict[str, Any]:
        """What makes an equal schedule."""
        return {"peak": self.peak, "warm_up": self.warm_up, "total": self.total}


def learning_rate_schedule(config: TrainConfig, total_steps: int) -> WarmUpAndCosine:
    """The warm-up takes a tenth of the steps, at least one."""
    return WarmUpAndCosine(config.learning_rate, max(1, round(WARM_UP_SHARE * total_steps)), total_steps)


def compile_for_training(model: keras.Model, config: TrainConfig, total_steps: int, *, multi_label: bool) -> None:
    """Compiles a model whose output is logits; call it in the strategy's scope.

    Softmax and cross-entropy, or sigmoid and binary cross-entropy a label where recordings bear several;
    labels are smoothed by `config.label_smoothing`. The metric is called `accuracy`: of the most probable
    label, or of all yes-or-no decisions. Optimizer and metrics are built: what a training resumes from is there.
    """
    schedule = learning_rate_schedule(config, total_steps)
    optimizer: Any
    if config.gradient_modulation == "none":
        optimizer = ClippingAdamW(schedule, config.weight_decay, clip_norm=config.clip_norm)
    else:
        optimizer = ModulatedAdamW(
            schedule,
            config.weight_decay,
            clip_norm=config.clip_norm,
            alpha=config.modulation_alpha,
            noise=config.gradient_modulation == "ogm_ge",
            multi_label=multi_label,
            seed=config.seed,
        )
    optimizer.exclude_from_weight_decay(var_names=_NOT_DECAYED)
    if config.precision == "mixed_float16":
        optimizer = ReplicatedLossScale(optimizer)
    loss: Any
    if multi_label:
        loss = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=config.label_smoothing)
        metric = keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0)
    else:
        loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=config.label_smoothing)
        metric = keras.metrics.CategoricalAccuracy(name="accuracy")
    # Compiling by XLA makes a step on a CPU five times slower, and fails with two replicas.
    model.compile(optimizer=optimizer, loss=loss, metrics=[metric], jit_compile=False, auto_scale_loss=False)
    optimizer.build(model.trainable_variables)
    # Keras builds its metrics when they are first updated.
    row = tf.zeros((1, model.output.shape[-1]))
    model.distribute_strategy.run(lambda: model.compute_metrics(None, row, row))
    model.reset_metrics()
