"""Measures a run on a split: metrics with 95 % intervals, by segment and by recording, to RUN/metrics.json.

    avinst evaluate --run_dir=RUN --split=test

TensorBoard shows them with confusion matrix, reliability diagram, PR curves, HParams and, of at most 1000
recordings, the penultimate features in the projector. For a run of two modalities it also finds out which of them
does the work, to RUN/audit.json (docs/audit.md).

--json prints what RUN/metrics.json holds of the split: the split's name to `segment` and `recording`, each with
the metrics, `per_label`, `labels`, `confusion` and `count`, and to the dataset's `fingerprint`
(docs/evaluation.md).
"""

import sys
from collections.abc import Sequence

from absl import flags

from avinst import command, command_flags
from avinst.errors import UsageError
from avinst.quiet import import_tensorflow_quietly
from trainer.run import dataset_for

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
    dataset_for(run_dir, DATA_DIR.value, SPLIT.value)  # what is missing is told before TensorFlow is imported
    import_tensorflow_quietly()
    from trainer.audit.report import audit_text
    from trainer.evaluation.evaluating import evaluate_run
    from trainer.evaluation.label_words import worst_sentences
    from trainer.evaluation.tables import alone_table, metrics_table, stages_table
    from trainer.run import AUDIT_FILE

    found = evaluate_run(
        run_dir,
        SPLIT.value,
        data_dir=DATA_DIR.value,
        batch_size=BATCH_SIZE.value,
        audit=AUDIT.value,
        stages_from=STAGES_FROM.value,
    )
    if JSON.value:
        command.print_json({SPLIT.value: found.metrics})
        return
    alone = found.alone_per_label()
    print(f"{run_dir}, {SPLIT.value} split of {found.data_dir}; 95 % intervals over recordings\n")  # noqa: T201
    sentences = worst_sentences(found.metrics["recording"], alone)
    if sentences:
        print(" ".join(sentences) + "\n")  # noqa: T201
    print(metrics_table(found.metrics, multi_label=found.multi_label))  # noqa: T201
    if alone:
        print(f"\n{alone_table(found.metrics, alone, multi_label=found.multi_label)}")  # noqa: T201
    if found.stages:
        print(f"\n{stages_table({stage: alone.metrics for stage, alone in found.stages.items()})}")  # noqa: T201
    if found.audit:
        print(f"\n{audit_text(found.audit)}")  # noqa: T201
    print(f"\nmetrics:     {run_dir}/metrics.json")  # noqa: T201
    if found.audit:
        print(f"audit:       {run_dir}/{AUDIT_FILE}")  # noqa: T201
    print(f"TensorBoard: tensorboard --logdir {run_dir}")  # noqa: T201


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return command.run(evaluate, FLAGS, argv)


if __name__ == "__main__":
    sys.exit(main())
