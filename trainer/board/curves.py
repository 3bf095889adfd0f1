"""The curves of a stage in TensorBoard: loss and metrics of both splits, and the learning rate, an epoch each."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from avinst import paths


class Curves:
    """Writes below a directory: `train` and `validation`, which TensorBoard draws into one chart."""

    def __init__(self, log_dir: str) -> None:
        self._log_dir = log_dir
        self._writers: dict[str, Any] = {}

    def write(self, epoch: int, metrics: Mapping[str, float], learning_rate: float) -> None:
        """Writes `epoch/<metric>` and `epoch/learning_rate` at the step `epoch`, counted from 0; flushes.

        One group, as TensorBoard groups by what stands before the slash: all curves are seen at once.

        Args:
            epoch: its number.
            metrics: those of the validation begin with `val_`.
            learning_rate: of the step after the epoch's last.
        """
        validation = {
            name.removeprefix("val_"): value for name, value in metrics.items() if name.startswith("val_")
        }
        training = {name: value for name, value in metrics.items() if not name.startswith("val_")}
        for split, values in (("train", {**training, "learning_rate": learning_rate}), ("validation", validation)):
            if values:
                self._write(split, epoch, values)

    def _write(self, split: str, epoch: int, values: Mapping[str, float]) -> None:
        if split not in self._writers:
            self._writers[split] = tf.summary.create_file_writer(paths.join(self._log_dir, split))
        with self._writers[split].as_default(step=epoch):
            for name, value in values.items():
                tf.summary.scalar(f"epoch/{name}", value)
        self._writers[split].flush()
