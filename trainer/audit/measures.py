"""What the audit compares by: scores of recordings, intervals of paired differences, McNemar's exact test."""

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest

from trainer.evaluation.bootstrap import INTERVAL, resamples
from trainer.evaluation.scores import average_precision, hit_at


class Interval(NamedTuple):
    """A value with its 95 % bootstrap interval over recordings."""

    value: float
    low: float
    high: float


class Difference(NamedTuple):
    """How much one system's score is above another's, with its 95 % bootstrap interval over recordings.

    `p_value` is that of McNemar's exact test where the score is a share of recordings, else None: where few
    recordings changed, a bootstrap is surer than it should be.
    """

    value: float
    low: float
    high: float
    p_value: float | None


@dataclasses.dataclass(frozen=True)
class PairedScores:
    """Scores of several systems on the same recordings, and on the same resamples of them.

    Attributes:
        values: system to its score.
        draws: system to float64 [resamples], its score on each resample.
        hits: system to bool [recordings] where the score is the share of these; else empty.
    """

    values: Mapping[str, float]
    draws: Mapping[str, np.ndarray]
    hits: Mapping[str, np.ndarray]

    def score(self, system: str) -> Interval:
        """The system's score."""
        return _interval(self.values[system], self.draws[system])

    def difference(self, first: str, second: str) -> Difference:
        """How much higher the first one's score is than the second's, recording by recording."""
        interval = _interval(self.values[first] - self.values[second], self.draws[first] - self.draws[second])
        p_value = None
        if self.hits:
            gains = int((self.hits[first] & ~self.hits[second]).sum())
            losses = int((~self.hits[first] & self.hits[second]).sum())
            p_value = mcnemar_p_value(gains, losses)
        return Difference(*interval, p_value)


def paired_scores(
    labels: np.ndarray, systems: Mapping[str, np.ndarray], *, multi_label: bool, seed: int = 0
) -> PairedScores:
    """Hit@1 of each system, or mean average precision where recordings may bear several labels.

    Args:
        labels: float32 [recordings, labels], multi-hot; at least one recording.
        systems: name to probabilities [recordings, labels].
        multi_label: decides the score.
        seed: of the resamples.
    """

    def score(probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
        if not multi_label:
            return hit_at(1, labels, probabilities, weights)
        # NaN: a label that no recording of the resample bears.
        return np.nanmean(average_precision(labels, probabilities, weights), axis=1)

    everything = np.ones((1, len(labels)))
    values = {name: float(score(probabilities, everything)[0]) for name, probabilities in systems.items()}
    parts: dict[str, list[np.ndarray]] = {name: [] for name in systems}
    for weights in resamples(len(labels), seed):
        for name, probabilities in systems.items():
            parts[name].append(score(probabilities, weights))
    draws = {name: np.concatenate(found) for name, found in parts.items()}
    hits = {} if multi_label else {name: right(labels, found) for name, found in systems.items()}
    return PairedScores(values, draws, hits)


def share(found: np.ndarray, seed: int = 0) -> Interval:
    """The mean of float or bool [recordings] with its interval."""
    draws = [weights @ found / weights.sum(axis=1) for weights in resamples(len(found), seed)]
    return _interval(float(np.mean(found)), np.concatenate(draws))


def by_chance(labels: np.ndarray) -> np.ndarray:
    """Probabilities of who knows nothing of a recording but how common each label is in the split.

    Their Hit@1 is the share of the most common label, their average precision a label's share.

    Args:
        labels: float32 [recordings, labels], multi-hot.

    Returns:
        float64 [recordings, labels], all rows alike.
    """
    return np.tile(labels.mean(axis=0, dtype=np.float64), (len(labels), 1))


def product(first: np.ndarray, second: np.ndarray, *, multi_label: bool) -> np.ndarray:
    """The normalized product of two models' probabilities: fusion without training.

    Args:
        first: [recordings, labels].
        second: [recordings, labels].
        multi_label: normalizes each label against its absence instead of against the other labels.

    Returns:
        float64 [recordings, labels].
    """
    first, second = first.astype(np.float64), second.astype(np.float64)
    both = first * second
    total = both + (1 - first) * (1 - second) if multi_label else both.sum(axis=1, keepdims=True)
    # All zero: each model excludes what the other one says; neither is believed more.
    return np.divide(both, total, out=(first + second) / 2, where=total > 0)


def right(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """bool [recordings]: whether the most probable label is a true one."""
    return labels[np.arange(len(labels)), probabilities.argmax(axis=1)] > 0


def mcnemar_p_value(gains: int, losses: int) -> float:
    """The exact two-sided p-value of McNemar's test (Psychometrika 12, 1947).

    That of `gains` successes in `gains + losses` tosses of a fair coin; 1 where there are none.
    """
    return float(binomtest(gains, gains + losses).pvalue) if gains + losses else 1.0


def _interval(value: float, draws: np.ndarray) -> Interval:
    low, high = np.percentile(draws, INTERVAL)
    return Interval(value, float(low), float(high))
