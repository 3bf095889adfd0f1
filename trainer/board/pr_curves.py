"""Precision and recall over all thresholds, for TensorBoard's PR curves."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from sklearn.metrics import average_precision_score
from tensorboard.plugins.pr_curve import metadata

THRESHOLDS = 201


def pr_curve(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """What TensorBoard draws a PR curve from.

    Args:
        labels: bool [n], whether a row bears the label.
        probabilities: float [n].

    Returns:
        float64 [6, 201]: true positives, false positives, true negatives, false negatives, precision, recall,
        where the label is predicted from a probability of i / 200 on. Precision where nothing is predicted is 1,
        and so is recall where no row bears the label.
    """
    thresholds = np.linspace(0, 1, THRESHOLDS)
    true = np.sort(probabilities[labels])
    false = np.sort(probabilities[~labels])
    true_positives = len(true) - np.searchsorted(true, thresholds)
    false_positives = len(false) - np.searchsorted(false, thresholds)
    predicted = true_positives + false_positives
    return np.stack(
        [
            true_positives,
            false_positives,
            len(false) - false_positives,
            len(true) - true_positives,
            np.where(predicted, true_positives / np.maximum(predicted, 1), 1.0),
            true_positives / len(true) if len(true) else np.ones(THRESHOLDS),
        ]
    ).astype(np.float64)


def write_pr_curves(labels: np.ndarray, probabilities: np.ndarray, label_names: Sequence[str]) -> None:
    """Writes the curve of every label that some row bears to the default writer, as `pr_curve/LABEL`.

    Args:
        labels: [n, labels], multi-hot.
        probabilities: float32 [n, labels].
        label_names: in the order of the columns.
    """
    for index, name in enumerate(label_names):
        bears = labels[:, index] > 0
        if not bears.any():
            continue
        average = average_precision_score(bears, probabilities[:, index])
        about = metadata.create_summary_metadata(
            display_name=name,
            description=f"{bears.sum()} of {len(bears)} recordings; average precision {average:.3f}",
            num_thresholds=THRESHOLDS,
        )
        curve = pr_curve(bears, probabilities[:, index]).astype(np.float32)
        tf.summary.write(f"pr_curve/{name}", curve, step=0, metadata=about)
