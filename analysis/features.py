"""Penultimate features, logits and probabilities of a split, by segment and by recording."""

import dataclasses
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf

from avinst import paths
from avinst.errors import UserError
from avinst.manifest_rows import LABEL_SEPARATOR
from avinst.progress import Progress
from trainer.scores import decisions

MODALITIES = ("audio", "visual")


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
        count = np.bincount(recording, minlength=len(ids))

        def mean(values: np.ndarray) -> np.ndarray:
            total = np.zeros((len(ids), values.shape[1]))
            np.add.at(total, recording, values)
            return (total / count[:, np.newaxis]).astype(np.float32)

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


def segment_features(
    model: keras.Model,
    batches: Iterable[Mapping[str, Any]],
    label_names: Sequence[str],
    multi_label: bool,
    total: int | None = None,
) -> Features:
    """Runs the model once over the segments and keeps what its contract layers give.

    Args:
        model: flat, with layers `logits`, `probabilities` and `audio_features`, `visual_features` or one of them.
        batches: dicts of `avinst.schema.parse_examples`.
        label_names: the dataset's, in its order.
        multi_label: whether a recording may bear several labels.
        total: number of segments, for the progress line.

    Raises:
        UserError: there are no segments.
        ValueError: the model has neither features layer.
    """
    layers = {layer.name for layer in model.layers}
    names = [f"{modality}_features" for modality in MODALITIES if f"{modality}_features" in layers]
    if not names:
        raise ValueError(f"the model {model.name!r} has no layer audio_features or visual_features")
    names += ["logits", "probabilities"]
    extractor = keras.Model(model.inputs, [model.get_layer(name).output for name in names])
    compute = tf.function(lambda inputs: extractor(inputs, training=False), reduce_retracing=True)
    kept: dict[str, list[np.ndarray]] = {name: [] for name in [*names, "label", "video_id", "segment_index"]}
    progress = Progress("features: segments", total)
    for batch in batches:
        outputs = compute(model_inputs(model, batch))
        for name, output in zip(names, outputs, strict=True):
            kept[name].append(tf.cast(output, tf.float32).numpy())
        for name in ("label", "video_id", "segment_index"):
            kept[name].append(np.asarray(batch[name]))
        progress.advance(len(kept["label"][-1]))
    progress.finish()
    if not kept["label"]:
        raise UserError("no segments to analyze; give a split that has some (avinst inspect shows the counts)")
    arrays = {name: np.concatenate(parts) for name, parts in kept.items()}
    return Features(
        label_names=tuple(label_names),
        multi_label=multi_label,
        video_id=np.array([name.decode() for name in arrays["video_id"]]),
        segment_index=arrays["segment_index"],
        labels=arrays["label"] > 0,
        logits=arrays["logits"],
        probabilities=arrays["probabilities"],
        audio=arrays.get("audio_features"),
        visual=arrays.get("visual_features"),
    )


def save_features(features: Features, path: str) -> None:
    """Writes recordings as `features.npz`: one row a recording; no array for a modality that is not there.

    `label` and `predicted` are names as in a manifest, several joined by '|', empty where nothing was predicted;
    `label_names` orders the columns of `probabilities` and `logits`.
    """
    arrays: dict[str, Any] = {
        "video_id": features.video_id,
        "label": _joined(features.labels, features.label_names),
        "predicted": _joined(features.predicted, features.label_names),
        "probabilities": features.probabilities,
        "logits": features.logits,
        "label_names": np.array(features.label_names),
        "multi_label": np.array(features.multi_label),
    }
    arrays |= {f"{modality}_features": values for modality, values in features.modalities().items()}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    paths.write_bytes(path, buffer.getvalue())


def load_features(path: str) -> Features:
    """The inverse of `save_features`; raises UserError where there is no such file."""
    if not paths.exists(path):
        raise UserError(f"no features at {path!r}; make them with avinst analyze")
    with np.load(io.BytesIO(paths.read_bytes(path)), allow_pickle=False) as arrays:
        names = tuple(arrays["label_names"].tolist())
        label_sets = [set(text.split(LABEL_SEPARATOR)) for text in arrays["label"].tolist()]
        return Features(
            label_names=names,
            multi_label=bool(arrays["multi_label"]),
            video_id=arrays["video_id"],
            segment_index=np.full(len(label_sets), -1),
            labels=np.array([[name in labels for name in names] for labels in label_sets], dtype=bool),
            logits=arrays["logits"],
            probabilities=arrays["probabilities"],
            audio=arrays.get("audio_features"),
            visual=arrays.get("visual_features"),
        )


def _joined(mask: np.ndarray, names: Sequence[str]) -> np.ndarray:
    return np.array(
        [LABEL_SEPARATOR.join(name for name, held in zip(names, row, strict=True) if held) for row in mask]
    )
