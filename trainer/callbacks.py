"""What happens beside the training steps: progress, keeping the best weights, stopping on NaN."""

import json
import math
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

    def __init__(self, folder: str, best_by: str) -> None:
        super().__init__()
        self._folder, self._best_by = folder, best_by

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
            self.model.save_weights(temporary)
        paths.write_text(paths.join(self._folder, _BEST_METRIC), json.dumps({"epoch": epoch + 1, **reached}))

    def best(self) -> dict[str, Any]:
        """`epoch` (from 1), `val_loss` and `val_accuracy` of the weights that are kept; empty if none are."""
        file = paths.join(self._folder, _BEST_METRIC)
        return dict(json.loads(paths.read_text(file))) if paths.exists(file) else {}

    def _rank(self, reached: dict[str, Any]) -> tuple[float, ...]:
        accuracy = (reached["val_accuracy"],) if self._best_by == "accuracy" else ()
        return (*accuracy, -reached["val_loss"])

    def restore(self) -> None:
        """Loads the weights that are kept."""
        self.model.load_weights(paths.join(self._folder, BEST_WEIGHTS))
