"""What the audit asks of networks: penultimate features, and the fused head on features of other origin."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from avinst.dataset import Dataset
from trainer.evaluation.predictions import Predictions, means_by_recording, predict_split
from trainer.models.build import FEATURE_COUNTS, INPUT_OF

# Scaled to [-1, 1] it is 0.
MID_GREY = 127.5
_ROWS_AT_ONCE = 4096


@dataclasses.dataclass(frozen=True)
class SegmentFeatures:
    """What a network makes of the segments of a split.

    Attributes:
        predictions: of its own head.
        features: `audio` float32 [segments, 1024] and `visual` float32 [segments, 2048], of those that it has.
    """

    predictions: Predictions
    features: Mapping[str, np.ndarray]

    def by_recording(self) -> "RecordingFeatures":
        """Means over the segments of each recording, in the order of first appearance."""
        ids = self.predictions.video_ids
        means = {modality: means_by_recording(ids, values) for modality, values in self.features.items()}
        return RecordingFeatures(self.predictions.by_recording().labels, means)


@dataclasses.dataclass(frozen=True)
class RecordingFeatures:
    """Penultimate features, one row a recording.

    Attributes:
        labels: float32 [recordings, labels], multi-hot.
        features: modality to float32 [recordings, features].
    """

    labels: np.ndarray
    features: Mapping[str, np.ndarray]


def segment_features(model: keras.Model, dataset: Dataset, split: str, batch_size: int) -> SegmentFeatures:
    """One pass over a split, the features of all segments kept: 12 kB each."""
    observer = AllSegments(model)
    return SegmentFeatures(predict_split(model, dataset, split, batch_size, [observer]), observer.features())


def recording_features(model: keras.Model, dataset: Dataset, split: str, batch_size: int) -> RecordingFeatures:
    """One pass over a split of any size: of the features only their means by recording are kept."""
    observer = _RecordingMeans(model)
    labels = predict_split(model, dataset, split, batch_size, [observer]).by_recording().labels
    return RecordingFeatures(labels, observer.features())


class AllSegments:
    """Keeps the features of all segments; an observer of `trainer.evaluation.predictions.predict_split`."""

    def __init__(self, model: keras.Model) -> None:
        self._layer_of = _feature_layers(model)
        self.layers = tuple(self._layer_of.values())
        self._batches: list[Mapping[str, np.ndarray]] = []

    def observe(self, batch: Mapping[str, Any], outputs: Mapping[str, np.ndarray]) -> None:
        """Adds a batch; see `trainer.evaluation.predictions.Observer`."""
        self._batches.append(outputs)

    def features(self) -> dict[str, np.ndarray]:
        """Modality to float32 [segments, features], of the modalities that the model has."""
        return {
            modality: np.concatenate([outputs[layer] for outputs in self._batches])
            for modality, layer in self._layer_of.items()
        }


class _RecordingMeans:
    """Adds up the features of each recording, in the order of first appearance; another such observer."""

    def __init__(self, model: keras.Model) -> None:
        self._layer_of = _feature_layers(model)
        self.layers = tuple(self._layer_of.values())
        self._counts: dict[bytes, int] = {}
        self._sums: dict[bytes, dict[str, np.ndarray]] = {}

    def observe(self, batch: Mapping[str, Any], outputs: Mapping[str, np.ndarray]) -> None:
        for row, video_id in enumerate(np.asarray(batch["video_id"])):
            if video_id not in self._sums:
                self._counts[video_id] = 0
                self._sums[video_id] = {layer: np.zeros_like(outputs[layer][row]) for layer in self.layers}
            self._counts[video_id] += 1
            for layer in self.layers:
                self._sums[video_id][layer] += outputs[layer][row]

    def features(self) -> dict[str, np.ndarray]:
        return {
            modality: np.stack([sums[layer] / self._counts[video_id] for video_id, sums in self._sums.items()])
            for modality, layer in self._layer_of.items()
        }


def blank_features(model: keras.Model, log_mel_mean_db: float) -> dict[str, np.ndarray]:
    """The features of nothing: a log-mel that is the training mean everywhere, a mid-grey frame.

    Args:
        model: a detector of both modalities.
        log_mel_mean_db: dB.

    Returns:
        Modality to float32 [1, features].
    """
    layers = _feature_layers(model)
    outputs = keras.Model(model.inputs, {name: model.get_layer(name).output for name in layers.values()})
    fills = {"log_mel": log_mel_mean_db, "frame": MID_GREY}
    blank = [np.full((1, *source.shape[1:]), fills[source.name], np.float32) for source in model.inputs]
    found = outputs(blank, training=False)
    return {modality: _float32(found[layer]) for modality, layer in layers.items()}


class FusedHead:
    """A fused network from its penultimate features on.

    Its branches do not see each other, so that what it says of any sound with any picture is what its head says of
    the two features: blanking and swapping cost no pass through the branches.
    """

    def __init__(self, model: keras.Model) -> None:
        layers = _feature_layers(model)
        self._order = list(layers)
        self._head = keras.Model([model.get_layer(name).output for name in layers.values()], model.output)

    def __call__(self, features: Mapping[str, np.ndarray]) -> np.ndarray:
        """Probabilities float32 [n, labels] of `audio` [n, 1024] and `visual` [n, 2048]."""
        count = len(features[self._order[0]])
        parts = []
        for start in range(0, count, _ROWS_AT_ONCE):
            rows = [features[modality][start : start + _ROWS_AT_ONCE] for modality in self._order]
            parts.append(_float32(self._head(rows, training=False)))
        return np.concatenate(parts)


def _feature_layers(model: keras.Model) -> dict[str, str]:
    """Modality to its layer of penultimate features, of the modalities that the model has."""
    inputs = {source.name for source in model.inputs}
    return {modality: f"{modality}_features" for modality in FEATURE_COUNTS if INPUT_OF[modality] in inputs}


def _float32(values: object) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(values, "float32")))
