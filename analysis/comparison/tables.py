"""The comparison of two runs as JSON and as a table in Markdown."""

import math
from typing import Any

from analysis.comparison.result import ComparedRun, Comparison, LabelComparison
from analysis.comparison.words import SCOPE, comparison_sentences, signed
from analysis.correlations.alignment import alignment_json
from trainer.audit.measures import Interval


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """What `comparison.json` holds; null where something is not defined."""
    return {
        "this": _run(comparison.this),
        "other": _run(comparison.other),
        "difference": "this minus other; intervals of 95 % by a bootstrap over recordings, the same in both runs",
        "findings": [*comparison_sentences(comparison), SCOPE],
        "overall": _label(comparison.overall) if comparison.overall else None,
        "labels": {one.label: _label(one) for one in comparison.labels},
        "skipped": dict(comparison.skipped),
    }


def comparison_markdown(comparison: Comparison) -> str:
    """Markdown: a row a label and one for their mean, mean |rho| across of both runs and the difference."""
    this, other = comparison.this.title, comparison.other.title
    lines = [
        f"| label | recordings | {this} | {other} | difference | by chance, {this} | by chance, {other} |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in rows_of(comparison):
        across, chance = one.blocks["across"], one.chance
        cells = [
            one.label or "mean over labels",
            str(one.recordings),
            _text(across.this),
            _text(across.other),
            signed(across.difference),
            _text(chance[0].value),
            _text(chance[1].value),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def rows_of(comparison: Comparison) -> list[LabelComparison]:
    """The labels, then their mean; empty where no label could be compared."""
    return [*comparison.labels, comparison.overall] if comparison.overall else []


def _run(run: ComparedRun) -> dict[str, Any]:
    return {"name": run.name, "scheme": run.scheme, "alignment": alignment_json(run.alignment)}


def _label(one: LabelComparison) -> dict[str, Any]:
    values: dict[str, Any] = {"recordings": one.recordings}
    for title, block in (("audio_audio", "audio"), ("visual_visual", "visual"), ("audio_visual", "across")):
        contrast = one.blocks[block]
        values[title] = {
            "this": _rounded(contrast.this),
            "other": _rounded(contrast.other),
            "difference": _interval(contrast.difference),
        }
    sides = ("this", "other")
    values["chance"] = {side: _interval(band) for side, band in zip(sides, one.chance, strict=True)}
    values["p_value"] = {side: _rounded(value) for side, value in zip(sides, one.p_values, strict=True)}
    values["above_chance"] = {side: _rounded(value) for side, value in zip(sides, one.excess, strict=True)}
    return values


def _text(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "–"


def _interval(interval: Interval) -> dict[str, float | None]:
    return {name: _rounded(value) for name, value in interval._asdict().items()}


def _rounded(value: float) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None
