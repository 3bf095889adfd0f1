"""A contact sheet: frames of a dataset with their spectrograms below them, as one PNG."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from avinst import paths
from avinst.dataset import Dataset
from avinst.errors import UserError
from avinst.figure_png import figure_png
from avinst.manifest_rows import SPLITS
from avinst.schema import parse_examples

_COLUMNS = 6
_LONGEST_NAME = 26


def draw_contact_sheet(dataset: Dataset, chosen: Sequence[Mapping[str, np.ndarray]], output: str) -> int:
    """Draws examples, each frame with its spectrogram below it.

    Args:
        dataset: gives the label names and the spec.
        chosen: parsed examples, as `choose` and `segments_of` give them.
        output: the PNG file.

    Returns:
        The number of examples drawn.

    Raises:
        UserError: there is nothing to draw, or the file cannot be written there.
    """
    if not chosen:
        raise UserError("no examples to draw; see the rejects")
    columns = min(_COLUMNS, len(chosen))
    rows = -(-len(chosen) // columns)
    figure = Figure(figsize=(1.9 * columns, 4.0 * rows), layout="constrained")
    axes = figure.subplots(2 * rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    # One scale for the whole sheet, so that loud and quiet can be compared.
    mean, deviation = dataset.log_mel_mean_db, dataset.log_mel_std_db
    darkest, brightest = mean - 2 * deviation, mean + 3 * deviation
    for position, example in enumerate(chosen):
        row, column = divmod(position, columns)
        top, bottom = axes[2 * row, column], axes[2 * row + 1, column]
        names = ", ".join(dataset.labels[index] for index in np.flatnonzero(example["label"]))
        video = bytes(example["video_id"]).decode()
        shown = video if len(video) <= _LONGEST_NAME else f"…{video[1 - _LONGEST_NAME :]}"
        top.set_title(f"{names}\n{shown}, {example['segment_start_seconds']:g} s", fontsize=7)
        top.imshow(example["frame"])
        bottom.imshow(
            example["log_mel"].T, origin="lower", aspect="auto", cmap="magma", vmin=darkest, vmax=brightest
        )
    try:
        paths.write_bytes(output, figure_png(figure, 100))
    except OSError as error:
        raise UserError(f"cannot write {output!r}: {error.strerror}; give another file") from error
    return len(chosen)


def segments_of(dataset: Dataset, recording: Mapping[str, Any]) -> list[Mapping[str, np.ndarray]]:
    """All examples of a recording (`inspection.recording_values`), read from its shard alone."""
    file = paths.join(dataset.data_dir, f"{recording['shard']}.tfrecord")
    wanted = recording["video_id"].encode()
    return [example for example in _parsed(dataset, [file]) if example["video_id"] == wanted]


def choose(dataset: Dataset, examples: int) -> list[Mapping[str, np.ndarray]]:
    """Up to `examples` examples of different recordings, labels in turn; reads no more than it needs."""
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
            yield from _parsed(dataset, dataset.tfrecord_paths(split))


def _parsed(dataset: Dataset, files: Sequence[str]) -> Iterator[Mapping[str, np.ndarray]]:
    records = tf.data.TFRecordDataset(files)
    parsed = records.batch(32).map(lambda batch: parse_examples(batch, dataset.spec, len(dataset.labels)))
    yield from parsed.unbatch().as_numpy_iterator()
