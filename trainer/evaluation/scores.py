"""The figures of merit as functions of weighted rows, so that a bootstrap is a matter of weights.

All take `labels` [n, labels] multi-hot, `probabilities` [n, labels] and `weights` float64 [resamples, n]; all
return float64 [resamples] (or [resamples, labels]). NaN stands for what cannot be computed.
"""

from collections.abc import Mapping

import numpy as np

from trainer.evaluation.calibration import calibration_error

# A multi-label row is predicted as every label with this probability or more.
DECISION_THRESHOLD = 0.5
# With no more labels than this Hit@3 is always 1.
HIT_PLACES = 3
_SMALLEST_PROBABILITY = 1e-7
NAMES = ("hit_at_1", "hit_at_3", "f1_macro", "map", "log_loss", "calibration_error")


# Of each label by itself.
LABEL_NAMES = ("recall", "f1", "average_precision")


def weighted_scores(
    labels: np.ndarray,
    probabilities: np.ndarray,
    weights: np.ndarray,
    *,
    multi_label: bool,
    of_labels: Mapping[str, np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
    """All scores of NAMES, each float64 [resamples].

    Labels without an example are left out of `f1_macro` and `map`.

    Args:
        of_labels: what `label_scores` gives of the same, where that is known already.
    """
    if of_labels is None:
        of_labels = label_scores(labels, probabilities, weights, multi_label=multi_label)
    probabilities = probabilities.astype(np.float64)
    return {
        "hit_at_1": hit_at(1, labels, probabilities, weights),
        "hit_at_3": hit_at(HIT_PLACES, labels, probabilities, weights),
        "f1_macro": _mean_of_numbers(of_labels["f1"]),
        "map": _mean_of_numbers(of_labels["average_precision"]),
        "log_loss": log_loss(labels, probabilities, weights, multi_label=multi_label),
        "calibration_error": calibration_error(labels, probabilities, weights, multi_label=multi_label),
    }


def label_scores(
    labels: np.ndarray, probabilities: np.ndarray, weights: np.ndarray, *, multi_label: bool
) -> dict[str, np.ndarray]:
    """The scores of LABEL_NAMES, each float64 [resamples, labels]; NaN for a label without an example."""
    probabilities = probabilities.astype(np.float64)
    decided = decisions(probabilities, multi_label=multi_label)
    return {
        "recall": recall(labels, decided, weights),
        "f1": f1(labels, decided, weights),
        "average_precision": average_precision(labels, probabilities, weights),
    }


def decisions(probabilities: np.ndarray, *, multi_label: bool) -> np.ndarray:
    """bool [n, labels]: the most probable label; multi-label: all of probability 0.5 or more, maybe none."""
    if multi_label:
        return probabilities >= DECISION_THRESHOLD
    return np.argmax(probabilities, axis=1)[:, None] == np.arange(probabilities.shape[1])


def hit_at(k: int, labels: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Share of rows with a true label among the k most probable; of equally probable ones the first counts."""
    # The most probable true label's place is counted, not sorted for: with hundreds of labels that is what costs.
    true = labels > 0
    best = np.where(true, probabilities, -np.inf).argmax(axis=1)[:, np.newaxis]
    of_best = np.take_along_axis(probabilities, best, axis=1)
    earlier = np.arange(labels.shape[1]) < best
    place = ((probabilities > of_best) | ((probabilities == of_best) & earlier)).sum(axis=1)
    return weights @ ((place < k) & true.any(axis=1)) / weights.sum(axis=1)


def recall(labels: np.ndarray, decided: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Share of the rows that bear a label which are predicted as it, [resamples, labels]."""
    return _divided(weights @ (decided * labels), weights @ labels)


def f1(labels: np.ndarray, decided: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """F1 of each label, [resamples, labels]; NaN for a label without an example."""
    true_positives = weights @ (decided * labels)
    actual = weights @ labels
    denominator = weights @ decided + actual
    return _divided(2 * true_positives, np.where(actual > 0, denominator, 0))


def average_precision(labels: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average precision of each label, [resamples, labels]: precision times step in recall, over thresholds.

    Rows with equal probability enter together, as in scikit-learn. NaN for a label without an example.
    """
    result = np.full((labels.shape[1], len(weights)), np.nan)
    by_row = np.ascontiguousarray(weights.T)
    for label in range(labels.shape[1]):
        # Precision is wanted at the thresholds at which a true row enters, in falling order; of the rows below the
        # last of them nothing is.
        thresholds = np.unique(probabilities[labels[:, label] > 0, label])[::-1]
        if not len(thresholds):
            continue
        entering = np.searchsorted(-thresholds, -probabilities[:, label])
        rows = np.argsort(entering, kind="stable")[: np.count_nonzero(entering < len(thresholds))]
        first = np.searchsorted(entering[rows], np.arange(len(thresholds)))
        everything = np.add.reduceat(by_row[rows], first, axis=0)
        true_rows = rows[labels[rows, label] > 0]
        positive = np.add.reduceat(
            by_row[true_rows], np.searchsorted(entering[true_rows], np.arange(len(thresholds))), axis=0
        )
        found = np.cumsum(positive, axis=0)
        precision = _divided(found, np.cumsum(everything, axis=0), 0.0)
        result[label] = _divided((positive * precision).sum(axis=0), found[-1])
    return result.T


def log_loss(
    labels: np.ndarray, probabilities: np.ndarray, weights: np.ndarray, *, multi_label: bool
) -> np.ndarray:
    """Mean of -ln of the true label's probability; multi-label: binary cross-entropy, mean over labels, nats."""
    clipped = np.clip(probabilities, _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY)
    if multi_label:
        losses = -(labels * np.log(clipped) + (1 - labels) * np.log(1 - clipped)).mean(axis=1)
    else:
        losses = -(labels * np.log(clipped)).sum(axis=1)
    return weights @ losses / weights.sum(axis=1)


def _divided(numerator: np.ndarray, denominator: np.ndarray, otherwise: float = np.nan) -> np.ndarray:
    filled = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), otherwise)
    return np.divide(numerator, denominator, out=filled, where=denominator > 0)


def _mean_of_numbers(values: np.ndarray) -> np.ndarray:
    """Mean over the labels that have a value, [resamples]."""
    known = ~np.isnan(values)
    return _divided(np.where(known, values, 0.0).sum(axis=1), known.sum(axis=1).astype(float))
