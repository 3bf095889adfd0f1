"""The study's one finding on the two modalities, and what their features as a whole share beyond the label."""

import math
from collections.abc import Sequence

from analysis.correlations.alignment import MEASURES, MINIMUM_RECORDINGS, Alignment
from analysis.correlations.overall import LabelCount, Overall
from analysis.correlations.resampling import BEYOND_CHANCE
from analysis.correlations.spearman import MeanAbsolute
from avinst.counting import counted

_PAPER = "Slizovskaia et al. found under independent training"
_TOO_FEW_CHANGE_PLACES = (
    f"fewer than {MINIMUM_RECORDINGS} recordings can change places with others of the same labels"
)


def finding(result: Overall) -> str:
    """Whether the paper's finding is seen: features related within each modality, and not across.

    Args:
        result: the means over labels.
    """
    inside = [f"{_with_interval(mean)} within {name}" for name, mean in result.within.items()]
    values = f"{' and '.join(inside)}, " if inside else ""
    chance = result.by_chance
    text = (
        f"{_lead_by_label(result) if result.by_label else _lead(result)}: mean |rho| is {values}"
        f"{_with_interval(result.across)} across; unrelated features give {chance.value:.2f}"
    )
    if math.isfinite(chance.low):
        text += f" ({chance.low:.2f} to {chance.high:.2f}; one-sided p = {result.p_value:.2g} across)"
    return f"{text}, averaged over {counted(result.labels, 'label')}."


def _lead(result: Overall) -> str:
    """What the means say."""
    across, measured = result.across_beyond_chance, list(result.within)
    if not measured:
        return f"Features {'move' if across else 'do not measurably move'} together across modalities"
    unbound = [name for name, mean in result.within.items() if not result.within_beyond_chance(mean)]
    if unbound:
        lead = f"Within {' or '.join(unbound)} features do not measurably move together"
        return f"{lead}, {'across modalities they do' if across else 'and neither do they across modalities'}"
    lead = f"Features move together within {'each modality' if len(measured) > 1 else measured[0]}"
    if across:
        return f"{lead}, and also across modalities, unlike what {_PAPER}"
    return f"{lead}, and not measurably across modalities, as {_PAPER}"


def _lead_by_label(result: Overall) -> str:
    """What the labels say, each by itself, where they share recordings."""
    counts = {name: result.by_label[name] for name in result.within}
    within = " and ".join(f"within {name} for {_of_labels(count)}" for name, count in counts.items())
    across = result.by_label["across"]
    # Where a modality is not related within itself for most labels, the paper's finding is not what is seen.
    seen = bool(counts) and all(2 * count.related > count.judged for count in counts.values())
    how = ("also " if seen else "") if across.related else "measurably "
    within = f"{within}, and " if within else ""
    text = f"Features move together {within}for {_of_labels(across)} {how}across modalities"
    return f"{text}, {'unlike what' if across.related else 'as'} {_PAPER}" if seen else text


def _of_labels(count: LabelCount) -> str:
    return f"{count.related or 'none'} of {counted(count.judged, 'label')}"


def alignment_sentence(found: Sequence[Alignment]) -> str:
    """What all features together share: over all recordings the label shows, within labels what is beyond it.

    Each value stands beside the band of its null: within labels chance alone may give much more, or less, than 0.
    A measure is called beyond chance where its p-value times the number of measures is at most 0.025.
    Where hardly a recording can change places within its label, what the label alone gives cannot be told.
    """
    measured = [one for one in found if math.isfinite(one.value)]
    found = [one for one in measured if math.isfinite(one.by_label.p_value)]
    untold = [one for one in measured if one not in found]
    if not found:
        return _nothing_told(untold) if untold else ""
    more = [one for one in found if one.by_label.p_value * len(found) <= BEYOND_CHANCE]
    whole = "; ".join(
        f"{MEASURES[one.measure]} {one.shared_value:.2f} (the label alone: {one.by_label.low:.2f} to "
        f"{one.by_label.high:.2f}{_of_recordings(one)})"
        for one in found
    )
    inside = [one for one in found if math.isfinite(one.within_value)]
    p_values = [min(1.0, one.within_by_chance.p_value * len(inside)) for one in inside]
    beyond = [one for one, p_value in zip(inside, p_values, strict=True) if p_value <= BEYOND_CHANCE]
    shares = "something" if more or beyond else "nothing measurable"
    everywhere = all(one.shared_recordings == one.recordings for one in found)
    where = "all recordings" if everywhere else "the recordings that share their labels with others"
    text = (
        f"Beyond the label, all audio features together share {shares} with all visual ones. Over {where}, "
        f"where the label makes both modalities alike: {whole}; {_names(more) or 'none'} beyond that."
    )
    if untold:
        # Where others are told this is CCA, of which recordings change places within their fold only.
        within = "within their fold of the cross-validation"
        text += f" For {_names(untold)} it cannot be told: {_TOO_FEW_CHANGE_PLACES} {within}."
    if not inside:
        return f"{text} Within labels there are too few recordings to tell."
    values = "; ".join(
        f"{MEASURES[one.measure]} {one.within_value:.2f} (chance: {one.within_by_chance.low:.2f} to "
        f"{one.within_by_chance.high:.2f}, corrected p = {p_value:.2g})"
        for one, p_value in zip(inside, p_values, strict=True)
    )
    return f"{text} Within labels: {values}; {_names(beyond) or 'none'} beyond it."


def _nothing_told(measured: Sequence[Alignment]) -> str:
    """Said where no measure has a null that the label alone gives."""
    values = "; ".join(f"{MEASURES[one.measure]} {one.value:.2f}" for one in measured)
    return (
        "Whether all audio features together share something with all visual ones beyond the label cannot be "
        f"told: {_TOO_FEW_CHANGE_PLACES}. Over all recordings, the label's part included: {values}."
    )


def _of_recordings(one: Alignment) -> str:
    """How many recordings a value is over, where those are not all."""
    if one.shared_recordings == one.recordings:
        return ""
    return f", {one.shared_recordings} of {one.recordings} recordings"


def _names(found: Sequence[Alignment]) -> str:
    return " and ".join(MEASURES[one.measure] for one in found)


def _with_interval(mean: MeanAbsolute) -> str:
    """The interval is left out where it does not hold."""
    return (
        f"{mean.value:.2f} [{mean.low:.2f}, {mean.high:.2f}]" if math.isfinite(mean.low) else f"{mean.value:.2f}"
    )
