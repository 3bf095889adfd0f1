"""All that `avinst evaluate` finds out about a run on a split: scores, those of its stages, the modality audit."""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

from avinst.keyword_settings import check_choice
from avinst.manifests.rows import SPLITS
from avinst.paths import StrPath
from trainer.audit.auditing import audit_run, check_auditable
from trainer.audit.features import AllSegments, SegmentFeatures
from trainer.audit.report import write_audit
from trainer.audit.result import Audit
from trainer.evaluation.label_tables import alone_per_label
from trainer.evaluation.predictions import Predictions
from trainer.evaluation.split_evaluation import Evaluation, evaluate, evaluate_stages
from trainer.run import Run, dataset_for, directory_of, loaded


@dataclasses.dataclass(frozen=True)
class RunEvaluation:
    """What was found out about a run on a split.

    Attributes:
        metrics: `{"segment": M, "recording": M}`; M is what `trainer.measure` returns of a level. And
            `fingerprint`, the dataset's.
        predictions: of the segments.
        stages: of an independent run `audio` and `visual` to what they come to alone; else empty.
        audit: which modality does the work; None for a run of one modality, or where it was not asked for.
        multi_label: whether recordings may bear several labels.
        data_dir: of the dataset that was measured on.
    """

    metrics: Mapping[str, Any]
    predictions: Predictions
    stages: Mapping[str, Evaluation]
    audit: Audit | None
    multi_label: bool
    data_dir: str

    def alone_per_label(self) -> dict[str, Mapping[str, Mapping[str, Any]]]:
        """What each modality alone makes of each label, by recording; empty where that is not known.

        Returns:
            What stands for the modality (`audio_alone` and `visual_alone`, or the probes `audio_probe` and
            `visual_probe`) to label to `recall`, `average_precision`, `taken_for` and `count`.
        """
        stages = {stage: alone.metrics["recording"] for stage, alone in self.stages.items()}
        return alone_per_label(self.audit.to_json() if self.audit else None, stages)


def evaluate_run(
    run: Run | StrPath,
    split: str = "test",
    *,
    data_dir: StrPath = "",
    batch_size: int = 32,
    audit: bool = True,
    stages_from: str = "",
) -> RunEvaluation:
    """Measures a run on a split, as `avinst evaluate` does: to metrics.json, audit.json and TensorBoard too.

    Args:
        run: a finished run, or its directory.
        split: train, validation or test.
        data_dir: the dataset; empty: the one that the run was trained on.
        batch_size: segments that are computed together.
        audit: find out which modality does the work; costs a pass over the training and validation splits.
        stages_from: for the audit of a joint run, the directory of an independent run on the same dataset, whose
            stages show what each modality does alone; empty: the run that it began with, if any.

    Returns:
        Scores with 95 % intervals, predictions and the audit.

    Raises:
        UserError: no finished run, no dataset or one unlike the run's, a split without examples, `stages_from`
            that does not fit, or a damaged metrics.json or audit.json.
    """
    data_dir = os.fspath(data_dir)
    check_choice("split", split, SPLITS)
    run_dir = directory_of(run)
    dataset = dataset_for(run_dir, data_dir, split)  # what is missing is told before the model is loaded
    audited = audit and check_auditable(run_dir, stages_from)
    run = loaded(run)
    segments = AllSegments(run.model)
    whole = evaluate(run, dataset, split, batch_size, [segments] if audited else [])
    stages = evaluate_stages(run, dataset, split, batch_size)
    found = None
    if audited:
        found = audit_run(
            run,
            dataset,
            split,
            batch_size,
            stages_from,
            fused=SegmentFeatures(whole.predictions, segments.features()),
            stages={stage: alone.predictions for stage, alone in stages.items()},
        )
        write_audit(run_dir, found)
    return RunEvaluation(whole.metrics, whole.predictions, stages, found, dataset.multi_label, dataset.data_dir)
