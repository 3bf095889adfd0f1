"""The report's section on two runs side by side."""

from collections.abc import Mapping, Sequence

from analysis.alignment import MEASURES, Alignment
from analysis.artifacts import Picture
from analysis.comparison_result import Comparison, Contrast, LabelComparison
from analysis.comparison_tables import rows_of
from analysis.comparison_words import SCOPE, comparison_sentences
from analysis.markup import Markup, element, joined, paragraph, table
from analysis.report_frame import Section
from analysis.report_pictures import figure


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
            *_contrast(one.blocks["across"]),
            f"{one.chance[0].value:.3f}",
            f"{one.chance[1].value:.3f}",
            f"{one.excess[0]:+.3f}",
            f"{one.excess[1]:+.3f}",
        ]
        for one in rows_of(comparison)
    ]
    this, other = comparison.this.title, comparison.other.title
    pairs = [f"{kind}{name}" for kind in ("by chance, ", "above chance, ") for name in (this, other)]
    caption = "Mean |rho| across modalities in both runs; the difference with its 95 % interval"
    return table(["", this, other, "difference", *pairs], rows, caption, "scores numbers")


def _within_table(comparison: Comparison) -> Markup:
    rows: list[list[str]] = [
        [_name(one), *_contrast(one.blocks["audio"]), *_contrast(one.blocks["visual"])]
        for one in rows_of(comparison)
    ]
    this, other = comparison.this.title, comparison.other.title
    head = [f"{modality}, {column}" for modality in ("audio", "vision") for column in (this, other, "difference")]
    caption = "Mean |rho| within audio and within vision in both runs"
    return table(["", *head], rows, caption, "scores numbers")


def _alignment_table(comparison: Comparison) -> Markup:
    runs = [{found.measure: found for found in run.alignment} for run in (comparison.this, comparison.other)]
    if not all(runs):
        return Markup("")
    rows: list[list[str]] = [
        [
            MEASURES[measure],
            *(_aligned(found[measure]) for found in runs),
            *(f"{r[measure].value:.3f}" for r in runs),
        ]
        for measure in MEASURES
    ]
    this, other = comparison.this.title, comparison.other.title
    head = ["", f"within labels, {this}", f"within labels, {other}", f"all recordings, {this}", other]
    caption = (
        "Alignment of all audio with all visual features in both runs; in brackets what chance gives within labels"
    )
    return table(head, rows, caption, "scores numbers")


def _aligned(found: Alignment) -> Markup:
    chance = found.within_by_chance
    band = f"[{chance.low:.3f}, {chance.high:.3f}], p = {chance.p_value:.2g}"
    return joined(f"{found.within_value:.3f} ", element("small", band))


def _contrast(contrast: Contrast) -> list[str]:
    difference = contrast.difference
    interval = element("small", f"[{difference.low:+.3f}, {difference.high:+.3f}]")
    return [
        f"{contrast.this:.3f}",
        f"{contrast.other:.3f}",
        joined(f"{difference.value:+.3f} ", interval),
    ]


def _name(one: LabelComparison) -> str:
    return one.label or "mean over labels"
