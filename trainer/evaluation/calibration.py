"""Calibration: whether a label is there as often as its probability says."""

from typing import Any

import numpy as np

BINS = 15
# Bounds the memory: each takes 120 bytes a row.
_LABELS_AT_ONCE = 16


def calibration_error(
    labels: np.ndarray, probabilities: np.ndarray, weights: np.ndarray, *, multi_label: bool
) -> np.ndarray:
    """Expected calibration error over 15 equal bins of probability, 0 to 1; arguments as in `scores`.

    One label a row: of the most probable label (Guo et al., "On calibration of modern neural networks", arXiv
    1706.04599). Several: the mean over labels of each label's own error (Nixon et al., "Measuring calibration in
    deep learning", arXiv 1904.01685), because there is no one answer whose certainty could be judged.

    Returns:
        float64 [resamples].
    """
    if multi_label:
        return label_calibration_errors(labels, probabilities, weights).mean(axis=1)
    confidence, correct = _judged(labels, probabilities, multi_label=False)
    return _expected_gaps(confidence[:, np.newaxis], correct[:, np.newaxis], weights)[:, 0]


def label_calibration_errors(labels: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Each label's probability against the share of rows that bear it, float64 [resamples, labels]."""
    count = labels.shape[1]
    starts = range(0, count, _LABELS_AT_ONCE)
    blocks = [slice(start, min(start + _LABELS_AT_ONCE, count)) for start in starts]
    return np.concatenate(
        [_expected_gaps(probabilities[:, block], labels[:, block] > 0, weights) for block in blocks], axis=1
    )


def reliability(labels: np.ndarray, probabilities: np.ndarray, *, multi_label: bool) -> dict[str, list[Any]]:
    """The bins of a reliability diagram, from the lowest probability to the highest.

    One label a row: over the rows, of the most probable label. Several: over all pairs of a row and a label.

    Args:
        labels: [n, labels], multi-hot.
        probabilities: [n, labels].
        multi_label: whether rows may bear several labels.

    Returns:
        `count`, numbers of answers; `confidence`, their mean probability, and `accuracy`, the share of them that
        was true, both None in an empty bin. Bin i holds the probabilities in (i / 15, (i + 1) / 15]; 0 is in the
        first.
    """
    confidence, correct = _judged(labels, probabilities, multi_label=multi_label)
    bins = _bin_of(confidence)
    count = np.bincount(bins, minlength=BINS)
    sums = [np.bincount(bins, weights=values, minlength=BINS) for values in (confidence, correct)]
    means = [
        [float(total / number) if number else None for total, number in zip(values, count, strict=True)]
        for values in sums
    ]
    return {"count": count.tolist(), "confidence": means[0], "accuracy": means[1]}


def _judged(labels: np.ndarray, probabilities: np.ndarray, *, multi_label: bool) -> tuple[np.ndarray, np.ndarray]:
    """The answers that are judged: their probability, float64 [answers], and whether they were true, bool."""
    probabilities = probabilities.astype(np.float64)
    if multi_label:
        return probabilities.ravel(), labels.ravel() > 0
    rows, top = np.arange(len(labels)), np.argmax(probabilities, axis=1)
    return probabilities[rows, top], labels[rows, top] > 0


def _expected_gaps(confidence: np.ndarray, correct: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """float64 [resamples, columns] of float and bool [n, columns]."""
    rows, columns = confidence.shape
    of_bin = np.zeros((rows, columns, BINS))
    places = (np.arange(rows)[:, np.newaxis], np.arange(columns), _bin_of(confidence))
    of_bin[places] = correct - confidence.astype(np.float64)
    gaps = np.abs(weights @ of_bin.reshape(rows, columns * BINS)).reshape(len(weights), columns, BINS)
    return gaps.sum(axis=2) / weights.sum(axis=1, keepdims=True)


def _bin_of(confidence: np.ndarray) -> np.ndarray:
    return np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
