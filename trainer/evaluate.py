"""Measures a run on a split: metrics with 95 % intervals, by segment and by recording, to RUN/metrics.json.

    avinst evaluate --run_dir=RUN --split=test

TensorBoard shows them with confusion matrix, reliability diagram, PR curves, HParams and, of at most 1000
recordings, the penultimate features in the projector. For a run of two modalities it also finds out which of them
does the work, to RUN/audit.json (docs/audit.md).

--json prints what RUN/metrics.json holds of the split: the split's name to `segment` and `recording`, each with
the metrics, `per_label`, `confusion` and `count` (docs/evaluation.md).
"""

import sys
from collections.abc import Sequence

from absl import flags

from avinst import command, command_flags
from avinst.errors import UsageError
from avinst.quiet import import_tensorflow_quietly

FLAGS = command_flags.new_flags()
RUN_DIR = flags.DEFINE_string("run_dir", "", "the run, made by avinst train", flag_values=FLAGS)
DATA_DIR = flags.DEFINE_string("data_dir", "", "the dataset; empty: the run's own", flag_values=FLAGS)
SPLIT = flags.DEFINE_enum(
    "split", "test", ["train", "validation", "test"], "what to measure on", flag_values=FLAGS
)
BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", 32, "examples that are computed together", lower_bound=1, flag_values=FLAGS
)
AUDIT = flags.DEFINE_bool(
    "audit",
    True,
    "find out which modality does the work; costs a pass over the training and validation splits",
    flag_values=FLAGS,
)
STAGES_FROM = flags.DEFINE_string(
    "stages_from",
    "",
    "for the audit of a joint run: an independent run on the same dataset, whose stages show what each modality "
    "does alone (default: the run that it began with, if any)",
    flag_values=FLAGS,
)
JSON = flags.DEFINE_bool("json", False, "print the metrics as JSON instead of a table", flag_values=FLAGS)


def evaluate() -> None:
    """Runs the command."""
    run_dir = command_flags.required(RUN_DIR)
    if STAGES_FROM.value and not AUDIT.value:
        raise UsageError(f"--stages_from={STAGES_FROM.value}: for the audit, which --noaudit leaves out")
    import_tensorflow_quietly()
    from trainer import evaluation
    from trainer.audit import audit_run, check_auditable
    from trainer.audit_features import AllSegments, SegmentFeatures
    from trainer.audit_report import audit_text, write_audit
    from trainer.evaluation_tables import metrics_table, stages_table
    from trainer.run import AUDIT_FILE, dataset_of, load_run, read_config

    _, dataset_info = read_config(run_dir)
    dataset = dataset_of(run_dir, dataset_info, DATA_DIR.value)
    dataset.tfrecord_paths(SPLIT.value)  # a missing split is told before the model is loaded
    audited = AUDIT.value and check_auditable(run_dir, STAGES_FROM.value)
    run = load_run(run_dir)
    segments = AllSegments(run.model)
    whole = evaluation.evaluate(run, dataset, SPLIT.value, BATCH_SIZE.value, [segments] if audited else [])
    stages = evaluation.evaluate_stages(run, dataset, SPLIT.value, BATCH_SIZE.value)
    audit = None
    if audited:
        audit = audit_run(
            run,
            dataset,
            SPLIT.value,
            BATCH_SIZE.value,
            STAGES_FROM.value,
            fused=SegmentFeatures(whole.predictions, segments.features()),
            stages={stage: alone.predictions for stage, alone in stages.items()},
        )
        write_audit(run_dir, audit)
    if JSON.value:
        command.print_json({SPLIT.value: whole.metrics})
        return
    print(f"{run_dir}, {SPLIT.value} split of {dataset.data_dir}; 95 % intervals over recordings\n")  # noqa: T201
    print(metrics_table(whole.metrics, multi_label=dataset.multi_label))  # noqa: T201
    if stages:
        print(f"\n{stages_table({stage: alone.metrics for stage, alone in stages.items()})}")  # noqa: T201
    if audit:
        print(f"\n{audit_text(audit)}")  # noqa: T201
    print(f"\nmetrics:     {run_dir}/metrics.json")  # noqa: T201
    if audit:
        print(f"audit:       {run_dir}/{AUDIT_FILE}")  # noqa: T201
    print(f"TensorBoard: tensorboard --logdir {run_dir}")  # noqa: T201


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return command.run(evaluate, FLAGS, argv)


if __name__ == "__main__":
    sys.exit(main())
