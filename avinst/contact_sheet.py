"""A contact sheet: frames of a dataset with their spectrograms below them, as one PNG."""

import io
from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from avinst import paths
from avinst.dataset import Dataset
from avinst.errors import UserError
from avinst.manifest_rows import SPLITS
from avinst.schema import parse_examples

_COLUMNS = 6


def draw_contact_sheet(dataset: Dataset, output: str, examples: int) -> int:
    """Draws up to `examples` examples of different recordings, spread over the labels.

    Args:
        dataset: a finished dataset.
        output: the PNG file.
        examples: the largest number of examples.

    Returns:
        The number of examples drawn.

    Raises:
        UserError: the file cannot be written there.
    """
    chosen = _choose(dataset, examples)
    columns = min(_COLUMNS, len(chosen))
    rows = -(-len(chosen) // columns)
    figure = Figure(figsize=(1.9 * columns, 4.0 * rows), layout="constrained")
    axes = figure.subplots(2 * rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for position, example in enumerate(chosen):
        row, column = divmod(position, columns)
        top, bottom = axes[2 * row, column], axes[2 * row + 1, column]
        names = ", ".join(dataset.labels[index] for index in np.flatnonzero(example["label"]))
        top.set_title(f"{names}\n{example['segment_start_seconds']:.0f} s", fontsize=8)
        top.imshow(example["frame"])
        bottom.imshow(
            example["log_mel"].T, origin="lower", aspect="auto", cmap="magma", vmin=dataset.spec.floor_db, vmax=40
        )
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=100)
    try:
        paths.write_bytes(output, picture.getvalue())
    except OSError as error:
        raise UserError(f"cannot write {output!r}: {error.strerror}; give another file") from error
    return len(chosen)


def _choose(dataset: Dataset, examples: int) -> list[Mapping[str, np.ndarray]]:
    """One segment a recording, labels in turn; reads no more than it needs."""
    share = -(-examples // len(dataset.labels))
    taken: dict[bytes, int] = {}
    chosen: list[Mapping[str, np.ndarray]] = []
    recordings: set[object] = set()
    for example in _examples(dataset):
        key = example["label"].tobytes()
        if example["video_id"] in recordings or taken.get(key, 0) >= share:
            continue
        recordings.add(example["video_id"])
        taken[key] = taken.get(key, 0) + 1
        chosen.append(example)
        if len(chosen) == examples:
            break
    return sorted(chosen, key=lambda example: tuple(-example["label"]))


def _examples(dataset: Dataset) -> Iterator[Mapping[str, np.ndarray]]:
    for split in SPLITS:
        if dataset.segments[split]:
            records = tf.data.TFRecordDataset(dataset.tfrecord_paths(split))
            parsed = records.batch(32).map(lambda batch: parse_examples(batch, dataset.spec, len(dataset.labels)))
            yield from parsed.unbatch().as_numpy_iterator()
