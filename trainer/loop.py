"""The epochs of a training: begun at any step, saved after each epoch and when a signal comes, stopped on NaN.

Keras' fit can begin at an epoch only. The steps here are Keras' own (`train_step` of the compiled model,
distributed by its `train_function`); what is around them is ours.
"""

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import keras

from avinst.errors import UserError
from avinst.progress import Progress
from trainer import interruption
from trainer.inputs.batches import Batches
from trainer.resume_point import Position, ResumePoint
from trainer.validation import Validation

# Within an epoch too, for the epochs of large datasets take hours and a process may be killed without notice.
SECONDS_BETWEEN_STATES = 600.0


class TrainingLoop:
    """Takes a compiled model through its epochs.

    Args:
        model: its optimizer and metrics are built (`trainer.optimization.compile_for_training`).
        batches: what it is fitted to.
        stage: name for progress and errors.
        epochs: how many there are in all.
        resume_point: where the state is kept.
        validation: measures the model after each epoch; None leaves the metrics `val_...` out.
    """

    def __init__(
        self,
        model: keras.Model,
        batches: Batches,
        *,
        stage: str,
        epochs: int,
        resume_point: ResumePoint,
        validation: Validation | None,
    ) -> None:
        self._model, self._batches, self._stage, self._epochs = model, batches, stage, epochs
        self._resume_point, self._validation = resume_point, validation
        self._saved = time.monotonic()

    def run(self, start: Position, after_epoch: Callable[[int, dict[str, float]], bool]) -> None:
        """Runs the epochs that are left.

        Args:
            start: where the model is.
            after_epoch: is called with the number of epochs done and the epoch's metrics, before its state is
                saved; returns whether to stop early.

        Raises:
            UserError: the loss is no number.
            Interrupted: a signal has come and the state is saved.
        """
        self._model.make_train_function()
        strategy = self._model.distribute_strategy
        batches = iter(strategy.experimental_distribute_dataset(self._batches.train(start.epoch, start.step)))
        try:
            for epoch in range(start.epoch, self._epochs):
                metrics = self._epoch(epoch, start.step if epoch == start.epoch else 0, batches)
                is_enough = after_epoch(epoch + 1, metrics)
                self._save_and_end_if_wanted(Position(epoch + 1))
                if is_enough:
                    break
        finally:
            interruption.forget()

    def _epoch(self, epoch: int, first_step: int, batches: Iterator[Any]) -> dict[str, float]:
        examples = self._batches.steps * self._batches.batch_size
        progress = Progress(f"{self._stage}, epoch {epoch + 1}/{self._epochs}", examples)
        progress.skip(first_step * self._batches.batch_size)
        if not first_step:
            self._model.reset_metrics()
        for step in range(first_step, self._batches.steps):
            logs = self._model.train_function(batches)
            interruption.hold()  # not before: a first step is traced for seconds, and loses nothing
            loss = float(logs["loss"])
            if not math.isfinite(loss):
                raise self._no_number(loss)
            progress.update((step + 1) * self._batches.batch_size, f"loss {loss:.3f}")
            if interruption.wanted() or time.monotonic() - self._saved > SECONDS_BETWEEN_STATES:
                self._save_and_end_if_wanted(Position(epoch, step + 1))
        found = {name: float(value) for name, value in self._model.get_metrics_result().items()}
        if self._validation is not None:
            found |= self._validation.measure(lambda done: self._after_validation_batch(progress, epoch, done))
        progress.finish(examples, note=_note(found))
        return found

    def _after_validation_batch(self, progress: Progress, epoch: int, done: int) -> None:
        progress.update(self._batches.steps * self._batches.batch_size, f"validating, batch {done}")
        if interruption.wanted():
            self._save_and_end_if_wanted(Position(epoch, self._batches.steps))

    def _save_and_end_if_wanted(self, position: Position) -> None:
        self._save(position)
        interruption.release()

    def _save(self, position: Position) -> None:
        self._resume_point.save(self._model, position)
        self._saved = time.monotonic()

    def _no_number(self, loss: float) -> UserError:
        step = int(self._model.optimizer.iterations.numpy())
        return UserError(
            f"the loss of stage {self._stage} is {loss} at step {step}; lower --learning_rate or give "
            "--precision=float32, and another --run_dir"
        )


def _note(metrics: dict[str, float]) -> str:
    note = f"loss {metrics['loss']:.3f}, accuracy {metrics['accuracy']:.3f}"
    if "val_loss" in metrics:
        note += f", validation loss {metrics['val_loss']:.3f}, accuracy {metrics['val_accuracy']:.3f}"
    return note
