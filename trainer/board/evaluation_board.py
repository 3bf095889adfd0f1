"""An evaluation in TensorBoard: scalars, tables, figures, PR curves, HParams and the projector."""

from typing import Any

import tensorflow as tf

from avinst import paths
from avinst.dataset import Dataset
from trainer.board.hparams import write_hparams
from trainer.board.pr_curves import write_pr_curves
from trainer.board.projector import RecordingFeatures, write_projector
from trainer.board.summaries import figure_summary
from trainer.evaluation.figures import confusion_figure, reliability_figure
from trainer.evaluation.predictions import Predictions
from trainer.evaluation.scores import NAMES
from trainer.evaluation.tables import LEVELS, per_label_markdown, scores_markdown
from trainer.run import LOGS_FOLDER, Run


def log_dir_of(run_dir: str, split: str) -> str:
    """Where an evaluation's summaries are: `logs/evaluation-<split>` in the run."""
    return paths.join(run_dir, LOGS_FOLDER, f"evaluation-{split}")


def write_board(
    run: Run,
    dataset: Dataset,
    split: str,
    metrics: dict[str, Any],
    recordings: Predictions,
    gathered: RecordingFeatures,
) -> None:
    """Writes an evaluation into a folder of its own; what an earlier one of the split wrote there is replaced.

    Tags: `evaluation/LEVEL/METRIC` (scalars), `evaluation/scores`, `evaluation/per_label` (text),
    `evaluation/confusion`, `evaluation/reliability` (images), `pr_curve/LABEL`; all but the scalars are of
    recordings.

    Args:
        run: what was measured.
        dataset: on which dataset.
        split: on which split.
        metrics: `{"segment": M, "recording": M}`.
        recordings: probabilities, one row a recording.
        gathered: features and thumbnails of recordings.
    """
    log_dir = log_dir_of(run.run_dir, split)
    if paths.exists(log_dir):
        paths.remove(log_dir)
    several, of_recordings = dataset.multi_label, metrics["recording"]
    writer = tf.summary.create_file_writer(log_dir)
    with writer.as_default(step=0):
        for level in LEVELS:
            for name in NAMES:
                tf.summary.scalar(f"evaluation/{level}/{name}", metrics[level][name]["value"])
        tf.summary.text("evaluation/scores", scores_markdown(metrics))
        tf.summary.text("evaluation/per_label", per_label_markdown(metrics, multi_label=several))
        figure_summary("evaluation/confusion", confusion_figure(of_recordings, multi_label=several))
        figure_summary("evaluation/reliability", reliability_figure(of_recordings, multi_label=several))
        write_pr_curves(recordings.labels, recordings.probabilities, dataset.labels)
        write_hparams(run, dataset, split)
    writer.close()
    write_projector(log_dir, gathered, recordings, dataset.labels, multi_label=several)
