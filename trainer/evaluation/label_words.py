"""Which label is recognised worst, how sure that is, and what each modality makes of it, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from avinst.counting import percent
from trainer.audit.result import FEWEST_RECORDINGS

# The least share of draws that makes a label clearly the worst. Of 2, 3 or 8 equally hard labels one was then
# called so in at most 1 % of simulated test splits of 20 recordings a label; of 2 labels of 10 recordings in 11 %.
CLEAR_SHARE = 0.975
_MOST_NAMED = 3
_WHO = {
    "audio_alone": "audio alone",
    "visual_alone": "vision alone",
    "audio_probe": "a linear probe of the audio features",
    "visual_probe": "one of the visual features",
}


def worst_first(per_label: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The labels by their average precision, the lowest first; those without an example last.

    Args:
        per_label: as in metrics.json.
    """
    return sorted(per_label, key=lambda name: _average_precision(per_label[name]))


def worst_sentences(
    metrics: Mapping[str, Any], alone: Mapping[str, Mapping[str, Mapping[str, Any]]] | None = None
) -> list[str]:
    """The label that is recognised worst, what each modality alone makes of it, how sure that is, what F1 says.

    Args:
        metrics: of recordings, such as `evaluate_run(...).metrics["recording"]`.
        alone: what each modality alone makes of each label, such as `evaluate_run(...).alone_per_label()`; None or
            empty: nothing is known of it.

    Returns:
        Up to four sentences of plain text; none where the metrics are of an older version, or of one label.
    """
    per_label = {name: values for name, values in metrics["per_label"].items() if values["count"]}
    if len(per_label) < 2 or any("intervals" not in values for values in per_label.values()):
        return []
    worst, *others = worst_first(per_label)
    values = per_label[worst]
    lowest = values["average_precision"]
    if all(per_label[name]["average_precision"] == lowest for name in others):
        return [f"No label is recognised worse than another: the average precision of each is {lowest:.2f}."]
    low, high = (values["intervals"]["average_precision"][end] for end in ("low", "high"))
    text = (
        f"Worst: {worst}, average precision {lowest:.2f} [{low:.2f}, {high:.2f}]; {_recognised(values)} of "
        f"{values['count']} {'recording is' if values['count'] == 1 else 'recordings are'} recognised"
    )
    wrong = values["taken_for"]
    if wrong:
        text += f", {wrong['count']} {'is' if wrong['count'] == 1 else 'are'} taken for {wrong['label']}"
    return [
        f"{text}.",
        *_by_modality(worst, alone or {}),
        _how_sure(worst, others, per_label),
        *_by_f1(worst, per_label),
    ]


def _average_precision(values: Mapping[str, Any]) -> float:
    found = values["average_precision"]
    return float("inf") if found is None else float(found)


def _recognised(values: Mapping[str, Any]) -> int:
    return round(values["recall"] * values["count"])


def _by_modality(label: str, alone: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    parts: list[str] = []
    for system, per_label in alone.items():
        values = per_label.get(label, {})
        # Files of earlier versions may be of two datasets: in the other one no recording bore the label.
        if not values.get("count"):
            continue
        text = f"{_WHO[system]} {'recognises ' if not parts else ''}{_recognised(values)} of {values['count']}"
        wrong = values.get("taken_for")
        parts.append(f"{text} ({wrong['count']} taken for {wrong['label']})" if wrong else text)
    text = ", ".join(parts)
    return [f"{text[0].upper()}{text[1:]}."] if text else []


def _by_f1(worst: str, per_label: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Said where a reader of the table would find another label at the bottom."""
    lowest = min(values["f1"] for values in per_label.values())
    if per_label[worst]["f1"] == lowest:
        return []
    names = [name for name, values in per_label.items() if values["f1"] == lowest]
    return [f"By F1 it would be {' and '.join(names)} ({lowest:.2f})."]


def _how_sure(worst: str, others: Sequence[str], per_label: Mapping[str, Mapping[str, Any]]) -> str:
    count, share = per_label[worst]["count"], per_label[worst]["worst_in_draws"]
    if count >= FEWEST_RECORDINGS and share >= CLEAR_SHARE:
        return f"It is clearly the worst: so in {percent(share)} of 1000 draws of the recordings."
    rivals = sorted(others, key=lambda name: -per_label[name]["worst_in_draws"])
    shares = [(name, per_label[name]["worst_in_draws"]) for name in rivals[:_MOST_NAMED]]
    named = "".join(f", {name} in {percent(found)}" for name, found in shares if found >= 0.01)
    verdict = "It is not clearly the worst"
    if count < FEWEST_RECORDINGS:
        verdict = f"Too few recordings of it ({count}) to call it clearly the worst"
    return f"{verdict}: of 1000 draws of the recordings it is so in {percent(share)}{named}."
