"""Whether a map ranks what the model uses: what the label's probability does as the input is removed or shown."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from analysis.maps.gradcam import INPUT_OF
from analysis.maps.receptive_field import spread_over_input
from analysis.maps.removal import baseline, imputed
from trainer.audit.measures import Interval, share

MEASURES = ("deletion", "insertion", "road")
# What a map is compared with: noise of the maps' own cells, and a ranking of single pixels that knows nothing.
RANKINGS = ("map", "random_map", "random_pixels")
FRACTIONS = (0.1, 0.25, 0.5, 0.75, 0.9)


@dataclasses.dataclass(frozen=True)
class Faithfulness:
    """One measure of one modality's maps.

    Attributes:
        modality: `audio` or `visual`.
        measure: `deletion` and `road` remove the most important part first, `insertion` shows it first.
        recordings: that it is over.
        fractions: [points], of the input that is removed (or shown).
        curves: ranking to float64 [points], the label's mean probability.
        areas: ranking to the mean area under the curve, divided by the range of the fractions.
        gain: ranking other than the map to how much better the map's area is, mean over recordings: above 0 the
            probability falls (or, inserted, rises) faster by the map.
    """

    modality: str
    measure: str
    recordings: int
    fractions: tuple[float, ...]
    curves: Mapping[str, np.ndarray]
    areas: Mapping[str, float]
    gain: Mapping[str, Interval]


class BranchScorer:
    """A label's probability where one modality's input is changed and the other's features stay as they are."""

    def __init__(self, model: keras.Model, modality: str, batch_size: int) -> None:
        """Cuts the model at its penultimate features: the other branch runs once for a segment."""
        layers = {layer.name for layer in model.layers}
        names = [f"{name}_features" for name in INPUT_OF if f"{name}_features" in layers]
        features = [model.get_layer(name).output for name in names]
        self._place = names.index(f"{modality}_features")
        self._batch_size = batch_size
        self._features = keras.Model(model.inputs, features)
        branch = keras.Model(model.get_layer(INPUT_OF[modality]).output, features[self._place])
        head = keras.Model(features, model.get_layer("probabilities").output)

        @tf.function(reduce_retracing=True)
        def compute(inputs: tf.Tensor, others: list[tf.Tensor], labels: tf.Tensor) -> tf.Tensor:
            own = branch(inputs, training=False)
            found = head([*others[: self._place], own, *others[self._place :]], training=False)
            return tf.gather(tf.cast(found, tf.float32), labels, batch_dims=1)

        self._compute = compute

    def others(self, inputs: list[Any]) -> list[np.ndarray]:
        """The other modality's features of the segments, for `probabilities`."""
        found = keras.tree.flatten(self._features.predict(inputs, batch_size=self._batch_size, verbose=0))
        return [values for place, values in enumerate(found) if place != self._place]

    def probabilities(self, inputs: np.ndarray, others: list[np.ndarray], labels: np.ndarray) -> np.ndarray:
        """float64 [n]: of each segment's label."""
        parts = []
        for start in range(0, len(labels), self._batch_size):
            rows = slice(start, start + self._batch_size)
            given = [tf.constant(values[rows]) for values in others]
            parts.append(self._compute(tf.constant(inputs[rows], tf.float32), given, tf.constant(labels[rows])))
        return np.concatenate([np.asarray(part, np.float64) for part in parts])


def faithfulness(
    scorer: BranchScorer,
    modality: str,
    inputs: np.ndarray,
    others: list[np.ndarray],
    labels: np.ndarray,
    maps: np.ndarray,
    centres: tuple[np.ndarray, np.ndarray],
    log_mel_mean_db: float,
    seed: int = 0,
) -> list[Faithfulness]:
    """Deletion, insertion and ROAD of one modality's maps against random ones; a row is a recording's segment.

    Deletion and insertion after Petsiuk, Das and Saenko, "RISE: Randomized input sampling for explanation of
    black-box models" (2018), ROAD ("remove and debias", most relevant first) after Rong et al. (2022).

    Args:
        scorer: of the model and the modality.
        modality: `audio` or `visual`.
        inputs: float [n, frames, mels] or [n, size, size, 3].
        others: the other modality's features, as the scorer gives them.
        labels: int [n], the label that each map explains.
        maps: float [n, rows, columns], each with some evidence.
        centres: of the maps' cells.
        log_mel_mean_db: of the training split.
        seed: of random maps, ties, noise and bootstrap.
    """
    generator = np.random.default_rng(seed)
    size = inputs.shape[1:3]
    pictures = (inputs if inputs.ndim == 4 else inputs[..., np.newaxis]).astype(np.float32)
    nothing = baseline(modality, inputs, log_mel_mean_db).reshape(pictures.shape)
    values = {
        "map": spread_over_input(maps, centres, size),
        "random_map": spread_over_input(generator.random(maps.shape), centres, size),
        "random_pixels": generator.random((len(maps), *size)),
    }
    orders = {name: removal_ranks(value, generator) for name, value in values.items()}

    def probability(changed: np.ndarray) -> np.ndarray:
        return scorer.probabilities(changed.reshape(inputs.shape), others, labels)

    whole, empty = probability(pictures), probability(nothing)
    curves: dict[str, dict[str, np.ndarray]] = {measure: {} for measure in MEASURES}
    for name, ranks in orders.items():
        found: dict[str, list[np.ndarray]] = {"deletion": [whole], "insertion": [empty], "road": [whole]}
        for fraction in FRACTIONS:
            first = (ranks < fraction)[..., np.newaxis]
            found["deletion"].append(probability(np.where(first, nothing, pictures)))
            found["insertion"].append(probability(np.where(first, pictures, nothing)))
            found["road"].append(probability(imputed(pictures, first[..., 0], generator)))
        found["deletion"].append(empty)
        found["insertion"].append(whole)
        for measure in MEASURES:
            curves[measure][name] = np.stack(found[measure], axis=1)
    return [_summary(modality, measure, curves[measure], seed) for measure in MEASURES]


def removal_ranks(values: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """float64 [n, height, width] in [0, 1): place of each pixel from the highest value on; chance decides ties."""
    flat = values.reshape(len(values), -1)
    shuffled = generator.permuted(np.tile(np.arange(flat.shape[1]), (len(flat), 1)), axis=1)
    # Sorted by value, and among equal ones in the shuffled order: no corner comes first where a map says nothing.
    order = np.take_along_axis(shuffled, np.argsort(-np.take_along_axis(flat, shuffled, 1), 1, kind="stable"), 1)
    ranks = np.empty(flat.shape)
    np.put_along_axis(ranks, order, np.arange(flat.shape[1])[np.newaxis] / flat.shape[1], axis=1)
    return ranks.reshape(values.shape)


def _summary(modality: str, measure: str, curves: Mapping[str, np.ndarray], seed: int) -> Faithfulness:
    fractions = (0.0, *FRACTIONS) if measure == "road" else (0.0, *FRACTIONS, 1.0)
    areas = {name: np.trapezoid(curve, fractions, axis=1) / fractions[-1] for name, curve in curves.items()}
    sign = 1 if measure == "insertion" else -1
    return Faithfulness(
        modality=modality,
        measure=measure,
        recordings=len(areas["map"]),
        fractions=fractions,
        curves={name: curve.mean(axis=0) for name, curve in curves.items()},
        areas={name: float(area.mean()) for name, area in areas.items()},
        gain={name: share(sign * (areas["map"] - areas[name]), seed) for name in RANKINGS[1:]},
    )
