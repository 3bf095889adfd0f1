"""The metrics of a set of predictions, each with a 95 % bootstrap interval over recordings."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_fscore_support

from trainer.predictions import Predictions
from trainer.scores import NAMES, decisions, weighted_scores

RESAMPLES = 1000
_INTERVAL = (2.5, 97.5)
# Resamples that are computed together: bounds the memory to a few times this many weights per row.
_CHUNK = 50


def compute_metrics(
    predictions: Predictions, label_names: Sequence[str], *, multi_label: bool, seed: int = 0
) -> dict[str, Any]:
    """What `metrics.json` holds for one level.

    Intervals come of drawing recordings, not segments, with replacement: segments of a recording are alike.

    Args:
        predictions: of segments or of recordings.
        label_names: in the order of the columns.
        multi_label: whether recordings may bear several labels; decides how labels are predicted.
        seed: of the bootstrap.

    Returns:
        `hit_at_1`, `hit_at_3`, `f1_macro`, `map`, `log_loss` (nats), `calibration_error`: each `{"value", "low",
        "high"}`; `per_label`: label to `precision`, `recall`, `f1`, `average_precision`, `count`, the first
        four None for a label without an example, which the means leave out too; `confusion`: rows are true
        labels, columns the most probable ones, numbers of rows; `count`: number of rows.
    """
    labels, probabilities = predictions.labels, predictions.probabilities
    count = len(labels)
    values = weighted_scores(labels, probabilities, np.ones((1, count)), multi_label=multi_label)
    resampled = _bootstrap(predictions, multi_label=multi_label, seed=seed)
    result: dict[str, Any] = {}
    for name in NAMES:
        low, high = np.nanpercentile(resampled[name], _INTERVAL)
        result[name] = {"value": float(values[name][0]), "low": float(low), "high": float(high)}
    result["per_label"] = _per_label(labels, probabilities, label_names, multi_label=multi_label)
    result["confusion"] = confusion(labels, probabilities).tolist()
    result["count"] = count
    return result


def confusion(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """int64 [labels, labels]: rows that bear label i and whose most probable label is j.

    A row with several labels counts once for each of them.
    """
    top = decisions(probabilities, multi_label=False)
    return (labels.T @ top).round().astype(np.int64)


def _bootstrap(predictions: Predictions, *, multi_label: bool, seed: int) -> dict[str, np.ndarray]:
    _, recording = np.unique(predictions.video_ids, return_inverse=True)
    recordings = int(recording.max()) + 1
    generator = np.random.default_rng(seed)
    chunks = []
    for start in range(0, RESAMPLES, _CHUNK):
        size = min(_CHUNK, RESAMPLES - start)
        times_drawn = generator.multinomial(recordings, np.full(recordings, 1 / recordings), size=size)
        weights = times_drawn[:, recording].astype(np.float64)
        chunks.append(
            weighted_scores(predictions.labels, predictions.probabilities, weights, multi_label=multi_label)
        )
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in NAMES}


def _per_label(
    labels: np.ndarray, probabilities: np.ndarray, label_names: Sequence[str], *, multi_label: bool
) -> dict[str, dict[str, float | int | None]]:
    decided = decisions(probabilities, multi_label=multi_label)
    precision, recall, f1, count = precision_recall_fscore_support(
        labels > 0, decided, average=None, zero_division=0.0
    )
    result: dict[str, dict[str, float | int | None]] = {}
    for index, name in enumerate(label_names):
        present = bool(count[index])
        average = average_precision_score(labels[:, index] > 0, probabilities[:, index]) if present else None
        result[name] = {
            "precision": float(precision[index]) if present else None,
            "recall": float(recall[index]) if present else None,
            "f1": float(f1[index]) if present else None,
            "average_precision": None if average is None else float(average),
            "count": int(count[index]),
        }
    return result
