"""What the comparison of two runs says, in words: never more than its intervals allow."""

import math
from collections.abc import Sequence

from analysis.comparison_result import Comparison, LabelComparison
from analysis.counting import counted
from trainer.audit_measures import Interval

SCOPE = (
    "Two runs are compared, not two schemes: the intervals tell what other recordings could give, not what other "
    "seeds or other training sets would."
)


def comparison_sentences(comparison: Comparison) -> list[str]:
    """Whether this run binds the modalities more than the other, then single labels, then each modality."""
    this, other, overall = comparison.this.title, comparison.other.title, comparison.overall
    if overall is None or not math.isfinite(overall.blocks["across"].difference.low):
        return [
            f"Whether {this} binds the modalities more than {other} could not be measured: for no label could "
            "both modalities' features be correlated in both."
        ]
    sentences = [_first(this, other, overall, len(comparison.labels))]
    if single := _single_labels(this, comparison.labels):
        sentences.append(single)
    within = [
        f"{signed(overall.blocks[block].difference)} within {name}"
        for block, name in (("audio", "audio"), ("visual", "vision"))
        if math.isfinite(overall.blocks[block].difference.low)
    ]
    if within:
        sentences.append(f"The difference of mean |rho| is {' and '.join(within)}.")
    return sentences


def difference_verdict(result: LabelComparison) -> str:
    """Whether this run binds the modalities more: `more`, `less`, `equal` or `chance`.

    `equal`: not told apart. `chance`: told apart, but even the larger value is within the band of chance.
    """
    across = result.blocks["across"]
    if across.difference.low > 0:
        return "more" if across.this > result.chance[0].high else "chance"
    if across.difference.high < 0:
        return "less" if across.other > result.chance[1].high else "chance"
    return "equal"


def signed(interval: Interval) -> str:
    """A difference with its interval: "+0.03 (95 % -0.02 to +0.08)"; a dash where it is not defined."""
    if not math.isfinite(interval.low):
        return "–"
    return f"{interval.value:+.2f} (95 % {interval.low:+.2f} to {interval.high:+.2f})"


def _first(this: str, other: str, overall: LabelComparison, labels: int) -> str:
    verdict = {
        "more": f"{this} binds the modalities more than {other}",
        "less": f"{this} binds the modalities less than {other}",
        "equal": f"{this} binds the modalities not measurably differently from {other}",
        "chance": f"{this} and {other} differ, but neither binds the modalities more than chance does",
    }[difference_verdict(overall)]
    across = overall.blocks["across"]
    text = (
        f"{verdict}: difference {signed(across.difference)} in mean |rho| across modalities, averaged over "
        f"{counted(labels, 'label')}; {across.this:.2f} and {across.other:.2f}, where chance alone gives "
        f"{overall.chance[0].value:.2f} and {overall.chance[1].value:.2f}."
    )
    above = [across.this > overall.chance[0].high, across.other > overall.chance[1].high]
    return text if any(above) else f"{text} Neither is above the band of chance."


def _single_labels(this: str, labels: Sequence[LabelComparison]) -> str:
    """Those whose own interval leaves 0 out, with what many intervals do by themselves."""
    measured = [one for one in labels if math.isfinite(one.blocks["across"].difference.low)]
    told_apart: dict[str, list[str]] = {}
    for one in measured:
        text = f"{one.label} {signed(one.blocks['across'].difference)}"
        told_apart.setdefault(difference_verdict(one), []).append(text)
    told_apart.pop("equal", None)
    if not told_apart:
        return "For no single label does the interval of the difference leave 0 out."
    number = sum(map(len, told_apart.values()))
    text = f"For {number} of {counted(len(measured), 'label')} the interval of the difference leaves 0 out"
    text += " (one in twenty does by chance): "
    meanings = {
        "more": f"{this} binds more for",
        "less": f"{this} binds less for",
        "chance": "though the larger value is within the band of chance, for",
    }
    parts = [
        f"{meaning} {', '.join(told_apart[verdict])}"
        for verdict, meaning in meanings.items()
        if verdict in told_apart
    ]
    return f"{text}{'; '.join(parts)}."
