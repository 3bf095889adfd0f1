"""An evaluation as figures: the confusion matrix and the reliability diagram."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from trainer.evaluation.calibration import BINS
from trainer.evaluation.scores import DECISION_THRESHOLD

# A matrix of more labels has no numbers in its cells, and cells so small that it stays below this side.
_LABELS_WITH_NUMBERS = 30
_LARGEST_SIDE_INCHES = 16.0
_BAR, _LINE, _MUTED = "#0072B2", "#374151", "#9ca3af"


def confusion_figure(metrics: Mapping[str, Any], *, multi_label: bool = False) -> Figure:
    """The confusion matrix of one level, each row coloured by its share of the rows that bear the label.

    Args:
        metrics: as `trainer.evaluation.metrics.compute_metrics` gives them.
        multi_label: whether it counts what occurs together instead of mistakes; the title says so.
    """
    matrix, labels = np.array(metrics["confusion"]), list(metrics["per_label"])
    bearing = np.array([values["count"] for values in metrics["per_label"].values()])
    cell = min(0.45, _LARGEST_SIDE_INCHES / len(labels))
    side = 2.7 + cell * len(labels)
    figure = Figure(figsize=(side, side + 0.5), layout="constrained")
    axis = figure.subplots()
    shares = matrix / np.maximum(bearing, 1)[:, None]
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if len(labels) <= _LABELS_WITH_NUMBERS:
        for row, column in np.ndindex(*matrix.shape):
            if matrix[row, column]:
                colour = "white" if shares[row, column] > 0.5 else "black"
                axis.text(
                    column, row, str(matrix[row, column]), ha="center", va="center", color=colour, fontsize=8
                )
    type_size = min(10.0, 72 * cell * 0.8)
    axis.set_xticks(range(len(labels)), labels, rotation=90, fontsize=type_size)
    axis.set_yticks(range(len(labels)), labels, fontsize=type_size)
    axis.set_ylabel("true label")
    if multi_label:
        axis.set_xlabel(f"predicted label (probability {DECISION_THRESHOLD:g} or more)")
        axis.set_title("What occurs together: one recording\ncounts in several cells", fontsize=10)
    else:
        axis.set_xlabel("most probable label")
    return figure


def reliability_figure(metrics: Mapping[str, Any], *, multi_label: bool = False) -> Figure:
    """The reliability diagram of one level: how often it was true against how probable it was said to be.

    Args:
        metrics: as `trainer.evaluation.metrics.compute_metrics` gives them.
        multi_label: whether all labels are judged, or the most probable one of each row.
    """
    bins = metrics["reliability"]
    edges = np.arange(BINS + 1) / BINS
    count = np.array(bins["count"])
    filled = np.flatnonzero(count)
    accuracy = _numbers(bins["accuracy"])[filled]
    figure = Figure(figsize=(5.0, 6.0), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    upper.bar(edges[filled], accuracy, width=1 / BINS, align="edge", color=_BAR, edgecolor="white")
    upper.plot([0, 1], [0, 1], color=_LINE, linewidth=1, linestyle="--", label="perfectly calibrated")
    # The standard error of a share; over the mean probability of the bin.
    error = np.sqrt(accuracy * (1 - accuracy) / count[filled])
    upper.errorbar(
        _numbers(bins["confidence"])[filled],
        accuracy,
        error,
        fmt="o",
        color=_LINE,
        markersize=4,
        elinewidth=1,
        label="at the mean probability of a bin,\nwith standard error",
    )
    if multi_label:
        judged, error_of = "every label of every recording", "calibration error, mean over labels"
    else:
        judged, error_of = "the most probable label of each recording", "calibration error"
    upper.set(xlim=(0, 1), ylim=(0, 1), ylabel="share that was true")
    upper.set_title(f"{judged}\n{error_of} {metrics['calibration_error']['value']:.3f}", fontsize=10)
    upper.legend(loc="upper left", fontsize=8, frameon=False)
    lower.bar(edges[:-1], count, width=1 / BINS, align="edge", color=_MUTED, edgecolor="white")
    lower.set(xlabel="probability", ylabel="count")
    return figure


def _numbers(values: Sequence[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values])
