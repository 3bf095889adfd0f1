"""Penultimate features, logits and probabilities of a split, by segment and by recording."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf
from scipy import sparse

from trainer.evaluation.scores import decisions

MODALITIES = ("audio", "visual")
# Features whose means are taken together: in float64, so all at once would cost twice what the features take.
_COLUMNS_AT_ONCE = 256


@dataclasses.dataclass(frozen=True)
class Features:
    """What a model makes of each recording (or, before `by_recording`, of each segment).

    Attributes:
        label_names: the dataset's label names; columns of `labels`, `logits` and `probabilities`.
        multi_label: whether a recording may bear several labels.
        video_id: str [n].
        segment_index: int64 [n], number of the segment in its recording; -1 where a row is a recording.
        labels: bool [n, labels], the true labels.
        logits: float32 [n, labels].
        probabilities: float32 [n, labels].
        audio: float32 [n, 1024], penultimate audio features; None where the model hears nothing.
        visual: float32 [n, 2048], penultimate visual features; None where the model sees nothing.
    """

    label_names: tuple[str, ...]
    multi_label: bool
    video_id: np.ndarray
    segment_index: np.ndarray
    labels: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray
    audio: np.ndarray | None
    visual: np.ndarray | None

    def __len__(self) -> int:
        return len(self.video_id)

    @property
    def predicted(self) -> np.ndarray:
        """bool [n, labels]: the most probable label, or, multi-label, all of probability 0.5 or more."""
        return decisions(self.probabilities, multi_label=self.multi_label)

    def modalities(self) -> dict[str, np.ndarray]:
        """Modality to its features, of the modalities that the model has."""
        values = {"audio": self.audio, "visual": self.visual}
        return {name: value for name, value in values.items() if value is not None}

    def rows(self, mask: np.ndarray) -> Self:
        """The rows that a bool [n] mask or an int array names."""
        arrays = {
            field.name: value[mask]
            for field in dataclasses.fields(self)
            if isinstance(value := getattr(self, field.name), np.ndarray)
        }
        return dataclasses.replace(self, **arrays)

    def by_recording(self) -> Self:
        """One row a recording, in the order of the ids: means over segments; labels are the union."""
        ids, recording = np.unique(self.video_id, return_inverse=True)
        shape = (len(ids), len(recording))
        shares = 1 / np.bincount(recording)[recording]
        means = sparse.csr_array((shares, (recording, np.arange(len(recording)))), shape=shape)

        def mean(values: np.ndarray) -> np.ndarray:
            result = np.empty((len(ids), values.shape[1]), np.float32)
            for start in range(0, values.shape[1], _COLUMNS_AT_ONCE):
                columns = slice(start, start + _COLUMNS_AT_ONCE)
                result[:, columns] = means @ values[:, columns].astype(np.float64)
            return result

        labels = np.zeros((len(ids), self.labels.shape[1]), dtype=bool)
        np.logical_or.at(labels, recording, self.labels)
        return dataclasses.replace(
            self,
            video_id=ids,
            segment_index=np.full(len(ids), -1),
            labels=labels,
            logits=mean(self.logits),
            probabilities=mean(self.probabilities),
            audio=None if self.audio is None else mean(self.audio),
            visual=None if self.visual is None else mean(self.visual),
        )


def model_inputs(model: keras.Model, batch: Mapping[str, Any]) -> list[Any]:
    """The batch's values in the order of the model's inputs, which bear the schema's names."""
    return [tf.cast(batch[tensor.name], tensor.dtype) for tensor in model.inputs]
