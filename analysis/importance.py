"""How much each penultimate feature contributes to each label: the category-wise feature importance."""

import csv
import dataclasses
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from analysis.features import Features
from analysis.importance_stability import ResampledSums, Stability, StabilitySettings
from trainer.run import Run

_ROWS_AT_ONCE = 1024


@dataclasses.dataclass(frozen=True)
class Importance:
    """L_i^c of every feature i for every label c.

    Attributes:
        label_names: the labels, rows of the values.
        count: label name to number of recordings predicted as it, the ones that the mean is over.
        values: modality to float64 [labels, features], at least 0; a row of NaN for a label that nothing was
            predicted as.
        stability: how surely features are among the most important; None where it was not asked for.
    """

    label_names: tuple[str, ...]
    count: Mapping[str, int]
    values: Mapping[str, np.ndarray]
    stability: Stability | None = None

    @property
    def unpredicted(self) -> tuple[str, ...]:
        """The labels that no recording was predicted as: nothing can be said about them."""
        return tuple(name for name in self.label_names if self.count[name] == 0)

    def of(self, label: str, modality: str) -> np.ndarray:
        """float64 [features]: importance for one label."""
        return self.values[modality][self.label_names.index(label)]

    def top(self, label: str, modality: str, number: int) -> np.ndarray:
        """int [at most number]: the most important features, best first; those of importance 0 are left out."""
        values = self.of(label, modality)
        order = np.argsort(-values, kind="stable")[:number]
        return order[values[order] > 0]

    def stays(self, label: str, modality: str) -> np.ndarray | None:
        """float64 [features]: share of resamples in which each is among the label's most important ones."""
        if self.stability is None:
            return None
        return self.stability.shares[modality][self.label_names.index(label)]


def head_of(model: keras.Model | Run) -> keras.Model:
    """The part of the model from its penultimate features (audio, then visual, of those it has) to `logits`."""
    model = model.model if isinstance(model, Run) else model
    layers = {layer.name for layer in model.layers}
    features = [name for name in ("audio_features", "visual_features") if name in layers]
    return keras.Model([model.get_layer(name).output for name in features], model.get_layer("logits").output)


def feature_importance(
    features: Features, model: keras.Model | Run, settings: StabilitySettings | None = None
) -> Importance:
    """How much each feature contributes to the logit of each label, over the recordings predicted as it.

    After Slizovskaia, Gómez and Haro, "Correspondence between audio and visual deep models for musical instrument
    detection in video recordings"; `importance` has the formula.

    Args:
        features: of recordings (`Features.by_recording`).
        model: a finished run, or its `run.model`.
        settings: of the stability over resamples of the recordings; None: it is not computed.
    """
    return importance(features, head_of(model), settings)


def importance(features: Features, head: keras.Model, settings: StabilitySettings | None = None) -> Importance:
    """L_i^c = mean over the recordings predicted as c of max(a_i^c x_i, 0), a_i^c = d logit_c / d x_i.

    After Slizovskaia, Gómez and Haro, "Correspondence between audio and visual deep models for musical instrument
    detection in video recordings". a is taken by automatic differentiation at each recording's mean features;
    where the head is one dense layer it is the layer's weight. The product's sign decides, not the weight's: a
    feature that is negative (ELU) contributes through a negative weight.

    Args:
        features: of recordings.
        head: as `head_of` gives it.
        settings: of the stability over resamples of the recordings; None: it is not computed.
    """
    inputs = features.modalities()
    predicted = features.predicted
    shape = {name: (len(features.label_names), value.shape[1]) for name, value in inputs.items()}
    values = {name: np.full(shape[name], np.nan) for name in inputs}
    shares = {name: np.full(shape[name], np.nan) for name in inputs}
    for index in range(len(features.label_names)):
        rows = np.flatnonzero(predicted[:, index])
        if not len(rows):
            continue
        total = {name: np.zeros(value.shape[1]) for name, value in inputs.items()}
        resamples = ResampledSums(len(rows), settings, index) if settings else None
        for chunk, name, products in _contributions(inputs, rows, head, index):
            total[name] += products.sum(axis=0)
            if resamples:
                resamples.add(name, chunk, products)
        for name in inputs:
            values[name][index] = total[name] / len(rows)
            if resamples:
                shares[name][index] = resamples.share_among_the_most_important(name)
    count = dict(zip(features.label_names, predicted.sum(axis=0).tolist(), strict=True))
    stability = Stability(settings.top, shares) if settings else None
    return Importance(features.label_names, count, values, stability)


