"""The metrics of each label by itself: scores with intervals, what it is taken for, how often it is the worst."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_fscore_support

from trainer.evaluation.bootstrap import INTERVAL
from trainer.evaluation.calibration import label_calibration_errors
from trainer.evaluation.scores import decisions, label_scores


def per_label(
    labels: np.ndarray,
    probabilities: np.ndarray,
    label_names: Sequence[str],
    drawn: Mapping[str, np.ndarray],
    *,
    multi_label: bool,
) -> dict[str, dict[str, Any]]:
    """What `metrics.json` holds of each label.

    Args:
        labels: float32 [n, labels], multi-hot.
        probabilities: [n, labels].
        label_names: in the order of the columns.
        drawn: what `trainer.evaluation.scores.label_scores` gives of the bootstrap's draws.
        multi_label: whether rows may bear several labels.

    Returns:
        Label to `precision`, `recall`, `f1`, `average_precision`, `calibration_error`, `count`; `intervals`, the
        `{"low", "high"}` of recall, f1 and average_precision; `taken_for`, see `taken_for`; `worst_in_draws`, the
        share of draws in which its average precision is the lowest of all. Of a label without an example all but
        `calibration_error` and `count` are None.
    """
    decided = decisions(probabilities, multi_label=multi_label)
    precision, recall, f1, count = precision_recall_fscore_support(
        labels > 0, decided, average=None, zero_division=0.0
    )
    (calibration,) = label_calibration_errors(labels, probabilities, np.ones((1, len(labels))))
    wrong = taken_for(confusion(labels, probabilities, multi_label=multi_label), label_names)
    worst = lowest_shares(drawn["average_precision"])
    result: dict[str, dict[str, Any]] = {}
    for index, name in enumerate(label_names):
        found: dict[str, Any] = {
            "precision": None,
            "recall": None,
            "f1": None,
            "average_precision": None,
            "calibration_error": float(calibration[index]),
            "count": int(count[index]),
            "intervals": None,
            "taken_for": None,
            "worst_in_draws": None,
        }
        if count[index]:
            found |= {
                "precision": float(precision[index]),
                "recall": float(recall[index]),
                "f1": float(f1[index]),
                "average_precision": float(average_precision_score(labels[:, index] > 0, probabilities[:, index])),
                "intervals": {score: _interval(values[:, index]) for score, values in drawn.items()},
                "taken_for": None if multi_label else wrong[name],
                "worst_in_draws": float(worst[index]),
            }
        result[name] = found
    return result


def system_per_label(
    labels: np.ndarray, probabilities: np.ndarray, label_names: Sequence[str], *, multi_label: bool
) -> dict[str, dict[str, Any]]:
    """What `audit.json` holds of each label for one of the systems that it compares.

    Returns:
        Label to `recall`, `average_precision` (None without an example), `taken_for` and `count`, as `per_label`.
    """
    scores = label_scores(labels, probabilities, np.ones((1, len(labels))), multi_label=multi_label)
    wrong = taken_for(confusion(labels, probabilities, multi_label=multi_label), label_names)
    count = (labels > 0).sum(axis=0)
    return {
        name: {
            "recall": float(scores["recall"][0, index]) if count[index] else None,
            "average_precision": float(scores["average_precision"][0, index]) if count[index] else None,
            "taken_for": None if multi_label else wrong[name],
            "count": int(count[index]),
        }
        for index, name in enumerate(label_names)
    }


def confusion(labels: np.ndarray, probabilities: np.ndarray, *, multi_label: bool) -> np.ndarray:
    """int64 [labels, labels]: rows that bear label i and are predicted as j, the most probable label.

    Multi-label, where every label with a probability of 0.5 or more is predicted, it counts what occurs together:
    a row counts in all cells of its true and its predicted labels, or in none if none is predicted. So a number
    beside the diagonal is no mistake where the row bears both labels.
    """
    decided = decisions(probabilities, multi_label=multi_label)
    return (labels.T @ decided).round().astype(np.int64)


def taken_for(matrix: np.ndarray, label_names: Sequence[str]) -> dict[str, dict[str, Any] | None]:
    """The most frequent wrong label of each label, of rows that bear one label.

    Args:
        matrix: int64 [labels, labels], as `confusion` gives it of such rows.
        label_names: in its order.

    Returns:
        Label to `{"label", "count"}`; None where no row was taken for another label. Of equally frequent wrong
        labels the first counts.
    """
    wrong = matrix - np.diag(np.diag(matrix))
    tops = wrong.argmax(axis=1)
    counts = wrong[np.arange(len(wrong)), tops]
    return {
        name: {"label": label_names[top], "count": int(count)} if count else None
        for name, top, count in zip(label_names, tops, counts, strict=True)
    }


def lowest_shares(values: np.ndarray) -> np.ndarray:
    """In which share of the draws each label has the lowest value.

    Args:
        values: float64 [draws, labels]; NaN: the draw says nothing of the label.

    Returns:
        float64 [labels], of sum 1. Labels that share the lowest value of a draw share the draw.
    """
    values = values[~np.isnan(values).all(axis=1)]
    known = np.where(np.isnan(values), np.inf, values)
    lowest = known == known.min(axis=1, keepdims=True)
    return (lowest / lowest.sum(axis=1, keepdims=True)).mean(axis=0)


def _interval(drawn: np.ndarray) -> dict[str, float]:
    low, high = np.nanpercentile(drawn, INTERVAL)
    return {"low": float(low), "high": float(high)}
