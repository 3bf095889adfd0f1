"""The labels of an evaluation as rows of a table, the one that is recognised worst first."""

from collections.abc import Mapping, Sequence
from typing import Any

from trainer.audit.result import SYSTEMS
from trainer.evaluation.label_words import worst_first
from trainer.models.build import MODALITIES

Row = list[str]
_SCORES = {"precision": "precision", "recall": "recall", "f1": "f1"}
NOTHING = "-"


def label_rows(metrics: Mapping[str, Any], *, multi_label: bool) -> tuple[Row, list[Row]]:
    """Head and rows: scores of each label by recording, with what it is taken for where it has one label each.

    Args:
        metrics: by recording, as `metrics.compute_metrics` gives them; those of older versions too.
        multi_label: whether recordings may bear several labels.
    """
    head = ["label", "recordings", *_SCORES.values(), "avg precision", "calibration"]
    rows = []
    for name in worst_first(metrics["per_label"]):
        values = metrics["per_label"][name]
        cells = [_number(values[score]) for score in _SCORES]
        average, calibration = average_precision_cell(values), _number(values["calibration_error"])
        row = [name, str(values["count"]), *cells, average, calibration]
        rows.append(row if multi_label else [*row, taken_for_cell(values)])
    return (head if multi_label else [*head, "taken for"]), rows


def alone_per_label(
    audit: Mapping[str, Any] | None, stages: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Mapping[str, Any]]]:
    """What stands for each modality alone: system (`trainer.audit.result.SYSTEMS`) to label to its scores.

    Args:
        audit: as in audit.json; None: there is none.
        stages: `audio` and `visual` to their metrics by recording, of an independent run.

    Returns:
        The audit's, else the stages'; empty where neither knows both modalities.
    """
    if audit and audit.get("per_label") and audit["single"]:
        return {system: audit["per_label"][system] for system in audit["single"].values()}
    modalities = MODALITIES["joint"]
    if all(modality in stages for modality in modalities):
        return {f"{modality}_alone": stages[modality]["per_label"] for modality in modalities}
    return {}


def alone_rows(
    metrics: Mapping[str, Any], alone: Mapping[str, Mapping[str, Mapping[str, Any]]], *, multi_label: bool
) -> tuple[Row, list[Row]]:
    """Head and rows: recall, average precision and what it is taken for by each modality alone, for each label.

    Args:
        metrics: of the whole, by recording; decides the order.
        alone: what `alone_per_label` gives, not empty.
        multi_label: whether recordings may bear several labels: then nothing is taken for another label.
    """
    head = ["label"]
    for system in alone:
        head += [f"{SYSTEMS[system]}: recall", "avg precision", *([] if multi_label else ["taken for"])]
    rows = []
    for name in worst_first(metrics["per_label"]):
        row = [name]
        for per_label in alone.values():
            values = per_label[name]
            row += [_number(values["recall"]), _number(values["average_precision"])]
            row += [] if multi_label else [taken_for_cell(values)]
        rows.append(row)
    return head, rows


def average_precision_cell(values: Mapping[str, Any]) -> str:
    """A label's average precision with its interval."""
    text, intervals = _number(values["average_precision"]), values.get("intervals")
    if not intervals:
        return text
    interval = intervals["average_precision"]
    return f"{text} ({interval['low']:.3f} to {interval['high']:.3f})"


def taken_for_cell(values: Mapping[str, Any]) -> str:
    """The most frequent wrong label and how often it was that."""
    wrong = values.get("taken_for")
    return f"{wrong['label']} {wrong['count']}" if wrong else NOTHING


def lines(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table for the terminal: columns as wide as their widest cell, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    cells = (zip(row, widths, strict=True) for row in (head, *rows))
    return ["  ".join(f"{cell:<{width}}" for cell, width in row).rstrip() for row in cells]


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3f}"
