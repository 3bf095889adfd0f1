"""Tables of scores in the report: the schemes beside each other, and the modality audit."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from analysis.correlations.alignment import MEASURES, Alignment, Chance
from analysis.report.markup import Markup, element, joined, paragraph, table
from analysis.run_record import RunRecord
from avinst.counting import counted
from trainer.audit.report import told_reasons
from trainer.audit.result import METRIC_TITLES, SYSTEMS
from trainer.evaluation.tables import explanations

_METRICS = {
    "hit_at_1": "Hit@1",
    "hit_at_3": "Hit@3",
    "f1_macro": "F1, macro",
    "map": "mAP",
    "log_loss": "log loss",
    "calibration_error": "calibration error",
}
_EXPLAINED = {"hit_at_1": "Hit@1", "f1": "F1", "log_loss": "log loss", "calibration": "calibration"}
# Width and height of a drawn interval, in pixels.
_WIDTH, _HEIGHT = 160, 16


def schemes(record: RunRecord, split: str, *, multi_label: bool) -> Markup:
    """The scores of the run and of what it is compared with, by recording and by segment, with their intervals."""
    left_out = _left_out(record, split)
    if not record.scores:
        text = f"Not measured on the {split} split yet; this does it, and the next analysis shows it:"
        return joined(left_out, paragraph(text), element("pre", record.evaluate_command))
    tables = []
    for level in ("recording", "segment"):
        rows = [
            [title, *(_measured(values[level].get(name)) for name in _METRICS)]
            for title, values in record.scores.items()
            if level in values
        ]
        if rows:
            tables.append(
                table(["", *_METRICS.values()], rows, f"Scores by {level}, {split} split", "scores numbers")
            )
    notes = (
        "In brackets the 95 % bootstrap interval over recordings. Log loss and calibration error: less is better."
    )
    labels = max(len(values["recording"].get("per_label", ())) for values in record.scores.values())
    meanings = explanations(multi_label=multi_label, labels=labels)
    if "hit_at_3" in meanings:
        notes += f" Hit@3 {meanings['hit_at_3']}."
    if multi_label:
        named = "; ".join(f"{text}: {meanings[name]}" for name, text in _EXPLAINED.items())
        notes += f" Recordings bear several labels. {named}."
    return joined(*tables, paragraph(notes, "note"), left_out)


def _left_out(record: RunRecord, split: str) -> Markup:
    """What is not shown because it was measured on another dataset."""
    if not record.of_another_dataset:
        return Markup("")
    text = (
        f"Left out, for it was last measured on the {split} split of another dataset: "
        f"{', '.join(record.of_another_dataset)}. The avinst evaluate command "
        "at the end of this page measures the run on this one"
    )
    if not record.stages_command:
        return paragraph(f"{text}.")
    return joined(paragraph(f"{text}; this one the run of the stages:"), element("pre", record.stages_command))


def audit(record: RunRecord) -> Markup:
    """Which modality does the work: the verdict in words, then every figure of it."""
    found = record.audit
    if not found:
        if record.scheme in ("audio", "visual"):
            return paragraph(f"The run has one modality, {record.scheme}: there is nothing to compare.")
        return joined(
            paragraph("No audit of this split yet; this makes it, and the next analysis shows it:"),
            element("pre", record.evaluate_command),
        )
    metric = METRIC_TITLES.get(found["metric"], found["metric"])
    scores, absent = found["scores"], found.get("absent", {})
    chance = scores.get("chance", {}).get("value")
    rows: list[list[str]] = []
    told = told_reasons(absent, found.get("verdict", []))
    for name, title in SYSTEMS.items():
        if name in scores:
            rows.append([title, _measured(scores[name]), interval(scores[name], chance)])
        elif name in absent:
            reason = str(absent[name])
            rows.append([title, "–", "" if reason in told else element("span", reason, class_="reason")])
            told.add(reason)
    followed = [
        [f"follows {name}" if name != "neither" else "follows neither", _measured(share), interval(share)]
        for name, share in found.get("follows", {}).items()
    ]
    pieces = [
        element("ul", *(element("li", sentence) for sentence in found.get("verdict", [])), class_="findings"),
        table(
            ["", metric, "0 to 1; the line is chance"], rows, f"{metric} by recording, 95 % intervals", "numbers"
        ),
    ]
    if followed:
        caption = "Audio and picture of recordings with different labels: whose label the model gives"
        pieces.append(table(["", "share", "0 to 1"], followed, caption, "numbers"))
    return joined(*pieces)


def alignment(found: Sequence[Alignment]) -> Markup:
    """How alike the modalities' features are as a whole, over all recordings and within the labels.

    A dash: the value is not defined, as where all recordings have the same features. "cannot be told": there is
    a value, but too few recordings to shuffle within the labels.
    """
    if not found:
        return Markup("")
    rows = [
        [
            MEASURES[measured.measure],
            _number(measured.value),
            _chance(measured.by_chance),
            _by_label(measured),
            _number(measured.within_value),
            _chance(measured.within_by_chance, _untold(measured)),
        ]
        for measured in found
    ]
    head = ["", "all recordings", "by chance", "by the label alone", "labels' means taken off", "by chance"]
    recordings = counted(found[0].recordings, "recording")
    caption = f"Alignment of all audio with all visual features over {recordings}; in brackets the 95 % band"
    return table(head, rows, caption, "scores numbers")


def _chance(chance: Chance, unknown: str = "–") -> Markup:
    if not math.isfinite(chance.p_value):
        return Markup(unknown)
    band = f"[{chance.low:.3f}, {chance.high:.3f}], p = {chance.p_value:.2g}"
    return joined(f"{chance.mean:.3f} ", element("small", band))


def _by_label(measured: Alignment) -> Markup:
    """What the label alone gives; with the value beside it where that is not over all recordings."""
    cell = _chance(measured.by_label, _untold(measured))
    if measured.shared_recordings == measured.recordings or not math.isfinite(measured.by_label.p_value):
        return cell
    some = f"of {measured.shared_recordings} recordings with {measured.shared_value:.3f}: "
    return joined(element("small", some), cell)


def _untold(measured: Alignment) -> str:
    return "cannot be told" if math.isfinite(measured.value) else "–"


def _number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "–"


def interval(cell: Mapping[str, float | None], line: float | None = None) -> Markup:
    """A value from 0 to 1 with its interval, drawn; the numbers stand beside it in the table."""
    value, low, high = (cell.get(name) for name in ("value", "low", "high"))
    if value is None:
        return Markup("")
    parts = [element("line", class_="axis", x1=0, x2=_WIDTH, y1=_HEIGHT // 2, y2=_HEIGHT // 2)]
    if line is not None:
        parts.append(element("line", class_="chance", x1=_x(line), x2=_x(line), y1=0, y2=_HEIGHT))
    if low is not None and high is not None:
        parts.append(element("line", class_="range", x1=_x(low), x2=_x(high), y1=_HEIGHT // 2, y2=_HEIGHT // 2))
    parts.append(element("circle", class_="point", cx=_x(value), cy=_HEIGHT // 2, r=4))
    return element(
        "svg",
        *parts,
        class_="interval",
        viewBox=f"-5 0 {_WIDTH + 10} {_HEIGHT}",
        width=_WIDTH + 10,
        height=_HEIGHT,
        aria_hidden="true",
    )


def _x(value: float) -> str:
    return f"{min(max(value, 0.0), 1.0) * _WIDTH:.1f}"


def _measured(cell: Mapping[str, Any] | None) -> Markup:
    if not cell or cell.get("value") is None:
        return Markup("–")
    text = f"{cell['value']:.3f}"
    if cell.get("low") is None or cell.get("high") is None:
        return Markup(text)
    return joined(text, " ", element("small", f"[{cell['low']:.3f}, {cell['high']:.3f}]"))
