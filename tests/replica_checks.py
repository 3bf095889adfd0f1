"""What a training computes on however many replicas there are: run it on one and on two, and compare.

As a program it divides the CPU into as many devices as its argument says and prints the figures as JSON.
"""

import json
import sys
from typing import Any

from avinst.quiet import import_tensorflow_quietly

import_tensorflow_quietly()

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from trainer.config import TrainConfig  # noqa: E402
from trainer.devices import make_strategy, synchronize_batch_norm, use_virtual_cpus  # noqa: E402
from trainer.optimization import compile_for_training  # noqa: E402
from trainer.validation import Validation  # noqa: E402

GENERATOR = np.random.default_rng(0)
FEATURES = GENERATOR.normal(size=(8, 4)).astype(np.float32)
LABELS = np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2, 1, 1]]


def model_of(batch_norm: bool = False, **settings: Any) -> keras.Model:
    """Compiled in the strategy's scope, weights by seed."""
    keras.utils.set_random_seed(0)
    with make_strategy().scope():
        x = source = keras.Input((4,))
        if batch_norm:
            x = keras.layers.BatchNormalization(momentum=0.9)(keras.layers.Dense(5, use_bias=False)(x))
        model = keras.Model(source, keras.layers.Dense(3)(x))
        synchronize_batch_norm(model, model.distribute_strategy.num_replicas_in_sync)
        compile_for_training(model, TrainConfig(label_smoothing=0.0, **settings), 10, multi_label=False)
    return model


def train(model: keras.Model, features: np.ndarray = FEATURES, steps: int = 1) -> float:
    """Steps on the same batch; returns the last loss."""
    batches = tf.data.Dataset.from_tensors((features, LABELS)).repeat()
    iterator = iter(model.distribute_strategy.experimental_distribute_dataset(batches))
    model.make_train_function()
    for _ in range(steps):
        model.reset_metrics()
        loss = float(model.train_function(iterator)["loss"])
    return loss


def gradient(model: keras.Model) -> list[float]:
    """What the first step took for the gradient: a tenth of it is in AdamW's first moments."""
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    return [float(value) for moments in optimizer._momentums for value in 10 * np.ravel(moments)]


def flat_weights(model: keras.Model) -> list[float]:
    return [float(value) for weight in model.get_weights() for value in np.ravel(weight)]


def figures() -> dict[str, Any]:
    """Name to what it comes to; the names say what is asked."""
    found: dict[str, Any] = {}
    for name, clip_norm in (("gradient", 0.0), ("clipped gradient", 0.05)):
        model = model_of(clip_norm=clip_norm)
        found[f"loss with {name}"] = train(model)
        found[name] = gradient(model)
    model = model_of(batch_norm=True)
    found["losses with batch norm"] = [train(model) for _ in range(4)]
    found["weights with batch norm"] = flat_weights(model)
    found["validation"] = Validation(
        model, tf.data.Dataset.from_tensor_slices((FEATURES[:5], LABELS[:5])).batch(4), multi_label=False
    ).measure(lambda done: None)
    # The last row lies on the last replica.
    for name, value in (("nan", np.nan), ("overflow", 1e36)):
        features = FEATURES.copy()
        features[-1, 0] = value
        model = model_of(precision="mixed_float16" if name == "overflow" else "float32")
        before = flat_weights(model)
        loss = train(model, features)
        found[f"{name} in the last row: loss is finite"] = bool(np.isfinite(loss))
        found[f"{name} in the last row: weights stay"] = flat_weights(model) == before
    return found


if __name__ == "__main__":
    use_virtual_cpus(int(sys.argv[1]))
    print(json.dumps(figures()))  # noqa: T201
