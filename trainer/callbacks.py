"""What happens beside the training steps: progress, stopping on NaN, keeping weights to use and to go on with."""

import json
import math
import re
import sys
from typing import Any

import keras

from avinst import paths
from avinst.errors import UserError
from avinst.progress import Progress

BEST_WEIGHTS = "best.weights.h5"
_BEST_METRIC = "best.json"


def tell(line: str) -> None:
    """Writes a line for the user to stderr, where the progress is shown too."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


class EpochProgress(keras.callbacks.Callback):
    """Shows rate and time left while an epoch runs, and leaves one line an epoch: loss, accuracy, validation."""

    def __init__(self, stage: str, steps: int, batch_size: int) -> None:
        super().__init__()
        self._stage, self._steps, self._batch_size = stage, steps, batch_size
        self._progress: Progress | None = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Begins the epoch's line."""
        what = f"{self._stage}, epoch {epoch + 1}/{self.params['epochs']}"
        self._progress = Progress(what, self._steps * self._batch_size)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Counts the step's examples; stops on NaN, which no later step mends."""
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            step = int(self.model.optimizer.iterations.numpy())
            raise UserError(
                f"the loss of stage {self._stage} is {loss} at step {step}; lower --learning_rate or give "
                "--precision=float32, and another --run_dir"
            )
        assert self._progress is not None
        self._progress.update((batch + 1) * self._batch_size, f"loss {loss:.3f}")

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Shows that the time goes into validating now."""
        assert self._progress is not None
        self._progress.update(self._steps * self._batch_size, f"validating, batch {batch + 1}")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Ends the epoch's line."""
        logs = logs or {}
        note = f"loss {logs['loss']:.3f}, accuracy {logs['accuracy']:.3f}"
        if "val_loss" in logs:
            note += f", validation loss {logs['val_loss']:.3f}, accuracy {logs['val_accuracy']:.3f}"
        assert self._progress is not None
        self._progress.finish(note=note)


class BestWeights(keras.callbacks.Callback):
    """Keeps the weights of the epoch with the best validation metric, over interruptions too.

    Keras' ModelCheckpoint forgets the best value when a training is resumed. Of epochs with the same accuracy,
    common on small validation splits, the one with the smaller loss is kept. Without validation none is.
    """

    def __init__(self, network: keras.Model, folder: str, best_by: str) -> None:
        super().__init__()
        # Not the compiled model: that would be saved with the optimizer's state, three times as large.
        self._network, self._folder, self._best_by = network, folder, best_by

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves the weights if they are the best so far, then what they reached: each is seen whole or not."""
        if "val_loss" not in (logs or {}):
            return
        reached = {name: float(value) for name, value in (logs or {}).items() if name.startswith("val_")}
        best = self.best()
        if best and self._rank(reached) <= self._rank(best):
            return
        paths.make_directory(self._folder)
        with paths.replacing(paths.join(self._folder, BEST_WEIGHTS)) as temporary:
            self._network.save_weights(temporary)
        paths.write_text(paths.join(self._folder, _BEST_METRIC), json.dumps({"epoch": epoch + 1, **reached}))

    def best(self) -> dict[str, Any]:
        """`epoch` (from 1), `val_loss` and `val_accuracy` of the weights that are kept; empty if none are."""
        file = paths.join(self._folder, _BEST_METRIC)
        return dict(json.loads(paths.read_text(file))) if paths.exists(file) else {}

    def _rank(self, reached: dict[str, Any]) -> tuple[float, ...]:
        accuracy = (reached["val_accuracy"],) if self._best_by == "accuracy" else ()
        return (*accuracy, -reached["val_loss"])

    def restore(self) -> None:
        """Loads the weights that are kept into the network, if there are any."""
        file = paths.join(self._folder, BEST_WEIGHTS)
        if paths.exists(file):
            self._network.load_weights(file)


class ResumePoint(keras.callbacks.Callback):
    """Keeps weights and optimizer after each epoch, so that an interrupted training goes on with the next.

    Keras' BackupAndRestore writes weights and epoch to two files: killed between them it takes the schedule one
    epoch too far. Here the epoch is in the file's name, and the file appears whole or not at all.
    """

    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves the state, then deletes older ones."""
        older = self._files()
        paths.make_directory(self._folder)
        with paths.replacing(paths.join(self._folder, f"epoch-{epoch + 1:05d}.weights.h5")) as temporary:
            self.model.save_weights(temporary)
        for name in older.values():
            paths.remove(paths.join(self._folder, name))

    def epochs_done(self) -> int:
        """Whole epochs of the interrupted training; 0 if there was none."""
        return max(self._files(), default=0)

    def restore(self, model: keras.Model) -> None:
        """Loads the state after `epochs_done` epochs into the compiled model; call it in the strategy's scope."""
        if files := self._files():
            model.optimizer.build(model.trainable_variables)
            model.load_weights(paths.join(self._folder, files[max(files)]))

    def _files(self) -> dict[int, str]:
        matches = (re.fullmatch(r"epoch-(\d+)\.weights\.h5", name) for name in paths.list_directory(self._folder))
        return {int(match[1]): match[0] for match in matches if match}
