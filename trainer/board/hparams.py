"""A run's settings beside its metrics, so that TensorBoard's HParams tab compares runs."""

import hashlib
import json
from typing import Any

from tensorboard.plugins.hparams import api

from avinst import paths
from avinst.dataset import Dataset
from trainer.run import Run

HParamValue = bool | int | float | str


def write_hparams(run: Run, dataset: Dataset, split: str) -> None:
    """Writes the settings to the default writer; the metrics are the scalars beside them.

    Without a description of the whole experiment: TensorBoard would take the first it finds for that of all runs.
    """
    api.hparams(hparams(run, dataset, split), trial_id=trial_id(run.run_dir, split))


def hparams(run: Run, dataset: Dataset, split: str) -> dict[str, HParamValue]:
    """All settings of `config.json`, and what was measured on."""
    measured_on = {"evaluation_split": split, "evaluation_dataset": dataset.fingerprint[:12]}
    return {name: _plain(value) for name, value in {**run.config.to_json(), **measured_on}.items()}


def trial_id(run_dir: str, split: str) -> str:
    """The run's name, a part of the hash of its whole path, and the split.

    TensorBoard takes the mean over what bears the same id, so that neither two seeds nor two splits may.
    """
    path = paths.absolute(run_dir).rstrip("/")
    return f"{path.rpartition('/')[2]} {hashlib.sha256(path.encode()).hexdigest()[:6]} {split}"


def _plain(value: Any) -> HParamValue:
    return value if isinstance(value, HParamValue) else json.dumps(value)
