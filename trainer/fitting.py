"""`avinst train` as one call, its flags as keyword arguments."""

import os
from typing import Any

from avinst.dataset import Dataset
from avinst.keyword_settings import by_kind
from avinst.paths import StrPath
from trainer import interruption
from trainer.config import TrainConfig
from trainer.run import Run, load_run
from trainer.schemes import train


def fit(data: Dataset | StrPath, run_dir: StrPath, *, log_dir: StrPath = "", **settings: Any) -> Run:
    """Trains a detector into a run directory; called again it goes on where it was.

    Interrupting it (Ctrl-C, a notebook's stop button) saves the step that it has reached.

    Args:
        data: a finished dataset, or its directory.
        run_dir: new, or of an unfinished run with the same settings.
        log_dir: where the curves for TensorBoard go; empty: RUN/logs.
        settings: fields of `trainer.TrainConfig`: `scheme="joint"`, `epochs=2`, `audio_backbone="small_cnn"`, ...
            docs/api.md lists them, docs/commands.md the same as flags of `avinst train`.

    Returns:
        The finished run, its model loaded.

    Raises:
        UserError: no such setting, a value that no training can use, a dataset that nothing can be learned from, a
            run of other settings or one that another process is training, or a loss that is NaN.
    """
    run_dir, log_dir = os.fspath(run_dir), os.fspath(log_dir)
    (values,) = by_kind(settings, [TrainConfig])
    data_dir = data.data_dir if isinstance(data, Dataset) else os.fspath(data)
    with interruption.handled("interrupted; call the same again to go on"):
        train(run_dir, data_dir, TrainConfig(**values), log_dir)
    return load_run(run_dir)
