"""Where an audit goes: audit.json, a table and a verdict to read, TensorBoard."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from avinst import paths
from avinst.figure_png import MODALITY_COLOURS
from trainer.audit.result import SYSTEMS, Audit
from trainer.audit.words import audit_verdict
from trainer.board.summaries import write_figure, write_text
from trainer.evaluation.label_tables import alone_rows
from trainer.evaluation.tables import markdown_table
from trainer.leftovers import clear_leftovers
from trainer.run import AUDIT_FILE, LOGS_FOLDER, read_metrics

_NEUTRAL = "#6b7280"


def write_audit(run_dir: str, audit: Audit) -> None:
    """Adds the split to RUN/audit.json and writes tables, verdict and figure to TensorBoard.

    Raises:
        UserError: the audit.json that is there is damaged.
    """
    clear_leftovers(run_dir)
    values = {**read_metrics(run_dir, AUDIT_FILE), audit.split: audit_json(audit)}
    paths.write_text(paths.join(run_dir, AUDIT_FILE), json.dumps(values, indent=2) + "\n")
    log_dir = paths.join(run_dir, LOGS_FOLDER, f"audit-{audit.split}")
    write_text(log_dir, "audit/verdict", audit_markdown(audit))
    write_figure(log_dir, "audit/scores", scores_figure(audit))
    if audit.single:
        write_text(log_dir, "audit/labels", labels_markdown(audit))


def audit_json(audit: Audit) -> dict[str, Any]:
    """The fields of `trainer.audit.result.Audit`, and `verdict`, a list of sentences."""
    return {**audit.to_json(), "verdict": audit_verdict(audit)}


def audit_text(audit: Audit) -> str:
    """The scores as a table, then the verdict, a sentence a line.

    Args:
        audit: as `audit_run` or `evaluate_run` give it.
    """
    width = max(map(len, SYSTEMS.values())) + 2
    lines = [f"{'':<{width}}{audit.metric_title} by recording"]
    lines += [f"{title:<{width}}{cell}" for title, cell in _rows(audit)]
    return "\n".join([*lines, "", *audit_verdict(audit)])


def audit_markdown(audit: Audit) -> str:
    """The verdict as a list, the scores as a table, and the recordings that fusion gains and loses."""
    lines = [f"- {sentence}" for sentence in audit_verdict(audit)]
    lines += [
        "",
        f"| {audit.recordings} recordings, {audit.split} split | {audit.metric_title} |",
        "| --- | --- |",
    ]
    lines += [f"| {title} | {cell} |" for title, cell in _rows(audit)]
    counted_in = " in Hit@1" if audit.metric == "map" else ""
    for what, ids in (("gains", audit.gains), ("loses", audit.losses)):
        if ids:
            names = ", ".join(f"`{name}`" for name in ids)
            lines += ["", f"Against {audit.better} alone fusion {what}{counted_in}: {names}"]
    return "\n".join(lines)


def labels_markdown(audit: Audit) -> str:
    """What each modality alone makes of each label, the fused model's worst first, as Markdown.

    TensorBoard breaks words where a table is wider: the fused model's own scores are in `evaluation/per_label`.
    """
    alone = {name: audit.per_label[name] for name in audit.single.values()}
    order = {"per_label": audit.per_label["fused"]}
    return markdown_table(*alone_rows(order, alone, multi_label=audit.metric == "map"))


def scores_figure(audit: Audit) -> Figure:
    """A bar for each system with its interval, and a line for chance."""
    names = [name for name in SYSTEMS if name in audit.scores and name != "chance"][::-1]
    found = [audit.scores[name] for name in names]
    figure = Figure(figsize=(7, 1.2 + 0.32 * len(names)), layout="constrained")
    axis = figure.subplots()
    axis.barh(
        range(len(names)),
        [score.value for score in found],
        # A score may lie outside its percentile interval where the bootstrap is skewed.
        xerr=[
            [max(score.value - score.low, 0.0) for score in found],
            [max(score.high - score.value, 0.0) for score in found],
        ],
        color=[_colour(name) for name in names],
        ecolor="black",
        capsize=3,
    )
    chance = axis.axvline(audit.scores["chance"].value, color="black", linestyle="--", linewidth=1, label="chance")
    axis.set_yticks(range(len(names)), [SYSTEMS[name] for name in names])
    axis.set_xlim(0, 1.02)
    axis.set_xlabel(f"{audit.metric_title} by recording, {audit.split} split, 95 % intervals")
    axis.spines[["top", "right"]].set_visible(False)
    told_by = {
        "both modalities": _NEUTRAL,
        "audio only": MODALITY_COLOURS["audio"],
        "vision only": MODALITY_COLOURS["visual"],
    }
    handles = [Patch(color=colour, label=name) for name, colour in told_by.items()]
    figure.legend(handles=[*handles, chance], loc="outside upper center", ncols=4, frameon=False)
    return figure


def _colour(system: str) -> str:
    """That of the modality whose information is left: a model with audio blanked has only its eyes."""
    modality, _, rest = system.partition("_")
    if rest in ("blanked", "swapped"):
        modality = {"audio": "visual", "visual": "audio"}[modality]
    return MODALITY_COLOURS.get(modality, _NEUTRAL)


def told_reasons(absent: Mapping[str, str], verdict: Sequence[str]) -> set[str]:
    """The reasons why systems are missing that the verdict tells already, so that a table need not."""
    return {reason for reason in absent.values() if any(reason in sentence for sentence in verdict)}


def _rows(audit: Audit) -> list[tuple[str, str]]:
    rows = []
    told = told_reasons(audit.absent, audit_verdict(audit))
    for name, title in SYSTEMS.items():
        if name in audit.scores:
            score = audit.scores[name]
            cell = (
                f"{score.value:.3f}"
                if name == "chance"
                else f"{score.value:.3f} ({score.low:.3f} to {score.high:.3f})"
            )
            rows.append((title, cell))
        elif name in audit.absent:
            reason = audit.absent[name]
            rows.append((title, "-" if reason in told else f"- ({reason})"))
            told.add(reason)
    return rows
