"""A first sheet of training examples in TensorBoard, as the network gets them: altered and mixed, if it does."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from avinst import paths
from avinst.dataset import Dataset
from trainer.board.summaries import write_figure
from trainer.config import TrainConfig
from trainer.inputs.pipeline import training_examples

_EXAMPLES = 12


def write_preview(log_dir: str, dataset: Dataset, config: TrainConfig) -> None:
    """Writes the sheet to <log_dir>/preview."""
    log_dir = paths.join(log_dir, "preview")
    if paths.exists(log_dir):
        return
    shown = dataclasses.replace(config, batch_size=_EXAMPLES)
    batch, label, *_ = next(iter(training_examples(dataset, shown)))
    count = len(label)
    figure = Figure(figsize=(1.5 * count, 3.4), layout="constrained")
    axes = figure.subplots(2, count, squeeze=False)
    for column in range(count):
        axes[0, column].set_title(title(dataset.labels, label[column].numpy()), fontsize=8)
        axes[0, column].imshow(batch["frame"][column].numpy().astype("uint8"))
        axes[1, column].imshow(batch["log_mel"][column].numpy().T, origin="lower", aspect="auto", cmap="magma")
    for axis in axes.flat:
        axis.set_axis_off()
    write_figure(log_dir, "training_examples", figure)


def title(names: Sequence[str], label: np.ndarray) -> str:
    """An example's labels, one a line; with its share where it was mixed: `cello 0.70`."""
    shares = [(name, f"{share:.2f}") for name, share in zip(names, label, strict=True)]
    return "\n".join(name if share == "1.00" else f"{name} {share}" for name, share in shares if share != "0.00")
