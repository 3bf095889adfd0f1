"""Whether the maps depend on what was learned: likeness of the maps before and after weights are shuffled."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

import keras
import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.stats import rankdata

from analysis.maps.gradcam import INPUT_OF, MAP_OF, EvidenceMaps, dead_maps, on_input
from trainer.audit.measures import Interval, share
from trainer.audit.result import FEWEST_RECORDINGS

# Maps that are more alike than this after all weights were shuffled say little about what was learned.
MOST_ALIKE = 0.5
_SSIM_SIGMA = 1.5
_SSIM_STABILITY = (0.01**2, 0.03**2)


@dataclasses.dataclass(frozen=True)
class Randomisation:
    """The check of one modality's maps.

    Attributes:
        modality: `audio` or `visual`.
        recordings: whose maps show evidence before anything is shuffled.
        stages: what was shuffled, from the head downwards; each has the ones before in it.
        dead: stage to how many of these maps show no evidence after it: a dead map is like no other, which says
            nothing about what the map before depended on.
        correlation: stage to the rank correlation of the maps' cells before and after, mean over the recordings
            whose maps show evidence both times; None where there are none.
        similarity: stage to the structural similarity of the same maps over the input, or None.
        between_recordings: rank correlation of the maps of different recordings, nothing shuffled: how alike maps
            are anyway.
    """

    modality: str
    recordings: int
    stages: tuple[str, ...]
    dead: Mapping[str, int]
    correlation: Mapping[str, Interval | None]
    similarity: Mapping[str, Interval | None]
    between_recordings: float

    @property
    def alive(self) -> int:
        """Number of recordings whose maps show evidence before and after all weights were shuffled."""
        return self.recordings - self.dead[self.stages[-1]]

    @property
    def verdict(self) -> Literal["depend", "hardly depend", "not told"]:
        """Whether the maps depend on what was learned: the interval lies on one side of MOST_ALIKE, or on both."""
        found = self.correlation[self.stages[-1]]
        if found is None or self.alive < FEWEST_RECORDINGS:
            return "not told"
        if found.low > MOST_ALIKE:
            return "hardly depend"
        return "depend" if found.high <= MOST_ALIKE else "not told"


def randomisation(
    evidence_maps: EvidenceMaps,
    batch: Mapping[str, Any],
    labels: np.ndarray,
    centres: Mapping[str, tuple[np.ndarray, np.ndarray]],
    batch_size: int,
    seed: int = 0,
) -> list[Randomisation]:
    """Cascading randomisation, after Adebayo et al., "Sanity checks for saliency maps" (2018).

    The values of each weight array are shuffled: layers keep the size of what they give. The model is left as it
    was. Maps that are dead after the shuffling are counted and left out.

    Args:
        evidence_maps: of the model.
        batch: the model's inputs, one segment of each recording, whose maps all show evidence.
        labels: int [n], the label that each map explains.
        centres: modality to the places of the maps' cells.
        batch_size: segments at once.
        seed: of shuffling and bootstrap.
    """
    model = evidence_maps.model
    before = evidence_maps.in_batches(batch, labels, batch_size)
    likeness: dict[str, dict[str, dict[str, Interval | None]]] = {
        modality: {"correlation": {}, "similarity": {}} for modality in before
    }
    dead: dict[str, dict[str, int]] = {modality: {} for modality in before}
    kept = {layer.name: layer.get_weights() for layer in model.layers}
    generator = np.random.default_rng(seed)
    try:
        stages = _stages(model, evidence_maps.modalities)
        for stage, layers in stages.items():
            for layer in layers:
                layer.set_weights([_shuffled(values, generator) for values in layer.get_weights()])
            after = evidence_maps.in_batches(batch, labels, batch_size)
            for modality, maps in after.items():
                size = batch[INPUT_OF[modality]].shape[1:3]
                alive = ~dead_maps(maps)
                dead[modality][stage] = int((~alive).sum())
                pair = before[modality][alive], maps[alive]
                correlation, similarity = None, None
                if alive.any():
                    drawn = [on_input(values, centres[modality], size) for values in pair]
                    correlation = share(rank_correlation(*pair), seed)
                    similarity = share(structural_similarity(*drawn), seed)
                likeness[modality]["correlation"][stage] = correlation
                likeness[modality]["similarity"][stage] = similarity
    finally:
        for layer in model.layers:
            layer.set_weights(kept[layer.name])
    return [
        Randomisation(
            modality=modality,
            recordings=len(labels),
            stages=tuple(stages),
            dead=dead[modality],
            correlation=found["correlation"],
            similarity=found["similarity"],
            between_recordings=float(
                rank_correlation(before[modality], np.roll(before[modality], 1, axis=0)).mean()
            ),
        )
        for modality, found in likeness.items()
    ]


def rank_correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """float64 [n]: Spearman's rho of the cells of maps [n, rows, columns]; 0 where one is the same everywhere."""
    ranks = [rankdata(values.reshape(len(values), -1), axis=1) for values in (first, second)]
    centred = [values - values.mean(axis=1, keepdims=True) for values in ranks]
    scale = np.sqrt(np.prod([(values**2).sum(axis=1) for values in centred], axis=0))
    return np.divide((centred[0] * centred[1]).sum(axis=1), scale, out=np.zeros(len(first)), where=scale > 0)


def structural_similarity(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """float64 [n]: SSIM of pictures [n, height, width] in [0, 1], mean over places.

    Wang et al., "Image quality assessment: from error visibility to structural similarity" (2004), with its
    Gaussian window and constants.
    """

    def blurred(values: np.ndarray) -> np.ndarray:
        return gaussian_filter(values.astype(np.float64), (0, _SSIM_SIGMA, _SSIM_SIGMA), truncate=3.5)

    means = blurred(first), blurred(second)
    variances = [
        blurred(values.astype(np.float64) ** 2) - mean**2
        for values, mean in zip((first, second), means, strict=True)
    ]
    covariance = blurred(first.astype(np.float64) * second) - means[0] * means[1]
    light, contrast = _SSIM_STABILITY
    value = (2 * means[0] * means[1] + light) * (2 * covariance + contrast)
    value /= (means[0] ** 2 + means[1] ** 2 + light) * (variances[0] + variances[1] + contrast)
    return value.mean(axis=(1, 2))


def _stages(model: keras.Model, modalities: tuple[str, ...]) -> dict[str, list[Any]]:
    """What is shuffled in addition at each stage: layers with weights, from the head downwards."""
    below_features = _needed_for(model, [f"{modality}_features" for modality in modalities])
    below_maps = _needed_for(model, [MAP_OF[modality] for modality in modalities])
    layers = [layer for layer in model.layers if layer.weights]
    deep = [layer for layer in layers if layer.name in below_maps]
    upper = deep[len(deep) // 2 :]
    stages = {
        "head": [layer for layer in layers if layer.name not in below_features],
        "down to the maps": [
            layer for layer in layers if layer.name in below_features and layer.name not in below_maps
        ],
        "half of what is below": upper,
        "all weights": [layer for layer in deep if layer not in upper],
    }
    return {stage: found for stage, found in stages.items() if found}


def _needed_for(model: keras.Model, names: list[str]) -> set[str]:
    return {layer.name for layer in keras.Model(model.inputs, [model.get_layer(n).output for n in names]).layers}


def _shuffled(values: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return generator.permutation(values.ravel()).reshape(values.shape)
