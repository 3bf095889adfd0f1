"""Whether both modalities' features as a whole tell recordings apart alike, beyond chance and beyond the label."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from analysis.correlations.cca import FOLDS, CrossValidatedCca
from analysis.correlations.cka import linear_cka, unbiased_gram
from analysis.correlations.neighbours import NEIGHBOURS, membership, mutual_share, nearest
from analysis.correlations.resampling import central_band, p_value_among
from analysis.features import Features

PERMUTATIONS = 1000
# The null of CKA costs their square for each permutation; a random part stands for more recordings.
MOST_RECORDINGS = 1500
MINIMUM_RECORDINGS = 20
MEASURES = {
    "cka": "linear CKA, unbiased",
    "mutual_knn": "mutual nearest neighbours",
    "cca": "first canonical correlation, held out",
}


@dataclasses.dataclass(frozen=True)
class Chance:
    """What a measure gives where recordings are shuffled between the modalities.

    Attributes:
        mean, low, high: of the permutations; between low and high lie 95 %.
        p_value: (1 + permutations that give at least the measured value) / (1 + permutations).
    """

    mean: float
    low: float
    high: float
    p_value: float


_UNKNOWN = Chance(math.nan, math.nan, math.nan, math.nan)


@dataclasses.dataclass(frozen=True)
class Alignment:
    """One measure of the two modalities' features.

    Attributes:
        measure: a key of MEASURES.
        value: over all recordings.
        by_chance: all recordings shuffled: nothing is shared.
        by_label: of `shared_value`, recordings shuffled within their label: what the label alone makes the
            modalities share. NaN where fewer than MINIMUM_RECORDINGS can change places.
        within_value: with each label's mean taken off the features.
        within_by_chance: of this, recordings shuffled within their label. Its mean is not 0 where labels have few
            recordings: the means that are taken off bind a label's recordings to each other in both modalities.
        recordings: that the value is over.
        within_recordings: that the value within labels is over: those that can change places there.
        shared_value: over the recordings that can change places within their label, which is the set of labels
            that they bear: what stays where it is would be the same under every permutation, and look like
            chance. In the first canonical correlation they change places within their fold besides. NaN where
            there are fewer than MINIMUM_RECORDINGS of them.
        shared_recordings: how many can.
    """

    measure: str
    value: float
    by_chance: Chance
    by_label: Chance
    within_value: float
    within_by_chance: Chance
    recordings: int
    within_recordings: int
    shared_value: float
    shared_recordings: int


def align(features: Features, seed: int, permutations: int = PERMUTATIONS) -> tuple[Alignment, ...]:
    """All measures with their permutation nulls; nothing with one modality or fewer than 20 recordings.

    Args:
        features: of recordings.
        seed: of the permutations, of the folds, and of the choice where there are too many recordings.
        permutations: of each null.
    """
    if features.audio is None or features.visual is None or len(features) < MINIMUM_RECORDINGS:
        return ()
    generator = np.random.default_rng(seed)
    if len(features) > MOST_RECORDINGS:
        features = features.rows(np.sort(generator.permutation(len(features))[:MOST_RECORDINGS]))
    _, group = np.unique(features.labels, axis=0, return_inverse=True)
    group = group.ravel()
    audio, visual = np.asarray(features.audio), np.asarray(features.visual)
    shared = np.flatnonzero(np.bincount(group)[group] > 1)
    rest = group[shared]
    within = (_without_means(audio[shared], rest), _without_means(visual[shared], rest))
    together = np.zeros(len(features), dtype=int)
    found = []
    for measure in MEASURES:
        # In folds only recordings of one fold change places, so that what was fitted stays fitted.
        fold, fold_within = (_folds(labels, generator) for labels in (group, rest))
        score = _scorer(measure, audio, visual, fold)
        cell = fold if measure == "cca" else together
        by_chance = _chance(score, cell, permutations, generator)
        shared_value, by_label, exchanged = _by_label(measure, audio, visual, group, fold, permutations, generator)
        within_value, within_chance, exchanged_within = _by_label(
            measure, *within, rest, fold_within, permutations, generator
        )
        found.append(
            Alignment(
                measure=measure,
                value=score(None),
                by_chance=by_chance,
                by_label=by_label,
                within_value=within_value,
                within_by_chance=within_chance,
                recordings=len(features),
                within_recordings=exchanged_within,
                shared_value=shared_value,
                shared_recordings=exchanged,
            )
        )
    return tuple(found)


def _by_label(
    measure: str,
    audio: np.ndarray,
    visual: np.ndarray,
    group: np.ndarray,
    fold: np.ndarray,
    permutations: int,
    generator: np.random.Generator,
) -> tuple[float, Chance, int]:
    """Value and null over the recordings that can change places within their label, and how many those are."""
    cell = FOLDS * group + (fold if measure == "cca" else 0)
    rows = np.flatnonzero(np.bincount(cell)[cell] > 1)
    if len(rows) < MINIMUM_RECORDINGS:
        return math.nan, _UNKNOWN, len(rows)
    score = _scorer(measure, audio[rows], visual[rows], fold[rows])
    return score(None), _chance(score, cell[rows], permutations, generator), len(rows)


def alignment_json(found: tuple[Alignment, ...]) -> dict[str, Any]:
    """What `alignment.json` holds: measure to values; null where something is not defined."""
    return {one.measure: {"name": MEASURES[one.measure], **_finite(dataclasses.asdict(one))} for one in found}


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _finite(value)
        if isinstance(value, dict)
        else (round(value, 6) if math.isfinite(value) else None)
        if isinstance(value, float)
        else value
        for name, value in values.items()
    }


def _scorer(measure: str, x: np.ndarray, y: np.ndarray, fold: np.ndarray) -> Callable[[np.ndarray | None], float]:
    """A function of the order of Y's rows; None: as they are."""
    if measure == "cca":
        return CrossValidatedCca(x, y, fold).correlation
    if measure == "mutual_knn":
        number = max(1, min(NEIGHBOURS, (len(x) - 1) // 2))
        member, neighbours = membership(nearest(x, number)), nearest(y, number)
        return lambda order: mutual_share(member, neighbours, order)
    gram_x, gram_y = unbiased_gram(x), unbiased_gram(y)
    return lambda order: linear_cka(gram_x, gram_y if order is None else gram_y[order][:, order])


def _chance(
    score: Callable[[np.ndarray | None], float],
    cell: np.ndarray,
    permutations: int,
    generator: np.random.Generator,
) -> Chance:
    value = score(None)
    values = np.array([score(_shuffled(cell, generator)) for _ in range(permutations)])
    if not (math.isfinite(value) and np.isfinite(values).all()):
        return _UNKNOWN
    return Chance(float(values.mean()), *central_band(values), p_value_among(values, value))


def _shuffled(cell: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A random order in which rows change places only with others of their cell."""
    order = np.empty(len(cell), dtype=int)
    # Sorted by cell, the rows as they are meet the rows in random order.
    order[np.argsort(cell, kind="stable")] = np.lexsort((generator.random(len(cell)), cell))
    return order


def _folds(group: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """int [recordings] from 0 to FOLDS - 1: every group spread evenly."""
    fold = np.empty(len(group), dtype=int)
    fold[np.lexsort((generator.random(len(group)), group))] = np.arange(len(group)) % FOLDS
    return fold


def _without_means(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    result = values.astype(np.float64)
    for number in np.unique(group):
        result[group == number] -= result[group == number].mean(axis=0)
    return result
