"""The report's section on two runs side by side."""

import math
from collections.abc import Mapping, Sequence

from analysis.comparison.result import Comparison, Contrast, LabelComparison
from analysis.comparison.tables import rows_of
from analysis.comparison.words import SCOPE, comparison_sentences
from analysis.correlations.alignment import MEASURES, Alignment, Chance
from analysis.pictures import Picture
from analysis.report.frame import Section
from analysis.report.markup import Markup, element, joined, paragraph, table
from analysis.report.pictures import figure


def comparison_sections(comparison: Comparison | None, by_tag: Mapping[str, Sequence[Picture]]) -> list[Section]:
    """One section, or none where no other run was given.

    Args:
        comparison: of this run with another one.
        by_tag: figures by their tags.
    """
    if comparison is None:
        return []
    parts = [paragraph(sentence) for sentence in comparison_sentences(comparison)]
    parts.append(paragraph(SCOPE, "note"))
    if "comparison/across" in by_tag:
        parts.append(figure(by_tag["comparison/across"], "overview"))
    if comparison.labels:
        parts += [_across_table(comparison), _within_table(comparison)]
    if comparison.skipped:
        reasons = "; ".join(f"{label}: {reason}" for label, reason in comparison.skipped.items())
        parts.append(paragraph(f"Not compared: {reasons}.", "note"))
    parts.append(_alignment_table(comparison))
    title = f"Does {comparison.this.name} bind the modalities more than {comparison.other.name}?"
    return [Section("comparison", title, joined(*parts))]


def _across_table(comparison: Comparison) -> Markup:
    rows: list[list[str]] = [
        [
            _name(one),
            *(
                _noted(_number(value), _beside_chance(chance.value, above))
                for value, chance, above in zip(_both(one.blocks["across"]), one.chance, one.excess, strict=True)
            ),
            _difference(one.blocks["across"]),
        ]
        for one in rows_of(comparison)
    ]
    caption = "Mean |rho| across modalities in both runs; the difference with its 95 % interval"
    return table(["", *_titles(comparison), "difference"], rows, caption, "scores numbers")


def _within_table(comparison: Comparison) -> Markup:
    rows: list[list[str]] = [
        [
            _name(one),
            *(
                text
                for block in ("audio", "visual")
                for text in (
                    " and ".join(map(_number, _both(one.blocks[block]))),
                    _difference(one.blocks[block]),
                )
            ),
        ]
        for one in rows_of(comparison)
    ]
    caption = f"Mean |rho| within each modality, in {' and '.join(_titles(comparison))}"
    return table(
        ["", "within audio", "difference", "within vision", "difference"], rows, caption, "scores numbers"
    )


def _alignment_table(comparison: Comparison) -> Markup:
    runs = [{found.measure: found for found in run.alignment} for run in (comparison.this, comparison.other)]
    if not all(runs):
        return Markup("")
    rows: list[list[str]] = []
    for measure, name in MEASURES.items():
        both = [found[measure] for found in runs]
        within = [_aligned(one.within_value, one.within_by_chance) for one in both]
        rows.append([f"{name}, within labels", *within])
        rows.append([f"{name}, {_which(both)}", *map(_beside_label, both)])
    caption = (
        "Alignment of all audio with all visual features in both runs; in brackets what shuffled recordings give: "
        "those of one label change places"
    )
    return table(["", *_titles(comparison)], rows, caption, "scores numbers")


def _aligned(value: float, chance: Chance) -> Markup:
    if not math.isfinite(chance.p_value):
        return Markup(_number(value))
    return _noted(_number(value), f"[{_number(chance.low)}, {_number(chance.high)}], p = {chance.p_value:.2g}")


def _beside_label(one: Alignment) -> Markup:
    if _is_told(one):
        return _aligned(one.shared_value, one.by_label)
    value = _number(one.value)
    return (
        _noted(value, "what the label alone gives cannot be told") if math.isfinite(one.value) else Markup(value)
    )


def _which(runs: Sequence[Alignment]) -> str:
    """Which recordings are set beside what the label alone gives: both runs' are the same."""
    for one in filter(_is_told, runs):
        if one.shared_recordings < one.recordings:
            return f"{one.shared_recordings} of {one.recordings} recordings"
    return "all recordings"


def _is_told(one: Alignment) -> bool:
    return math.isfinite(one.by_label.p_value)


def _difference(contrast: Contrast) -> Markup:
    value, low, high = (_number(number, sign="+") for number in contrast.difference)
    return _noted(value, f"[{low}, {high}]")


def _both(contrast: Contrast) -> tuple[float, float]:
    return contrast.this, contrast.other


def _beside_chance(chance: float, above: float) -> str:
    return f"chance {_number(chance)}, {_number(abs(above))} {'below' if above < 0 else 'above'}"


def _number(value: float, sign: str = "") -> str:
    return f"{value:{sign}.3f}" if math.isfinite(value) else "–"


def _noted(value: str, note: str) -> Markup:
    return joined(f"{value} ", element("small", note))


def _titles(comparison: Comparison) -> tuple[str, str]:
    return comparison.this.title, comparison.other.title


def _name(one: LabelComparison) -> str:
    return one.label or "mean over labels"
