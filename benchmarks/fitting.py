"""What the training benchmarks share: networks ready to be fitted, our loop and Keras' fit on the same batches."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from avinst.dataset import Dataset
from trainer.config import TrainConfig
from trainer.devices import make_strategy
from trainer.inputs.batches import Batches
from trainer.loop import TrainingLoop
from trainer.models import build_model
from trainer.optimization import compile_for_training
from trainer.remedies import fitted_network
from trainer.resume_point import Position, ResumePoint

Examples = Callable[[], tf.data.Dataset]


class Forgetful(ResumePoint):
    """Saves nothing: what a save costs is measured by itself."""

    def __init__(self) -> None:
        super().__init__("")

    def save(self, model: keras.Model, position: Position) -> None:
        """Does nothing."""


def compiled(config: TrainConfig, dataset: Dataset, strategy: bool = True) -> keras.Model:
    """The network of a scheme as it is fitted; in the strategy that a training has, or as Keras by itself."""
    keras.utils.set_random_seed(config.seed)
    with make_strategy().scope() if strategy else contextlib.nullcontext():
        model = fitted_network(build_model(config.scheme, config, dataset), config, config.scheme)
        compile_for_training(model, config, 1000, multi_label=dataset.multi_label)
    return model


def seconds_of(work: Callable[[], Any]) -> float:
    """How long it takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def run_loop(model: keras.Model, examples: Examples, config: TrainConfig, steps: int) -> None:
    """Our loop, one epoch."""
    batches = Batches(
        train=lambda epoch, batch: examples(), validation=None, steps=steps, batch_size=config.batch_size
    )
    loop = TrainingLoop(model, batches, stage="loop", epochs=1, resume_point=Forgetful(), validation=None)
    loop.run(Position(), lambda epochs_done, metrics: False)


def run_fit(model: keras.Model, examples: Examples, config: TrainConfig, steps: int) -> None:
    """Keras' fit, one epoch, nothing beside it."""
    model.fit(examples(), steps_per_epoch=steps, epochs=1, verbose=0, shuffle=False)


def same_batch(batch: Any) -> Examples:
    """Makes datasets of one batch in memory, again and again."""
    return lambda: tf.data.Dataset.from_tensors(batch).repeat()