def _contributions(
    inputs: Mapping[str, np.ndarray], rows: np.ndarray, head: keras.Model, label_index: int
) -> Iterator[tuple[slice, str, np.ndarray]]:
    """Which of the rows, modality, and max(a x, 0) of its features, float64 [those rows, features]."""
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        chunk = slice(start, min(start + _ROWS_AT_ONCE, len(rows)))
        gradients = logit_gradients(head, [value[rows[chunk]] for value in inputs.values()], label_index)
        for (name, value), gradient in zip(inputs.items(), gradients, strict=True):
            yield chunk, name, np.maximum(gradient.astype(np.float64) * value[rows[chunk]], 0.0)


def logit_gradients(head: keras.Model, inputs: list[np.ndarray], label_index: int) -> list[np.ndarray]:
    """d logit / d feature of each row: one float32 [rows, features] for each input of the head."""
    tensors = [tf.convert_to_tensor(value, tf.float32) for value in inputs]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(tensors)
        logits = head(tensors, training=False)[:, label_index]
    # A row's logit depends on its own features alone, so the gradient of the sum holds each row's own.
    return [np.asarray(gradient) for gradient in tape.gradient(logits, tensors)]


def importance_csv(result: Importance) -> str:
    """CSV: label, modality, feature, importance, rank, stability.

    Rank 1 is the most important within label and modality. Stability is the share of resamples of the recordings
    in which the feature is among the label's most important ones of its modality, 10 of audio and 20 of vision
    unless other numbers are asked for; empty if not computed.
    Labels that nothing was predicted as have no rows. A feature's name is as in the correlation matrices: a0007.

    Args:
        result: as `feature_importance` gives it.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["label", "modality", "feature", "importance", "rank", "stability"])
    for label, modality, feature, cells in _ranked(result):
        stays = result.stays(label, modality)
        writer.writerow([*cells, "" if stays is None else f"{stays[feature]:g}"])
    return buffer.getvalue()


def selection_importance_csv(results: Sequence[Importance]) -> str:
    """CSV: half, label, modality, feature, importance, rank; as `importance_csv`, where features were chosen.

    Args:
        results: one, and half is empty; or those of both halves, and half is the number, from 1, of the one that
            the importance is over: its first features are correlated over the other.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["half", "label", "modality", "feature", "importance", "rank"])
    for number, result in enumerate(results, start=1):
        half = number if len(results) > 1 else ""
        writer.writerows([half, *cells] for *_, cells in _ranked(result))
    return buffer.getvalue()


def _ranked(result: Importance) -> Iterator[tuple[str, str, int, list[object]]]:
    """Label, modality, feature, and the cells of its row: label, modality, name, importance, rank."""
    for label in result.label_names:
        if label in result.unpredicted:
            continue
        for modality in result.values:
            values = result.of(label, modality)
            for rank, feature in enumerate(np.argsort(-values, kind="stable").tolist(), start=1):
                name = feature_name(modality, feature)
                yield label, modality, feature, [label, modality, name, f"{values[feature]:.8g}", rank]


def feature_name(modality: str, index: Any) -> str:
    """a0007 for the audio feature 7, v1893 for the visual feature 1893; indices count from 0."""
    return f"{modality[0]}{int(index):04d}"
