"""A first sheet of training examples in TensorBoard, as the network gets them: augmented, if it does."""

from matplotlib.figure import Figure

from avinst import paths
from avinst.dataset import Dataset
from trainer.config import TrainConfig
from trainer.input_pipeline import examples
from trainer.run import LOGS_FOLDER
from trainer.summaries import write_figure

_EXAMPLES = 12


def write_preview(run_dir: str, dataset: Dataset, config: TrainConfig) -> None:
    """Writes the sheet to logs/preview."""
    log_dir = paths.join(run_dir, LOGS_FOLDER, "preview")
    if paths.exists(log_dir):
        return
    batches = examples(dataset, "train", _EXAMPLES, training=True, seed=config.seed, augment=config.augment)
    batch, label = next(iter(batches))
    count = len(label)
    figure = Figure(figsize=(1.5 * count, 3.4), layout="constrained")
    axes = figure.subplots(2, count, squeeze=False)
    for column in range(count):
        names = [name for name, bears in zip(dataset.labels, label[column], strict=True) if bears]
        axes[0, column].set_title(", ".join(names), fontsize=8)
        axes[0, column].imshow(batch["frame"][column].numpy().astype("uint8"))
        axes[1, column].imshow(batch["log_mel"][column].numpy().T, origin="lower", aspect="auto", cmap="magma")
    for axis in axes.flat:
        axis.set_axis_off()
    write_figure(log_dir, "training_examples", figure)
