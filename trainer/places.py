"""Where a training writes to: what the flags say, else what a managed service says by its variables."""

import dataclasses
from collections.abc import Mapping

from avinst import paths
from avinst.errors import UsageError, UserError

# As Vertex AI's custom training sets them, below the job's base output directory.
RUN_DIR_VARIABLE = "AIP_CHECKPOINT_DIR"
LOG_DIR_VARIABLE = "AIP_TENSORBOARD_LOG_DIR"
MODEL_DIR_VARIABLE = "AIP_MODEL_DIR"


@dataclasses.dataclass(frozen=True)
class Places:
    """Directories, local or gs://.

    Attributes:
        run_dir: the run directory: what an interrupted training goes on from.
        log_dir: the training's curves for TensorBoard; empty for RUN/logs.
        model_dir: the SavedModel, written when the training is done; empty for none.
    """

    run_dir: str
    log_dir: str = ""
    model_dir: str = ""


def places(flags: Places, environment: Mapping[str, str]) -> Places:
    """What is written where, without a slash at the end; a flag goes before its variable.

    Raises:
        UsageError: neither --run_dir nor AIP_CHECKPOINT_DIR is given.
        UserError: a directory's scheme is none that avinst writes to, or one lies in the SavedModel's.
    """
    found = Places(
        run_dir=_directory(flags.run_dir, environment, RUN_DIR_VARIABLE),
        log_dir=_directory(flags.log_dir, environment, LOG_DIR_VARIABLE),
        model_dir=_directory(flags.model_dir, environment, MODEL_DIR_VARIABLE),
    )
    if not found.run_dir:
        raise UsageError("--run_dir is missing")
    for directory in dataclasses.astuple(found):
        paths.check_scheme(directory)
    if found.model_dir:
        for directory in filter(None, (found.run_dir, found.log_dir)):
            if f"{paths.absolute(directory)}/".startswith(f"{paths.absolute(found.model_dir)}/"):
                raise UserError(f"{found.model_dir!r} is to hold the SavedModel alone; give another --model_dir")
    return found


def _directory(flag: str, environment: Mapping[str, str], variable: str) -> str:
    return paths.without_last_slash(flag or environment.get(variable, ""))
