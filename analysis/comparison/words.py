"""What the comparison of two runs says, in words: never more than its intervals allow."""

import math
from collections.abc import Sequence

from analysis.comparison.result import Comparison, LabelComparison
from avinst.counting import counted
from trainer.audit.measures import Interval

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
    sentences = [_first(this, other, overall, sum(one.measured for one in comparison.labels))]
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
    """Whether this run binds the modalities more: `more`, `less`, `equal`, `chance` or `contrary`.

    `equal`: not told apart. `chance`: told apart, but neither is beyond chance. `contrary`: told apart, but only
    the smaller value is beyond chance: each run has features of its own, and so a chance of its own.
    """
    difference = result.blocks["across"].difference
    if difference.low > 0:
        verdict, (larger, smaller) = "more", result.beyond_chance
    elif difference.high < 0:
        verdict, (smaller, larger) = "less", result.beyond_chance
    else:
        return "equal"
    if larger:
        return verdict
    return "contrary" if smaller else "chance"


def signed(interval: Interval) -> str:
    """A difference with its interval: "+0.03 (95 % -0.02 to +0.08)"; a dash where it is not defined."""
    if not math.isfinite(interval.low):
        return "–"
    return f"{interval.value:+.2f} (95 % {interval.low:+.2f} to {interval.high:+.2f})"


def _first(this: str, other: str, overall: LabelComparison, labels: int) -> str:
    across = overall.blocks["across"]
    larger, smaller = (this, other) if across.difference.value > 0 else (other, this)
    verdict = {
        "more": f"{this} binds the modalities more than {other}",
        "less": f"{this} binds the modalities less than {other}",
        "equal": f"{this} binds the modalities not measurably differently from {other}",
        "chance": f"{this} and {other} differ, but neither binds the modalities more than chance does",
        "contrary": f"{larger} has the larger value but is not beyond chance itself, while {smaller} is",
    }[difference_verdict(overall)]
    text = (
        f"{verdict}: difference {signed(across.difference)} in mean |rho| across modalities, averaged over "
        f"{counted(labels, 'label')}; {across.this:.2f} and {across.other:.2f}, where chance alone gives "
        f"{overall.chance[0].value:.2f} and {overall.chance[1].value:.2f}."
    )
    if math.isfinite(overall.chance[0].low):
        return text if any(overall.beyond_chance) else f"{text} Neither is beyond chance."
    shared = "Labels share recordings, so that the mean has no band of chance; label by label"
    names = [run for run, beyond in zip((this, other), overall.beyond_chance, strict=True) if beyond]
    found = f"some are beyond chance in {' and '.join(names)}" if names else "none is beyond chance in either run"
    return f"{text} {shared}, {found} after correction over the labels."


def _single_labels(this: str, labels: Sequence[LabelComparison]) -> str:
    """Those whose own interval leaves 0 out, with what many intervals do by themselves."""
    measured = [one for one in labels if math.isfinite(one.blocks["across"].difference.low)]
    told_apart: dict[str, list[str]] = {}
    for one in measured:
        text = f"{one.label} {signed(one.blocks['across'].difference)}"
        verdict = difference_verdict(one)
        told_apart.setdefault("chance" if verdict == "contrary" else verdict, []).append(text)
    told_apart.pop("equal", None)
    if not told_apart:
        return "For no single label does the interval of the difference leave 0 out."
    number = sum(map(len, told_apart.values()))
    text = f"For {number} of {counted(len(measured), 'label')} the interval of the difference leaves 0 out"
    text += " (one in twenty does by chance): "
    meanings = {
        "more": f"{this} binds more for",
        "less": f"{this} binds less for",
        "chance": "though the larger value is not beyond chance after correction over the labels, for",
    }
    parts = [
        f"{meaning} {', '.join(told_apart[verdict])}"
        for verdict, meaning in meanings.items()
        if verdict in told_apart
    ]
    return f"{text}{'; '.join(parts)}."
