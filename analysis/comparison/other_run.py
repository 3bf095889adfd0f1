"""The other run of `avinst analyze --compare_to`: whether it can be compared, and what is compared of it."""

from collections.abc import Callable, Sequence

import numpy as np

from analysis.comparison.difference import compare
from analysis.comparison.result import ComparedPart, ComparedRun, Comparison
from analysis.correlations.alignment import PERMUTATIONS, align
from analysis.extraction import SplitBatches, split_features
from analysis.features import Features
from analysis.importance import Importance, head_of, importance
from analysis.study import Study
from avinst import paths
from avinst.dataset import Dataset
from avinst.errors import UserError
from avinst.progress import Progress
from trainer.audit.auditing import AUDITED_SCHEMES
from trainer.evaluation.split_evaluation import check_same_dataset
from trainer.run import Run, load_run, read_config


def load_compared(compare_to: str, run_dir: str, dataset: Dataset) -> Run:
    """The run to compare with.

    Args:
        compare_to: its directory.
        run_dir: of the run that is analyzed.
        dataset: the one that both are analyzed on.

    Raises:
        UserError: either has one modality, both are one and the same, the other was trained on another dataset
            than the analyzed one, or there is no finished run.
    """
    if paths.absolute(compare_to).rstrip("/") == paths.absolute(run_dir).rstrip("/"):
        raise UserError(f"--compare_to={compare_to}: the run that is analyzed itself; give another run")
    config, trained_on = read_config(run_dir)
    other_config, other_dataset = read_config(compare_to)
    for folder, scheme in ((run_dir, config.scheme), (compare_to, other_config.scheme)):
        if scheme not in AUDITED_SCHEMES:
            raise UserError(
                f"{folder!r} has one modality, {scheme}: there is nothing across modalities to compare; give runs "
                f"of the schemes {' or '.join(AUDITED_SCHEMES)}"
            )
    if other_dataset.labels != trained_on.labels:
        raise UserError(
            f"--compare_to={compare_to}: its labels are {', '.join(other_dataset.labels)}, those of {run_dir!r} "
            f"{', '.join(trained_on.labels)}; compare runs that were trained on the same dataset"
        )
    if other_dataset.fingerprint != trained_on.fingerprint:
        raise UserError(
            f"--compare_to={compare_to}: trained on the dataset {other_dataset.fingerprint[:12]} "
            f"({other_dataset.data_dir}), {run_dir!r} on {trained_on.fingerprint[:12]} ({trained_on.data_dir}); "
            "what one was trained on may be in the other's test split: compare runs of the same dataset"
        )
    run = load_run(compare_to)
    check_same_dataset(run, dataset)
    return run


def compare_with(
    study: Study,
    run: Run,
    other: Run,
    batches: SplitBatches,
    say: Callable[[str], None] = lambda line: None,
    parts_dir: str = "",
) -> Comparison:
    """Compares the studied run with another over the same recordings.

    The other run's features are computed as the studied run's were, and chosen by its own importance.

    Args:
        study: of the run.
        run: that was studied.
        other: as `load_compared` gives it.
        batches: gives the batches of a split each time it is called.
        say: is told what is being done.
        parts_dir: where features are kept as they come; empty: nowhere.
    """
    dataset, settings = study.dataset, study.settings

    def features_of(split: str) -> Features:
        say(f"features of the {split} split by {other.run_dir}")
        return split_features(other.model, dataset, split, batches, settings.batch_size, parts_dir).by_recording()

    recordings = features_of(settings.split)
    selections = _halves(recordings, study) if study.halves else [features_of(settings.selection_split)]
    say(f"comparison with {other.run_dir}")
    seed, permutations = settings.correlation.seed, settings.correlation.permutations
    alignment = align(recordings, seed, min(permutations, PERMUTATIONS))
    head = head_of(other.model)
    chosen_by = [importance(selection, head) for selection in selections]
    names = _names(run.run_dir, other.run_dir)
    parts, its_parts = (
        _parts(study.features, study.selection_importance, study),
        _parts(recordings, chosen_by, study),
    )
    progress = Progress("comparison of labels", len(parts) * len(dataset.labels))
    found = compare(
        ComparedRun(names[0], run.config.scheme, parts, study.alignment),
        ComparedRun(names[1], other.config.scheme, its_parts, alignment),
        settings.correlation,
        progress.advance,
    )
    progress.finish()
    return found


def _parts(recordings: Features, chosen_by: Sequence[Importance], study: Study) -> tuple[ComparedPart, ...]:
    """Without another split, the study's halves choose for each other."""
    correlated = _halves(recordings, study) if study.halves else [recordings]
    return tuple(map(ComparedPart, correlated, reversed(chosen_by)))


def _halves(recordings: Features, study: Study) -> list[Features]:
    return [recordings.rows(np.isin(recordings.video_id, ids)) for ids in study.halves]


def _names(run_dir: str, other_dir: str) -> tuple[str, str]:
    """The directories' own names; the whole paths where these are the same."""
    this, other = (folder.rstrip("/").rpartition("/")[2] for folder in (run_dir, other_dir))
    return (this, other) if this != other else (run_dir.rstrip("/"), other_dir.rstrip("/"))
