"""A contact sheet: frames of a dataset with their spectrograms below them, as one PNG."""

import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from avinst import paths
from avinst.dataset import Dataset
from avinst.errors import UserError
from avinst.figure_png import figure_png
from avinst.manifests.rows import SPLITS
from avinst.paths import StrPath
from avinst.schema import parse_examples, parse_labels, parse_video_ids

_COLUMNS = 6
_LONGEST_NAME = 26
_LOOKED_AT = 50_000  # seconds of reading, at 14,500 a second


def draw_contact_sheet(dataset: Dataset, chosen: Sequence[Mapping[str, np.ndarray]], output: StrPath) -> int:
    """Draws examples, each frame with its spectrogram below it.

    Args:
        dataset: gives the label names and the spec.
        chosen: parsed examples, as `choose_examples` and `segments_of` give them.
        output: the PNG file.

    Returns:
        The number of examples drawn.

    Raises:
        UserError: there is nothing to draw, or the file cannot be written there.
    """
    output = os.fspath(output)
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


def segments_of(dataset: Dataset, recording: Mapping[str, Any], examples: int) -> list[Mapping[str, np.ndarray]]:
    """The first examples of a recording (`inspection.recording_values`), read from its shard alone."""
    file = paths.join(dataset.data_dir, f"{recording['shard']}.tfrecord")
    wanted = recording["video_id"].encode()
    found = (serialized for serialized, _, video_id in _glanced_at(dataset, [file]) if video_id == wanted)
    return _parsed(dataset, list(itertools.islice(found, examples)))


def choose_examples(dataset: Dataset, examples: int) -> list[Mapping[str, np.ndarray]]:
    """Up to `examples` examples of different recordings: an equal share of each set of labels, as far as there is.

    Where sets of labels are rare, recordings of the others fill up. The rare are looked for among the first
    50,000 examples: in a dataset of a hundred million, the last of them would be hours away.

    Args:
        dataset: a finished dataset.
        examples: how many are wanted.

    Returns:
        One example each, as `avinst.schema.parse_examples` gives them, for `draw_contact_sheet`.
    """
    share = -(-examples // len(dataset.labels))
    taken: dict[bytes, int] = {}
    chosen: list[bytes] = []
    spare: list[bytes] = []
    recordings: set[bytes] = set()
    files = [file for split in SPLITS if dataset.segments[split] for file in dataset.tfrecord_paths(split)]
    for position, (serialized, key, video_id) in enumerate(_glanced_at(dataset, files)):
        enough = len(chosen) + len(spare) >= examples
        if len(chosen) == examples or (enough and position >= _LOOKED_AT):
            break
        if video_id in recordings:
            continue
        if taken.get(key, 0) < share:
            recordings.add(video_id)
            taken[key] = taken.get(key, 0) + 1
            chosen.append(serialized)
        elif len(spare) < examples:
            recordings.add(video_id)
            spare.append(serialized)
    parsed = _parsed(dataset, [*chosen, *spare][:examples])
    return sorted(parsed, key=lambda example: tuple(-example["label"]))


def _glanced_at(dataset: Dataset, files: Sequence[str]) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Of each example: as it is stored, its labels, its recording's id; frame and spectrogram are not decoded."""

    def glance(batch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        return batch, parse_labels(batch, len(dataset.labels)), parse_video_ids(batch)

    for stored, labels, video_ids in tf.data.TFRecordDataset(files).batch(32).map(glance).as_numpy_iterator():
        yield from zip(stored, (label.tobytes() for label in labels), video_ids, strict=True)


def _parsed(dataset: Dataset, serialized: Sequence[bytes]) -> list[Mapping[str, np.ndarray]]:
    if not serialized:
        return []
    batch = parse_examples(tf.constant(serialized), dataset.spec, len(dataset.labels))
    arrays = {name: values.numpy() for name, values in batch.items()}
    return [{name: values[row] for name, values in arrays.items()} for row in range(len(serialized))]
