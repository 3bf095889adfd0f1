"""An evaluation as tables: lines for the terminal, Markdown for TensorBoard."""

from collections.abc import Mapping, Sequence
from typing import Any

from trainer.scores import DECISION_THRESHOLD, HIT_PLACES, NAMES

LEVELS = ("segment", "recording")
PER_LABEL = {
    "precision": "precision",
    "recall": "recall",
    "f1": "f1",
    "average_precision": "avg precision",
    "calibration_error": "calibration",
    "count": "count",
}


def metrics_table(metrics: Mapping[str, Any], *, multi_label: bool = False) -> str:
    """The metrics as lines to read: first the scores of both levels, then the labels at recording level.

    Args:
        metrics: as `trainer.measure` gives them.
        multi_label: whether recordings may bear several labels; decides the notes.
    """
    lines = [f"{'':<18}" + "".join(f"{level:<26}" for level in LEVELS)]
    for name in NAMES:
        lines.append(_score_line(name, metrics, name))
    lines.append(f"{'count':<18}" + "".join(f"{metrics[level]['count']:<26}" for level in LEVELS))
    per_label = metrics["recording"]["per_label"]
    width = max(18, *(len(name) + 2 for name in per_label))
    lines += ["", f"{'by recording':<{width}}" + "".join(f"{title:<15}" for title in PER_LABEL.values())]
    for name, values in per_label.items():
        lines.append(f"{name:<{width}}" + "".join(f"{text:<15}" for text in _cells(values)))
    notes = explanations(multi_label=multi_label, labels=len(per_label))
    lines += ["", *(f"{name}: {text}" for name, text in notes.items())]
    return "\n".join(line.rstrip() for line in lines)


def stages_table(metrics: Mapping[str, Mapping[str, Any]]) -> str:
    """Hit@1 of each stage, to be compared with the whole."""
    lines = [f"{'hit_at_1 alone':<18}" + "".join(f"{level:<26}" for level in LEVELS)]
    lines += [_score_line(stage, values, "hit_at_1") for stage, values in metrics.items()]
    return "\n".join(line.rstrip() for line in lines)


def scores_markdown(metrics: Mapping[str, Any]) -> str:
    """The scores of both levels with their intervals, as Markdown."""
    rows = [[name, *(_score(metrics[level][name]) for level in LEVELS)] for name in NAMES]
    rows.append(["count", *(str(metrics[level]["count"]) for level in LEVELS)])
    return _markdown(["", *LEVELS], rows)


def per_label_markdown(metrics: Mapping[str, Any], *, multi_label: bool) -> str:
    """The labels at recording level and what the columns mean, as Markdown."""
    per_label = metrics["recording"]["per_label"]
    table = _markdown(
        ["label", *PER_LABEL.values()], [[name, *_cells(values)] for name, values in per_label.items()]
    )
    notes = explanations(multi_label=multi_label, labels=len(per_label))
    return "\n".join([table, "", *(f"- **{name}**: {text}" for name, text in notes.items())])


def explanations(*, multi_label: bool, labels: int) -> dict[str, str]:
    """What the scores mean where the name does not say it.

    Args:
        multi_label: whether recordings may bear several labels.
        labels: how many there are, 0 if that is not known.
    """
    # Kept in metrics.json all the same, so that every run has the same keys.
    always = {"hit_at_3": f"says nothing, with {labels} labels it is always 1"} if 0 < labels <= HIT_PLACES else {}
    if multi_label:
        return always | {
            "hit_at_1": "share whose most probable label is one of the true ones",
            "f1": f"of the labels with a probability of {DECISION_THRESHOLD:g} or more, macro: mean over labels",
            "log_loss": "binary cross-entropy, mean over labels, nats",
            "calibration": "a label's probability against how often it is there, mean over labels",
        }
    return always | {
        "f1": "of the most probable label, macro: mean over labels",
        "calibration": "a label's probability against how often it is there; calibration_error is of the most "
        "probable label",
    }


def _cells(values: Mapping[str, float | None]) -> list[str]:
    texts = []
    for column in PER_LABEL:
        value = values[column]
        texts.append("-" if value is None else f"{value}" if column == "count" else f"{value:.3f}")
    return texts


def _score_line(title: str, metrics: Mapping[str, Any], name: str) -> str:
    return f"{title:<18}" + "".join(f"{_score(metrics[level][name]):<26}" for level in LEVELS)


def _score(cell: Mapping[str, float]) -> str:
    return f"{cell['value']:.3f} ({cell['low']:.3f} to {cell['high']:.3f})"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)
