"""The labels in the report: which is recognised worst, what it is taken for, what each modality makes of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.figures import png_bytes
from analysis.pictures import Picture
from analysis.report.markup import Markup, element, joined, table
from analysis.report.pictures import figure
from analysis.run_record import RunRecord
from trainer.evaluation.figures import confusion_figure
from trainer.evaluation.label_tables import alone_per_label, alone_rows, label_rows
from trainer.evaluation.label_words import worst_sentences
from trainer.remedies import MODALITIES


def worst_label(record: RunRecord) -> str:
    """Which label is recognised worst, what it is taken for and how sure that is; empty if not measured."""
    metrics = _of_recordings(record)
    return " ".join(worst_sentences(metrics, _alone(record))) if metrics else ""


def label_tables(record: RunRecord, links: Mapping[str, str], split: str, *, multi_label: bool) -> Markup:
    """The labels by recording, worst first, what each modality alone makes of them, and the confusion matrix.

    Args:
        record: the run's scores.
        links: label to the id of its section.
        split: the measured one.
        multi_label: whether recordings may bear several labels.
    """
    metrics = _of_recordings(record)
    if not metrics:
        return Markup("")
    head, rows = label_rows(metrics, multi_label=multi_label)
    caption = f"Labels by recording, {split} split, worst average precision first; in brackets 95 % intervals"
    parts = [table(["", *head[1:]], _linked(rows, links), caption, "numbers")]
    alone = _alone(record)
    if alone:
        head, rows = alone_rows(metrics, alone, multi_label=multi_label)
        parts.append(table(["", *head[1:]], _linked(rows, links), "The same by each modality alone", "numbers"))
    if "confusion" in metrics:
        text = "Confusion matrix by recording, each row coloured by its share of the recordings with the label."
        png = png_bytes(confusion_figure(metrics, multi_label=multi_label))
        picture = Picture("evaluation/confusion", "", png, text)
        parts += [element("p", text, class_="caption"), figure([picture], "overview")]
    return joined(*parts)


def _of_recordings(record: RunRecord) -> Mapping[str, Any] | None:
    """The run's own metrics, where they hold the labels."""
    metrics = record.scores.get(f"{record.scheme} (this run)", {}).get("recording", {})
    return metrics if metrics.get("per_label") else None


def _alone(record: RunRecord) -> dict[str, Mapping[str, Mapping[str, Any]]]:
    stages = {modality: record.scores.get(f"{modality} alone", {}).get("recording", {}) for modality in MODALITIES}
    return alone_per_label(record.audit, {name: found for name, found in stages.items() if found.get("per_label")})


def _linked(rows: Sequence[Sequence[str]], links: Mapping[str, str]) -> list[list[str]]:
    return [
        [element("a", name, href=f"#{links[name]}") if name in links else name, *cells] for name, *cells in rows
    ]
