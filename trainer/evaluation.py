"""Measures a run on a split: metrics.json, TensorBoard, and a table to read."""

import json
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from avinst import paths
from avinst.dataset import Dataset
from avinst.errors import UserError
from trainer.leftovers import clear_leftovers
from trainer.metrics import compute_metrics
from trainer.predictions import Predictions, predict_split
from trainer.run import LOGS_FOLDER, METRICS_FILE, MODEL_FILE, STAGES_FOLDER, Run, load_run, read_metrics
from trainer.schemes import STAGES
from trainer.scores import NAMES
from trainer.summaries import write_figure

LEVELS = ("segment", "recording")


def evaluate(run: Run, dataset: Dataset, split: str, batch_size: int = 32) -> dict[str, Any]:
    """Predicts a split, writes its metrics to metrics.json and to TensorBoard.

    Returns:
        `{"segment": M, "recording": M}`, M as `trainer.metrics.compute_metrics` says.

    Raises:
        UserError: the dataset's spec or labels are not those of the run, the split has no examples, or
            metrics.json is damaged.
    """
    check_same_dataset(run, dataset)
    read_metrics(run.run_dir)  # a damaged file is told before the split is predicted
    metrics = measure(predict_split(run.model, dataset, split, batch_size), dataset)
    _write_metrics(run.run_dir, split, metrics)
    _write_summaries(run, dataset, split, metrics)
    return metrics


def evaluate_stages(run: Run, dataset: Dataset, split: str, batch_size: int = 32) -> dict[str, dict[str, Any]]:
    """Measures what the stages before a run's last one came to, each into its own stages/<stage>/metrics.json.

    Returns:
        Stage to metrics: `audio` and `visual` of an independent run, nothing for the other schemes.
    """
    found = {}
    for stage in STAGES[run.config.scheme][:-1]:
        model = load_run(run.run_dir, f"{STAGES_FOLDER}/{stage}/{MODEL_FILE}").model
        found[stage] = measure(predict_split(model, dataset, split, batch_size), dataset)
        _write_metrics(paths.join(run.run_dir, STAGES_FOLDER, stage), split, found[stage])
    return found


def _write_metrics(folder: str, split: str, metrics: dict[str, Any]) -> None:
    """Adds the split to the folder's metrics.json; what is there of other splits stays."""
    clear_leftovers(folder)
    text = json.dumps({**read_metrics(folder), split: metrics}, indent=2)
    paths.write_text(paths.join(folder, METRICS_FILE), text + "\n")


def measure(predictions: Predictions, dataset: Dataset) -> dict[str, Any]:
    """The metrics of predictions of segments, at both levels."""
    levels = {"segment": predictions, "recording": predictions.by_recording()}
    return {
        level: compute_metrics(rows, dataset.labels, multi_label=dataset.multi_label)
        for level, rows in levels.items()
    }


def check_same_dataset(run: Run, dataset: Dataset) -> None:
    """Raises UserError, with the difference, where the dataset's examples are not what the run was trained for."""
    there, now = run.dataset_info, dataset
    spec_there, spec_now = there.spec.to_json(), now.spec.to_json()
    differences = [
        f"{name}: {spec_there[name]} in the run, {spec_now[name]} in the dataset"
        for name in spec_now
        if spec_there[name] != spec_now[name]
    ]
    if there.labels != now.labels:
        differences.append(f"labels: {', '.join(there.labels)} in the run, {', '.join(now.labels)} in the dataset")
    if there.multi_label != now.multi_label:
        differences.append(f"multi_label: {there.multi_label} in the run, {now.multi_label} in the dataset")
    if differences:
        raise UserError(
            f"{now.data_dir!r} is no dataset for {run.run_dir!r} ({'; '.join(differences)}); give the --data_dir "
            "that the run was trained on, or one prepared alike"
        )


def metrics_table(metrics: dict[str, Any]) -> str:
    """The metrics as lines to read: first the scores of both levels, then the labels at recording level."""
    lines = [f"{'':<18}" + "".join(f"{level:<26}" for level in LEVELS)]
    for name in NAMES:
        lines.append(_score_line(name, metrics, name))
    lines.append(f"{'count':<18}" + "".join(f"{metrics[level]['count']:<26}" for level in LEVELS))
    per_label = metrics["recording"]["per_label"]
    width = max(18, *(len(name) + 2 for name in per_label))
    columns = ("precision", "recall", "f1", "average_precision")
    lines += ["", f"{'by recording':<{width}}" + "".join(f"{name:<19}" for name in columns) + "count"]
    for name, values in per_label.items():
        texts = ["-" if values[column] is None else f"{values[column]:.3f}" for column in columns]
        lines.append(f"{name:<{width}}" + "".join(f"{text:<19}" for text in texts) + str(values["count"]))
    return "\n".join(line.rstrip() for line in lines)


def stages_table(metrics: dict[str, dict[str, Any]]) -> str:
    """Hit@1 of each stage, to be compared with the whole."""
    lines = [f"{'hit_at_1 alone':<18}" + "".join(f"{level:<26}" for level in LEVELS)]
    lines += [_score_line(stage, values, "hit_at_1") for stage, values in metrics.items()]
    return "\n".join(line.rstrip() for line in lines)


def _score_line(title: str, metrics: dict[str, Any], name: str) -> str:
    cells = [metrics[level][name] for level in LEVELS]
    texts = [f"{cell['value']:.3f} ({cell['low']:.3f} to {cell['high']:.3f})" for cell in cells]
    return f"{title:<18}" + "".join(f"{text:<26}" for text in texts)


def _write_summaries(run: Run, dataset: Dataset, split: str, metrics: dict[str, Any]) -> None:
    log_dir = paths.join(run.run_dir, LOGS_FOLDER, f"evaluation-{split}")
    writer = tf.summary.create_file_writer(log_dir)
    with writer.as_default():
        for level in LEVELS:
            for name in NAMES:
                tf.summary.scalar(f"evaluation/{level}/{name}", metrics[level][name]["value"], step=0)
    writer.close()
    matrix = np.array(metrics["recording"]["confusion"])
    write_figure(log_dir, "evaluation/confusion", _confusion_figure(matrix, dataset.labels))


def _confusion_figure(matrix: np.ndarray, labels: tuple[str, ...]) -> Figure:
    side = 2.5 + 0.45 * len(labels)
    figure = Figure(figsize=(side, side), layout="constrained")
    axis = figure.subplots()
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(*matrix.shape):
        if matrix[row, column]:
            colour = "white" if shares[row, column] > 0.5 else "black"
            axis.text(column, row, str(matrix[row, column]), ha="center", va="center", color=colour, fontsize=8)
    axis.set_xticks(range(len(labels)), labels, rotation=90)
    axis.set_yticks(range(len(labels)), labels)
    axis.set_xlabel("most probable label")
    axis.set_ylabel("true label")
    return figure
