"""The metrics of a set of predictions, each with a 95 % bootstrap interval over recordings."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainer.evaluation.bootstrap import INTERVAL, resamples
from trainer.evaluation.calibration import reliability
from trainer.evaluation.label_metrics import confusion, per_label
from trainer.evaluation.predictions import Predictions
from trainer.evaluation.scores import LABEL_NAMES, NAMES, label_scores, weighted_scores


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
        `log_loss` (nats), `calibration_error`: each `{"value", "low", "high"}`; `per_label`: see
        `label_metrics.per_label`; `labels`: the label names in the order of `confusion`; `confusion`: see
        `label_metrics.confusion`; `reliability`: see `calibration.reliability`; `count`: number
        of rows.
    """
    labels, probabilities = predictions.labels, predictions.probabilities
    count = len(labels)
    values = weighted_scores(labels, probabilities, np.ones((1, count)), multi_label=multi_label)
    resampled, of_labels = _bootstrap(predictions, multi_label=multi_label, seed=seed)
    result: dict[str, Any] = {name: _with_interval(name, values[name][0], resampled[name]) for name in NAMES}
    result["per_label"] = per_label(labels, probabilities, label_names, of_labels, multi_label=multi_label)
    result["labels"] = list(label_names)
    result["confusion"] = confusion(labels, probabilities, multi_label=multi_label).tolist()
    result["reliability"] = reliability(labels, probabilities, multi_label=multi_label)
    result["count"] = count
    return result


def _with_interval(name: str, value: float, resampled: np.ndarray) -> dict[str, float]:
    if name == "calibration_error":
        # A sum of absolute values: the noise that drawing adds can only raise it. Taken off as a whole, for else
        # the value of a well calibrated model lies below its own interval.
        resampled = np.clip(resampled - resampled.mean() + value, 0, 1)
    low, high = np.nanpercentile(resampled, INTERVAL)
    return {"value": float(value), "low": float(low), "high": float(high)}


def _bootstrap(
    predictions: Predictions, *, multi_label: bool, seed: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Score to float64 [resamples]; score to float64 [resamples, labels] of each label by itself."""
    labels, probabilities = predictions.labels, predictions.probabilities
    _, recording = np.unique(predictions.video_ids, return_inverse=True)
    chunks, of_labels = [], []
    for times_drawn in resamples(int(recording.max()) + 1, seed):
        weights = times_drawn[:, recording]
        of_labels.append(label_scores(labels, probabilities, weights, multi_label=multi_label))
        chunks.append(
            weighted_scores(labels, probabilities, weights, multi_label=multi_label, of_labels=of_labels[-1])
        )
    return (
        {name: np.concatenate([chunk[name] for chunk in chunks]) for name in NAMES},
        {name: np.concatenate([chunk[name] for chunk in of_labels]) for name in LABEL_NAMES},
    )
