"""What a model says about a split: per segment, and per recording as the mean over its segments."""

import dataclasses
from typing import Self

import keras
import numpy as np
import tensorflow as tf

from avinst.dataset import Dataset
from avinst.progress import Progress
from trainer.input_pipeline import keyed_examples


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
        _, first, recording = np.unique(self.video_ids, return_index=True, return_inverse=True)
        counts = np.bincount(recording)
        probabilities = np.zeros((len(first), self.probabilities.shape[1]), np.float64)
        np.add.at(probabilities, recording, self.probabilities)
        order = np.argsort(first)
        chosen = first[order]
        return dataclasses.replace(
            self,
            video_ids=self.video_ids[chosen],
            segment_index=self.segment_index[chosen],
            start_seconds=self.start_seconds[chosen],
            labels=self.labels[chosen],
            probabilities=(probabilities / counts[:, None])[order].astype(np.float32),
        )


def predict_split(model: keras.Model, dataset: Dataset, split: str, batch_size: int = 32) -> Predictions:
    """The model's probabilities for all segments of a split, in the order of the files.

    Raises:
        UserError: the split has no examples.
    """
    names = [source.name for source in model.inputs]
    compute = tf.function(lambda batch: model([batch[name] for name in names], training=False))
    columns: dict[str, list[np.ndarray]] = {}
    batches = keyed_examples(dataset, split, batch_size)
    progress = Progress(f"predicting {split}", dataset.segments[split])
    for batch in batches:
        row = {name: batch[name] for name in ("video_id", "segment_index", "segment_start_seconds", "label")}
        row["probabilities"] = compute({name: batch[name] for name in names})
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
