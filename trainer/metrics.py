"""The metrics of a set of predictions, each with a 95 % bootstrap interval over recordings."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_fscore_support

from trainer.bootstrap import INTERVAL, resamples
from trainer.calibration import label_calibration_errors, reliability
from trainer.predictions import Predictions
from trainer.scores import NAMES, decisions, weighted_scores


def compute_metrics(
    predictions: Predictions, label_names: Sequence[str], *, multi_label: bool, seed: int = 0
) -> dict[str, Any]:
    """What `metrics.json` holds for one level.

    Intervals come of drawing recordings, not segments, with replacement: segments of a recording are alike. A
    draw without any recording of a label leaves it out of `f1_macro` and `map` as the values do, so that their
    intervals say little where a label has fewer than about five recordings.

    Args:
        predictions: of segments or of recordings.
        label_names: in the order of the columns.
        multi_label: whether recordings may bear several labels; decides how labels are predicted.
        seed: of the bootstrap.

    Returns:
        `hit_at_1` (share of rows whose most probable label is a true one), `hit_at_3`, `f1_macro`, `map`,
        `log_loss` (nats), `calibration_error`: each `{"value", "low", "high"}`; `per_label`: label to
        `precision`, `recall`, `f1`, `average_precision`, `calibration_error`, `count`, the first four None for a
        label without an example, which the means leave out too; `confusion`: see `confusion`; `reliability`: see
        `trainer.calibration.reliability`; `count`: number of rows.
    """
    labels, probabilities = predictions.labels, predictions.probabilities
    count = len(labels)
    values = weighted_scores(labels, probabilities, np.ones((1, count)), multi_label=multi_label)
    resampled = _bootstrap(predictions, multi_label=multi_label, seed=seed)
    result: dict[str, Any] = {name: _with_interval(name, values[name][0], resampled[name]) for name in NAMES}
    result["per_label"] = _per_label(labels, probabilities, label_names, multi_label=multi_label)
    result["confusion"] = confusion(labels, probabilities, multi_label=multi_label).tolist()
    result["reliability"] = reliability(labels, probabilities, multi_label=multi_label)
    result["count"] = count
    return result


def confusion(labels: np.ndarray, probabilities: np.ndarray, *, multi_label: bool) -> np.ndarray:
    """int64 [labels, labels]: rows that bear label i and are predicted as j, the most probable label.

    Multi-label, where every label with a probability of 0.5 or more is predicted, it counts what occurs together:
    a row counts in all cells of its true and its predicted labels, or in none if none is predicted. So a number
    beside the diagonal is no mistake where the row bears both labels.
    """
    decided = decisions(probabilities, multi_label=multi_label)
    return (labels.T @ decided).round().astype(np.int64)


def _with_interval(name: str, value: float, resampled: np.ndarray) -> dict[str, float]:
    if name == "calibration_error":
        # A sum of absolute values: the noise that drawing adds can only raise it. Taken off as a whole, for else
        # the value of a well calibrated model lies below its own interval.
        resampled = np.clip(resampled - resampled.mean() + value, 0, 1)
    low, high = np.nanpercentile(resampled, INTERVAL)
    return {"value": float(value), "low": float(low), "high": float(high)}


def _bootstrap(predictions: Predictions, *, multi_label: bool, seed: int) -> dict[str, np.ndarray]:
    _, recording = np.unique(predictions.video_ids, return_inverse=True)
    chunks = [
        weighted_scores(
            predictions.labels, predictions.probabilities, times_drawn[:, recording], multi_label=multi_label
        )
        for times_drawn in resamples(int(recording.max()) + 1, seed)
    ]
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in NAMES}


def _per_label(
    labels: np.ndarray, probabilities: np.ndarray, label_names: Sequence[str], *, multi_label: bool
) -> dict[str, dict[str, float | int | None]]:
    decided = decisions(probabilities, multi_label=multi_label)
    precision, recall, f1, count = precision_recall_fscore_support(
        labels > 0, decided, average=None, zero_division=0.0
    )
    (calibration,) = label_calibration_errors(labels, probabilities, np.ones((1, len(labels))))
    result: dict[str, dict[str, float | int | None]] = {}
    for index, name in enumerate(label_names):
        present = bool(count[index])
        average = average_precision_score(labels[:, index] > 0, probabilities[:, index]) if present else None
        result[name] = {
            "precision": float(precision[index]) if present else None,
            "recall": float(recall[index]) if present else None,
            "f1": float(f1[index]) if present else None,
            "average_precision": None if average is None else float(average),
            "calibration_error": float(calibration[index]),
            "count": int(count[index]),
        }
    return result
