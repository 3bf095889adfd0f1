"""Where the audit finds the networks that were trained on one modality alone."""

import contextlib

from avinst import paths
from avinst.dataset import Dataset
from avinst.errors import UserError
from trainer.config import TrainConfig
from trainer.models.build import MODALITIES
from trainer.run import read_config
from trainer.training import stage_model_path


def stages_run(run_dir: str, config: TrainConfig, trained_on: Dataset, stages_from: str = "") -> str | None:
    """The run whose stages `audio` and `visual` a fused run is compared with.

    Args:
        run_dir: the fused run.
        config: its settings.
        trained_on: its dataset, as `trainer.run.read_config` gives it.
        stages_from: what the user gave; empty for none.

    Returns:
        `run_dir` itself for the independent scheme, else `stages_from`. Where that is empty, the run that a joint
        one began with (`config.init_from`) if it fits, else None.

    Raises:
        UserError: `stages_from` is given for another scheme than joint, is no run with both stages, or was trained
            on another dataset: it may know the recordings that it would be measured on.
    """
    if config.scheme != "joint" and stages_from:
        raise UserError(
            f"--stages_from={stages_from}: only a joint run is compared with another run's stages, "
            f"{run_dir!r} is of the scheme {config.scheme}; leave it out"
        )
    if stages_from:
        _check(stages_from, run_dir, trained_on)
        return stages_from
    if config.scheme == "joint" and config.init_from:
        # Only a guess: it may have been moved, or have no stages.
        with contextlib.suppress(UserError):
            _check(config.init_from, run_dir, trained_on)
            return config.init_from
    return run_dir if config.scheme == "independent" else None


def _check(stages_from: str, run_dir: str, trained_on: Dataset) -> None:
    _, other = read_config(stages_from)
    for stage in MODALITIES["independent"]:
        if not paths.exists(stage_model_path(stages_from, stage)):
            raise UserError(
                f"--stages_from={stages_from}: no finished stage {stage!r} there; "
                "give a run of the scheme independent"
            )
    if other.fingerprint != trained_on.fingerprint:
        raise UserError(
            f"--stages_from={stages_from}: trained on another dataset ({other.fingerprint[:12]}) than {run_dir!r} "
            f"({trained_on.fingerprint[:12]}); give one trained on {trained_on.data_dir}"
        )
