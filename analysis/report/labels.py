"""The labels of the report: for each its matrix, its most important features and its gallery."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from analysis.correlations.label_correlation import block_q_values
from analysis.galleries import GROUPS, Choice
from analysis.maps.gradcam import METHOD_NAMES
from analysis.pictures import Picture
from analysis.report.frame import Section
from analysis.report.gallery import gallery
from analysis.report.markup import Markup, element, joined, paragraph
from analysis.report.matrix import matrix
from analysis.report.pictures import figure
from analysis.sounds import Sound
from analysis.study import Study
from analysis.words import stability_text, verdict
from avinst.counting import counted

_GROUP_TEXTS = {
    "correct": ("Predicted as this label", "From the most to the least probable."),
    "wrong": (
        "Not predicted as this label",
        "From the most to the least probable; first what speaks for the true label, then for the predicted one.",
    ),
    "least_certain": ("Least certain", "Where the model hesitated most, right or wrong."),
}


def label_id(index: int) -> str:
    """What links to a label's section lead to; names may hold what no link can."""
    return f"label-{index}"


def label_sections(
    study: Study,
    by_tag: Mapping[str, Sequence[Picture]],
    sounds: Mapping[Choice, Sound],
    per_label: Mapping[str, Mapping[str, Any]],
) -> list[Section]:
    """A section for each label, in the dataset's order.

    Args:
        study: what was found out.
        by_tag: its figures by their tags.
        sounds: of the segments that are shown.
        per_label: the run's scores of each label by recording, as in metrics.json; empty if not measured.
    """
    q_values = block_q_values(study.correlations)
    return [
        Section(
            label_id(index),
            label,
            joined(
                paragraph(_counts(study, index, label, per_label.get(label))),
                _relation(study, label, q_values),
                _choice(study, label),
                _figures(by_tag, index, label, stability_text(study.importance, label)),
                _mean_maps(by_tag, label),
                _galleries(by_tag, label, sounds, METHOD_NAMES[study.settings.gradcam_method]),
            ),
            within=True,
        )
        for index, label in enumerate(study.features.label_names)
    ]


def _counts(study: Study, index: int, label: str, scores: Mapping[str, Any] | None) -> str:
    count = int(study.features.labels[:, index].sum())
    predicted = study.importance.count[label]
    bearing = f"{counted(count, 'recording')} {'bears' if count == 1 else 'bear'} this label"
    text = f"{bearing.capitalize()}, {predicted or 'none'} {'was' if predicted == 1 else 'were'} predicted as it."
    named = [
        f"{title} {value:.2f}"
        for name, title in (
            ("precision", "precision"),
            ("recall", "recall"),
            ("f1", "F1"),
            ("average_precision", "average precision"),
        )
        if (value := (scores or {}).get(name)) is not None and math.isfinite(value)
    ]
    if not named:
        return text
    wrong = (scores or {}).get("taken_for")
    taken = f"; most often taken for {wrong['label']} ({wrong['count']})" if wrong else ""
    return f"{text} By recording: {', '.join(named)}{taken}."


def _relation(study: Study, label: str, q_values: Mapping[str, float]) -> Markup:
    if label in study.correlations:
        return paragraph(verdict(study.correlations[label], q_values[label]))
    if label in study.skipped:
        return paragraph(f"No correlations: {study.skipped[label]}.")
    return Markup("")


def _choice(study: Study, label: str) -> Markup:
    if label not in study.correlations:
        return Markup("")
    split = study.settings.split
    chosen_on = (
        f"each half of the {split} recordings, for the other half"
        if study.halves
        else f"the {study.settings.selection_split} split"
    )
    return paragraph(
        f"The matrix holds the features that were the most important on {chosen_on} (selection_importance.csv). "
        f"The importance figure is over all of the {split} split: its first features may be others.",
        "note",
    )


def _figures(by_tag: Mapping[str, Sequence[Picture]], index: int, label: str, stability: str) -> Markup:
    matrices, bars = by_tag.get(f"correlation/{label}", ()), by_tag.get(f"importance/{label}", ())
    shown = []
    if matrices:
        shown.append(matrix(matrices, index, label))
    if bars:
        shown.append(figure(bars, "importance", caption=stability))
    return element("div", *shown, class_="figures") if shown else Markup("")


def _mean_maps(by_tag: Mapping[str, Sequence[Picture]], label: str) -> Markup:
    shown = by_tag.get(f"gradcam/{label}/mean")
    return joined(element("h4", "Mean maps of its recordings"), figure(shown, "overview")) if shown else Markup("")


def _galleries(
    by_tag: Mapping[str, Sequence[Picture]], label: str, sounds: Mapping[Choice, Sound], method: str
) -> Markup:
    parts = []
    for group in GROUPS:
        kinds = [pictures for tag, pictures in by_tag.items() if tag.startswith(f"gradcam/{label}/{group}/")]
        # What one label is explained by in sound and picture stands together, then the next label's.
        together = itertools.chain.from_iterable(itertools.zip_longest(*kinds))
        shown = [picture for picture in together if picture is not None]
        if shown:
            title, text = _GROUP_TEXTS[group]
            parts += [element("h5", title), paragraph(text, "note"), gallery(shown, sounds)]
    if not parts:
        return Markup("")
    return joined(element("h4", f"Where the evidence lies ({method})"), *parts)
