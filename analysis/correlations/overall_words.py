"""The study's one finding on the two modalities, and what their features as a whole share beyond the label."""

import math
from collections.abc import Sequence

from analysis.correlations.alignment import MEASURES, Alignment
from analysis.correlations.overall import Overall
from analysis.correlations.spearman import MeanAbsolute
from avinst.counting import counted

_LEVEL = 0.05
_PAPER = "Slizovskaia et al. found under independent training"


def finding(result: Overall, related: Sequence[str], *, multi_label: bool) -> str:
    """Whether the paper's finding is seen: features related within each modality, and not across.

    Args:
        result: the means over labels.
        related: the labels whose features are related across modalities after correction over the labels.
        multi_label: recordings bear several labels, so that the means' own p-value does not hold.
    """
    within = {"audio": result.within_audio, "vision": result.within_visual}
    measured = {name: mean for name, mean in within.items() if math.isfinite(mean.value)}
    unbound = [name for name, mean in measured.items() if not result.within_beyond_chance(mean)]
    across = bool(related) if multi_label else result.across_beyond_chance
    if unbound or not measured:
        lead = f"Within {' or '.join(unbound) or 'a modality'} features do not measurably move together"
        lead += ", across modalities they do" if across else ", and neither do they across modalities"
    elif across:
        lead = f"Features move together within each modality, and also across modalities, unlike what {_PAPER}"
    else:
        lead = f"Features move together within each modality, and not measurably across modalities, as {_PAPER}"
    inside = " and ".join(f"{_with_interval(mean)} within {name}" for name, mean in measured.items())
    chance = result.by_chance
    text = (
        f"{lead}: mean |rho| is {inside}, {_with_interval(result.across)} across; unrelated features give "
        f"{chance.value:.2f}"
    )
    if not multi_label:
        text += f" ({chance.low:.2f} to {chance.high:.2f}; one-sided p = {result.p_value:.2g} across)"
    return f"{text}, averaged over {counted(result.labels, 'label')}."


def alignment_sentence(found: Sequence[Alignment]) -> str:
    """What all features together share: over all recordings the label shows, within labels what is beyond it.

    Each value stands beside the band of its null: within labels chance alone may give much more, or less, than 0.
    A measure is called beyond chance where its p-value times the number of measures is at most 0.05.
    """
    found = [one for one in found if math.isfinite(one.value) and math.isfinite(one.by_label.p_value)]
    if not found:
        return ""
    more = [one for one in found if one.by_label.p_value * len(found) <= _LEVEL]
    whole = "; ".join(
        f"{MEASURES[one.measure]} {one.value:.2f} (the label alone: {one.by_label.low:.2f} to "
        f"{one.by_label.high:.2f})"
        for one in found
    )
    inside = [one for one in found if math.isfinite(one.within_value)]
    p_values = [min(1.0, one.within_by_chance.p_value * len(inside)) for one in inside]
    beyond = [one for one, p_value in zip(inside, p_values, strict=True) if p_value <= _LEVEL]
    shares = "something" if more or beyond else "nothing measurable"
    text = (
        f"Beyond the label, all audio features together share {shares} with all visual ones. Over all recordings, "
        f"where the label makes both modalities alike: {whole}; {_names(more) or 'none'} beyond that."
    )
    if not inside:
        return f"{text} Within labels there are too few recordings to tell."
    values = "; ".join(
        f"{MEASURES[one.measure]} {one.within_value:.2f} (chance: {one.within_by_chance.low:.2f} to "
        f"{one.within_by_chance.high:.2f}, corrected p = {p_value:.2g})"
        for one, p_value in zip(inside, p_values, strict=True)
    )
    return f"{text} Within labels: {values}; {_names(beyond) or 'none'} beyond it."


def _names(found: Sequence[Alignment]) -> str:
    return " and ".join(MEASURES[one.measure] for one in found)


def _with_interval(mean: MeanAbsolute) -> str:
    return f"{mean.value:.2f} [{mean.low:.2f}, {mean.high:.2f}]"
