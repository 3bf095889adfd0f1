"""What is known of a run besides its analysis: the scores of scheme and stages, the audit, how it was made."""

import dataclasses
import shlex
from collections.abc import Mapping
from typing import Any

from avinst import paths
from avinst.dataset import Dataset
from avinst.errors import UserError
from trainer.evaluation.measured_on import measured_on
from trainer.remedies import MODALITIES
from trainer.run import AUDIT_FILE, STAGES_FOLDER, read_config, read_metrics

_AUDIT = "the modality audit"


@dataclasses.dataclass(frozen=True)
class RunRecord:
    """A run's scores on the analyzed split, and the commands and versions that made the analysis.

    Attributes:
        scheme: audio, visual, independent or joint.
        scores: title of a model to `{"segment": M, "recording": M}`, as in metrics.json: the run's own last,
            before it those that it is compared with, as far as they were measured.
        audit: of the split as in audit.json, with its `verdict`; None if there is none.
        train_command: the command that made the run.
        evaluate_command: the command that measures scores and audit.
        analyze_command: the command that makes this analysis again.
        versions: package to version.
        of_another_dataset: titles of what was measured on the split of that name of another dataset, and is
            therefore in neither `scores` nor `audit`.
        stages_command: the command that measures the run of the stages, where something of it is among these; else
            empty.
    """

    scheme: str
    scores: Mapping[str, Mapping[str, Any]]
    audit: Mapping[str, Any] | None
    train_command: str
    evaluate_command: str
    analyze_command: str
    versions: Mapping[str, str]
    of_another_dataset: tuple[str, ...] = ()
    stages_command: str = ""


def read_record(
    run_dir: str, dataset: Dataset, split: str, *, analyze_command: str, versions: Mapping[str, str]
) -> RunRecord:
    """Reads what `avinst evaluate` has measured of a run and of the stages that it is compared with.

    Args:
        run_dir: of the run.
        dataset: the analyzed one.
        split: the analyzed one.
        analyze_command: the command that makes the analysis.
        versions: package to version.

    Raises:
        UserError: there is no run, or a file of it is damaged.
    """
    config, trained_on = read_config(run_dir)
    scheme = config.scheme
    audit = read_metrics(run_dir, AUDIT_FILE).get(split)
    found: dict[str, Any] = {}
    other = (audit or {}).get("stages_from") or run_dir
    for stage in MODALITIES:
        folder = paths.join(other, STAGES_FOLDER, stage)
        found[f"{stage} alone"] = read_metrics(folder).get(split)
    if other != run_dir:
        found |= _other_run(other, split, scheme)
    found |= {f"{scheme} (this run)": read_metrics(run_dir).get(split), _AUDIT: audit}
    found = {title: values for title, values in found.items() if values}
    ours = {title: values for title, values in found.items() if measured_on(values, dataset, trained_on)}
    left_out = tuple(title for title in found if title not in ours)
    stages, stages_command = {}, ""
    if other != run_dir:
        stages = {"stages_from": other}
        if set(left_out) - {f"{scheme} (this run)", _AUDIT}:
            stages_command = command_line("evaluate", run_dir=other, data_dir=dataset.data_dir, split=split)
    return RunRecord(
        scheme,
        scores={title: values for title, values in ours.items() if title != _AUDIT},
        audit=ours.get(_AUDIT),
        train_command=command_line("train", data_dir=trained_on.data_dir, run_dir=run_dir, **config.flags()),
        evaluate_command=command_line(
            "evaluate", run_dir=run_dir, data_dir=dataset.data_dir, split=split, **stages
        ),
        analyze_command=analyze_command,
        versions=versions,
        of_another_dataset=left_out,
        stages_command=stages_command,
    )


def command_line(command: str, **flags: object) -> str:
    """What to type in a shell."""
    return shlex.join(["avinst", command, *(f"--{name}={value}" for name, value in flags.items())])


def _other_run(run_dir: str, split: str, scheme: str) -> dict[str, Any]:
    """The scores of the run whose stages a joint run is compared with; nothing where it is gone."""
    try:
        other = read_config(run_dir)[0].scheme
    except UserError:
        return {}  # only its place is known; the run that is analyzed needs nothing of it
    return {other if other != scheme else f"{other} (other run)": read_metrics(run_dir).get(split)}
