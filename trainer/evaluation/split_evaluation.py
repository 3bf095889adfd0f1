"""Measures a run on a split: metrics.json, and all that TensorBoard shows of it."""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from avinst import paths
from avinst.dataset import Dataset
from avinst.errors import UserError
from avinst.progress import tell
from trainer.board.evaluation_board import write_board
from trainer.board.projector import RecordingFeatures
from trainer.evaluation.measured_on import with_fingerprint
from trainer.evaluation.metrics import compute_metrics
from trainer.evaluation.predictions import Observer, Predictions, predict_split
from trainer.evaluation.tables import LEVELS
from trainer.leftovers import clear_leftovers
from trainer.run import METRICS_FILE, MODEL_FILE, STAGES_FOLDER, Run, load_run, read_metrics
from trainer.schemes import STAGES


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """What a network says of a split, and how good that is.

    Attributes:
        metrics: `{"segment": M, "recording": M}`, M as `trainer.evaluation.metrics.compute_metrics` says, and
            `fingerprint`, the dataset's.
        predictions: of the segments.
    """

    metrics: dict[str, Any]
    predictions: Predictions


def evaluate(
    run: Run, dataset: Dataset, split: str, batch_size: int = 32, observers: Sequence[Observer] = ()
) -> Evaluation:
    """Predicts a split, writes its metrics to metrics.json and to TensorBoard.

    Args:
        run: a finished run.
        dataset: the one that it was trained on, or one prepared alike.
        split: train, validation or test.
        batch_size: segments that are computed together.
        observers: are shown the batches too, for what else is wanted of the same pass.

    Raises:
        UserError: the dataset's spec or labels are not those of the run, the split has no examples, or
            metrics.json is damaged.
    """
    check_same_dataset(run, dataset)
    tell_of_other_recordings(run, dataset)
    read_metrics(run.run_dir)  # a damaged file is told before the split is predicted
    gathered = RecordingFeatures(run.model, dataset.recordings.get(split, 0))
    predictions = predict_split(run.model, dataset, split, batch_size, [gathered, *observers])
    metrics = with_fingerprint(measure(predictions, dataset), dataset)
    _write_metrics(run.run_dir, split, metrics)
    write_board(run, dataset, split, metrics, predictions.by_recording(), gathered)
    return Evaluation(metrics, predictions)


def evaluate_stages(run: Run, dataset: Dataset, split: str, batch_size: int = 32) -> dict[str, Evaluation]:
    """Measures what the stages before a run's last one came to, each into its own stages/<stage>/metrics.json.

    Returns:
        By stage: `audio` and `visual` of an independent run, nothing for the other schemes.
    """
    found = {}
    for stage in STAGES[run.config.scheme][:-1]:
        model = load_run(run.run_dir, f"{STAGES_FOLDER}/{stage}/{MODEL_FILE}").model
        predictions = predict_split(model, dataset, split, batch_size)
        metrics = with_fingerprint(measure(predictions, dataset), dataset)
        found[stage] = Evaluation(metrics, predictions)
        _write_metrics(paths.join(run.run_dir, STAGES_FOLDER, stage), split, found[stage].metrics)
    return found


def _write_metrics(folder: str, split: str, metrics: dict[str, Any]) -> None:
    """Adds the split to the folder's metrics.json; what is there of other splits stays."""
    clear_leftovers(folder)
    text = json.dumps({**read_metrics(folder), split: metrics}, indent=2)
    paths.write_text(paths.join(folder, METRICS_FILE), text + "\n")


def measure(predictions: Predictions, dataset: Dataset) -> dict[str, Any]:
    """The metrics of predictions of segments, by segment and by recording, with 95 % intervals over recordings.

    Args:
        predictions: of segments, as `predict_split` gives them.
        dataset: what was predicted.

    Returns:
        `{"segment": M, "recording": M}`. M has `hit_at_1`, `hit_at_3`, `f1_macro`, `map`, `log_loss` (nats) and
        `calibration_error`, each `{"value", "low", "high"}`, and `per_label`, `confusion`, `reliability` and
        `count` (`trainer.evaluation.metrics.compute_metrics`).
    """
    levels = dict(zip(LEVELS, (predictions, predictions.by_recording()), strict=True))
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


def tell_of_other_recordings(run: Run, dataset: Dataset) -> None:
    """Says where the dataset fits a run but was prepared otherwise: divided anew, it holds what was trained on."""
    there, now = run.dataset_info.fingerprint, dataset.fingerprint
    if there != now:
        tell(
            f"{dataset.data_dir} is not the dataset that {run.run_dir} was trained on ({now[:12]}, "
            f"not {there[:12]}): where it holds the same recordings, their splits may be others and the figures "
            "too good"
        )
