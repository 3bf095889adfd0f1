"""What a model says about a split: per segment, and per recording as the mean over its segments."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Protocol, Self

import keras
import numpy as np
import tensorflow as tf

from avinst.dataset import Dataset
from avinst.progress import Progress
from trainer.inputs.damaged_files import damaged_files_named
from trainer.inputs.pipeline import keyed_examples


class Observer(Protocol):
    """Is shown the batches of a split while they are predicted, so that nothing is computed twice.

    Attributes:
        layers: names of the layers whose outputs it wants to see.
    """

    layers: tuple[str, ...]

    def observe(self, batch: Mapping[str, tf.Tensor], outputs: Mapping[str, np.ndarray]) -> None:
        """Takes a batch as `avinst.schema.parse_examples` gives it, and layer to float32 [batch, ...]."""


@dataclasses.dataclass(frozen=True)
class Predictions:
    """One row a segment, or a recording.

    Attributes:
        video_ids: str [n].
        segment_index: int64 [n]; of a recording, that of its first segment.
        start_seconds: float32 [n]; of a recording, that of its first segment.
        labels: float32 [n, labels], multi-hot.
        probabilities: float32 [n, labels].
    """

    video_ids: np.ndarray
    segment_index: np.ndarray
    start_seconds: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray

    def by_recording(self) -> Self:
        """One row a recording, in the order of first appearance; probabilities are the mean over segments."""
        first, _ = recordings_of(self.video_ids)
        return dataclasses.replace(
            self,
            video_ids=self.video_ids[first],
            segment_index=self.segment_index[first],
            start_seconds=self.start_seconds[first],
            labels=self.labels[first],
            probabilities=means_by_recording(self.video_ids, self.probabilities),
        )


def recordings_of(video_ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The recordings among segments, in the order of first appearance.

    Args:
        video_ids: str [segments].

    Returns:
        int64 [recordings], the row of each recording's first segment; int64 [segments], the number of each
        segment's recording.
    """
    _, first, recording = np.unique(video_ids, return_index=True, return_inverse=True)
    order = np.argsort(first)
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order))
    return first[order], number[recording]


def means_by_recording(video_ids: np.ndarray, values: np.ndarray) -> np.ndarray:
    """float32 [recordings, columns]: means of [segments, columns], recordings in the order of first appearance."""
    first, recording = recordings_of(video_ids)
    sums = np.zeros((len(first), values.shape[1]), np.float64)
    np.add.at(sums, recording, values)
    return (sums / np.bincount(recording)[:, None]).astype(np.float32)


def predict_split(
    model: keras.Model, dataset: Dataset, split: str, batch_size: int = 32, observers: Sequence[Observer] = ()
) -> Predictions:
    """The model's probabilities for all segments of a split, in the order of the files.

    Args:
        model: with the inputs `log_mel`, `frame` or one of them and the output `probabilities`.
        dataset: what to predict.
        split: train, validation or test.
        batch_size: segments at once.
        observers: see every batch as it is computed.

    Raises:
        UserError: the split has no examples, or a file of it is damaged.
    """
    names = [source.name for source in model.inputs]
    layers = {layer for observer in observers for layer in observer.layers}
    # By name: of a list of one output Keras gives the output itself.
    watched = keras.Model(
        model.inputs, {name: model.get_layer(name).output for name in ("probabilities", *layers)}
    )
    compute = tf.function(lambda batch: watched([batch[name] for name in names], training=False))
    columns: dict[str, list[np.ndarray]] = {}
    batches = keyed_examples(dataset, split, batch_size)
    progress = Progress(f"predicting {split}", dataset.segments[split])
    with damaged_files_named(dataset, [split]):
        for batch in batches:
            row = {name: batch[name] for name in ("video_id", "segment_index", "segment_start_seconds", "label")}
            outputs = compute({name: batch[name] for name in names})
            row["probabilities"] = outputs["probabilities"]
            seen = {layer: np.asarray(tf.cast(outputs[layer], tf.float32)) for layer in layers}
            for observer in observers:
                observer.observe(batch, {layer: seen[layer] for layer in observer.layers})
            for name, values in row.items():
                columns.setdefault(name, []).append(values.numpy())
            progress.advance(len(row["label"]))
    progress.finish()
    joined = {name: np.concatenate(values) for name, values in columns.items()}
    return Predictions(
        video_ids=np.array([video_id.decode() for video_id in joined["video_id"]]),
        segment_index=joined["segment_index"],
        start_seconds=joined["segment_start_seconds"],
        labels=joined["label"],
        probabilities=joined["probabilities"],
    )
