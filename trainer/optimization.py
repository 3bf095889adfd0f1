"""What a network is trained with: AdamW under warm-up and cosine, the loss, the metric."""

from typing import Any

import keras
import tensorflow as tf

from trainer.config import TrainConfig
from trainer.modulated_optimizer import ModulatedAdamW
from trainer.replicated_optimizer import ClippingAdamW, ReplicatedLossScale

WARM_UP_SHARE = 0.1
# Plain weights are decayed; scales and shifts have no reason to be small.
_NOT_DECAYED = ["bias", "gamma", "beta"]


def learning_rate_schedule(config: TrainConfig, total_steps: int) -> Any:
    """Linearly from 0 to the peak in the first tenth of the steps, then down half a cosine to 0."""
    warm_up = max(1, round(WARM_UP_SHARE * total_steps))
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=max(1, total_steps - warm_up),
        warmup_target=config.learning_rate,
        warmup_steps=warm_up,
    )


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
