"""An evaluation as tables: lines for the terminal, Markdown for TensorBoard."""

from collections.abc import Mapping, Sequence
from typing import Any

from trainer.evaluation.label_tables import alone_rows, label_rows, lines
from trainer.evaluation.label_words import worst_sentences
from trainer.evaluation.scores import DECISION_THRESHOLD, HIT_PLACES, NAMES

LEVELS = ("segment", "recording")


def metrics_table(metrics: Mapping[str, Any], *, multi_label: bool = False) -> str:
    """The metrics as lines to read: the scores of both levels, then the labels at recording level, worst first.

    Args:
        metrics: as `trainer.measure` gives them.
        multi_label: whether recordings may bear several labels; decides the notes.
    """
    text = [f"{'':<18}" + "".join(f"{level:<26}" for level in LEVELS)]
    for name in NAMES:
        text.append(_score_line(name, metrics, name))
    text.append(f"{'count':<18}" + "".join(f"{metrics[level]['count']:<26}" for level in LEVELS))
    of_recordings = metrics["recording"]
    text += ["", *lines(*label_rows(of_recordings, multi_label=multi_label))]
    notes = explanations(multi_label=multi_label, labels=len(of_recordings["per_label"]))
    text += ["", *(f"{name}: {note}" for name, note in notes.items())]
    return "\n".join(line.rstrip() for line in text)


def stages_table(metrics: Mapping[str, Mapping[str, Any]]) -> str:
    """Hit@1 of each stage, to be compared with the whole."""
    text = [f"{'hit_at_1 alone':<18}" + "".join(f"{level:<26}" for level in LEVELS)]
    text += [_score_line(stage, values, "hit_at_1") for stage, values in metrics.items()]
    return "\n".join(line.rstrip() for line in text)


def alone_table(
    metrics: Mapping[str, Any], alone: Mapping[str, Mapping[str, Mapping[str, Any]]], *, multi_label: bool
) -> str:
    """What each modality alone makes of each label, by recording, in the order of `metrics_table`.

    Args:
        metrics: as `trainer.measure` gives them.
        alone: as `trainer.evaluation.label_tables.alone_per_label` gives it, not empty.
        multi_label: whether recordings may bear several labels.
    """
    return "\n".join(lines(*alone_rows(metrics["recording"], alone, multi_label=multi_label)))


def scores_markdown(metrics: Mapping[str, Any]) -> str:
    """The scores of both levels with their intervals, as a table in Markdown.

    Args:
        metrics: as `trainer.measure` gives them.
    """
    rows = [[name, *(_score(metrics[level][name]) for level in LEVELS)] for name in NAMES]
    rows.append(["count", *(str(metrics[level]["count"]) for level in LEVELS)])
    return markdown_table(["", *LEVELS], rows)


def per_label_markdown(metrics: Mapping[str, Any], *, multi_label: bool = False) -> str:
    """The labels at recording level as a table in Markdown, worst first, and what its columns mean.

    Args:
        metrics: as `trainer.measure` gives them.
        multi_label: whether recordings may bear several labels; decides columns and notes.
    """
    of_recordings = metrics["recording"]
    table = markdown_table(*label_rows(of_recordings, multi_label=multi_label))
    notes = explanations(multi_label=multi_label, labels=len(of_recordings["per_label"]))
    notes_text = "\n".join(f"- **{name}**: {text}" for name, text in notes.items())
    return "\n\n".join([*worst_sentences(of_recordings), table, notes_text])


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


def _score_line(title: str, metrics: Mapping[str, Any], name: str) -> str:
    return f"{title:<18}" + "".join(f"{_score(metrics[level][name]):<26}" for level in LEVELS)


def _score(cell: Mapping[str, float]) -> str:
    return f"{cell['value']:.3f} ({cell['low']:.3f} to {cell['high']:.3f})"


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table as Markdown; a `|` in a cell does not part it."""
    text = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in text)
