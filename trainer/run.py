"""A run directory: what `train` leaves behind, how a run is begun, gone on with and loaded."""

import dataclasses
import json
import logging
import os
import shlex
import sys
from pathlib import Path
from typing import Any

from avinst import paths
from avinst.dataset import Dataset, dataset_from_json, load_dataset
from avinst.errors import UserError
from avinst.json_values import read_json_object
from avinst.nearest import file_hint
from avinst.paths import StrPath
from avinst.versions import package_versions
from trainer.config import TrainConfig
from trainer.run_differences import content_differences, setting_differences

CONFIG_FILE = "config.json"
MODEL_FILE = "model.keras"
METRICS_FILE = "metrics.json"
AUDIT_FILE = "audit.json"
STAGES_FOLDER = "stages"
CHECKPOINTS_FOLDER = "checkpoints"
LOGS_FOLDER = "logs"
CACHE_FOLDER = "cache"
EXPORT_FOLDER = "export"
FORMAT_VERSION = 1
_LOG = logging.getLogger(__name__)
# What a run may hold of which nothing is lost while there is no whole epoch.
_UNTRAINED = (LOGS_FOLDER, STAGES_FOLDER, CHECKPOINTS_FOLDER, CACHE_FOLDER)
_PACKAGES = ("tensorflow", "keras", "keras-cv", "tensorflow-io", "numpy")


@dataclasses.dataclass(frozen=True)
class RunPaths:
    """Where a training writes.

    Attributes:
        run_dir: the run directory.
        log_dir: the curves for TensorBoard: RUN/logs, unless they are wanted elsewhere.
    """

    run_dir: str
    log_dir: str


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        run_dir: the directory.
        config: the settings that it was trained with.
        dataset_info: the dataset as it was at training: spec, labels, multi_label; `data_dir` is where it lay.
        model: keras.Model with the inputs `log_mel` and `frame` (a scheme of one modality: its own only)
            and the output `probabilities` [batch, labels].
    """

    run_dir: str
    config: TrainConfig
    dataset_info: Dataset
    model: Any


def load_run(run_dir: StrPath, checkpoint: str = MODEL_FILE) -> Run:
    """Loads a run.

    Args:
        run_dir: the directory that `avinst train` wrote.
        checkpoint: the model's path below it, `stages/audio/model.keras` for example.

    Raises:
        UserError: no such directory, no run, or a run whose training is not finished.
    """
    run_dir = os.fspath(run_dir)
    config, dataset = read_config(run_dir)
    return Run(run_dir, config, dataset, load_model(model_file(run_dir, checkpoint)))


def model_file(run_dir: str, checkpoint: str = MODEL_FILE) -> str:
    """The file of a run's model; raises UserError where the run is not finished."""
    file = paths.join(run_dir, *checkpoint.split("/"))
    if not paths.exists(file):
        raise UserError(f"{run_dir!r} has no {checkpoint}: unfinished; run the same avinst train again")
    return file


def loaded(run: Run | StrPath) -> Run:
    """The run, which may be given as its directory; raises UserError as `load_run`."""
    return run if isinstance(run, Run) else load_run(run)


def directory_of(run: Run | StrPath) -> str:
    """The directory of a run, which may be given as that."""
    return run.run_dir if isinstance(run, Run) else os.fspath(run)


def load_model(file: str) -> Any:
    """The Keras model of a file that is there; raises UserError where it is damaged or may not be read."""
    import keras

    _LOG.info("model %s, %d bytes", file, paths.size(file))
    try:
        return keras.models.load_model(file, compile=False, safe_mode=True)
    except Exception as error:  # zipfile's, zlib's, h5py's and Keras' own, by where the damage is
        # Of a file that is no whole zip archive Keras says that it is not found.
        reason = "no whole Keras file" if "File not found" in str(error) else f"{type(error).__name__}: {error}"
        raise UserError(
            f"the model {file!r} is damaged or unreadable ({reason}, {paths.size(file)} bytes); delete it "
            "and run the same avinst train again"
        ) from error


def read_metrics(folder: str, name: str = METRICS_FILE) -> dict[str, Any]:
    """What metrics.json of a run or a stage says: split to metrics; empty where nothing was measured yet.

    Args:
        folder: of the run or the stage.
        name: another file that `avinst evaluate` writes: split to what was found there.

    Raises:
        UserError: it is damaged.
    """
    file = paths.join(folder, name)
    if not paths.exists(file):
        return {}
    return read_json_object(file, "delete it and run avinst evaluate again")


def read_config(run_dir: str) -> tuple[TrainConfig, Dataset]:
    """The settings of a run, finished or not, and the dataset as it was; imports no Keras.

    Raises:
        UserError: no such directory, or one without a readable config.json.
    """
    file = paths.join(run_dir, CONFIG_FILE)
    if not paths.is_directory(run_dir):
        raise UserError(f"no run directory {run_dir!r}{file_hint(run_dir)}; make it with avinst train")
    if not paths.exists(file):
        raise UserError(f"{run_dir!r} has no {CONFIG_FILE}: no run; give the --run_dir of avinst train")
    try:
        values = read_json_object(file, "train into another --run_dir")
        version, flags = values["format_version"], values["flags"]
        dataset_values, data_dir = values["dataset"], str(os.fspath(values["data_dir"]))
        if version != FORMAT_VERSION:
            raise UserError(f"{file!r}: run format {version}, this avinst reads {FORMAT_VERSION}; train anew")
        return TrainConfig.from_json(dict(flags)), dataset_from_json(dict(dataset_values), data_dir)
    except UserError as error:
        raise UserError(str(error) if file in str(error) else f"{file!r}: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{file!r} is damaged ({error!r}); train into another --run_dir") from error


def dataset_of(run_dir: str, trained_on: Dataset, data_dir: str = "") -> Dataset:
    """The dataset to work on with a run.

    Args:
        run_dir: for the message.
        trained_on: as `read_config` gives it.
        data_dir: another place, or empty for the one that the run was trained on.

    Raises:
        UserError: there is no finished dataset.
    """
    if not data_dir and not paths.is_directory(trained_on.data_dir):
        raise UserError(
            f"the dataset that {run_dir!r} was trained on is no longer in {trained_on.data_dir!r}; give --data_dir"
        )
    return load_dataset(data_dir or trained_on.data_dir)


def dataset_for(run_dir: str, data_dir: str, split: str) -> Dataset:
    """The dataset to work on with a finished run; of local directories it is found without TensorFlow.

    Args:
        run_dir: the run.
        data_dir: the dataset; empty: the one that the run was trained on.
        split: of the dataset, which must have examples.

    Raises:
        UserError: no finished run, no finished dataset, or no examples in the split.
    """
    _, trained_on = read_config(run_dir)
    dataset = dataset_of(run_dir, trained_on, data_dir)
    dataset.tfrecord_paths(split)
    model_file(run_dir)
    return dataset


def open_run(run_dir: str, config: TrainConfig, dataset: Dataset) -> None:
    """Makes the directory and its config.json, or checks that the run there was begun with the same settings.

    A run that failed or was stopped before anything of it was trained is begun anew where the settings are others.

    Raises:
        UserError: the run there has other flags or another dataset, or is unfinished and the dataset was prepared
            again and holds other examples to train on since; the message shows the differences. Or the directory
            holds other things than a run.
    """
    file = paths.join(run_dir, CONFIG_FILE)
    if not paths.exists(file):
        if foreign := _seen_names(run_dir):
            raise UserError(f"{run_dir!r} holds {foreign[0]!r} but no run; give a new directory as --run_dir")
        paths.make_directory(run_dir)
        _write_config(file, config, dataset)
        return
    found_config, found_dataset = read_config(run_dir)
    settings = setting_differences(found_config, config, found_dataset, dataset)
    finished = paths.exists(paths.join(run_dir, MODEL_FILE))  # nothing is read of the dataset any more
    contents = [] if settings or finished else content_differences(found_dataset, dataset)
    if (settings or contents) and _nothing_is_trained(run_dir):
        for name in _UNTRAINED:
            if paths.exists(paths.join(run_dir, name)):
                paths.remove(paths.join(run_dir, name))
        _write_config(file, config, dataset)
    elif settings:
        raise UserError(
            f"{run_dir!r} was begun otherwise ({'; '.join(settings)}); give the same flags or another --run_dir"
        )
    elif contents:
        raise UserError(
            f"{run_dir!r} was begun on other contents of {dataset.data_dir!r}, which was prepared again since "
            f"({'; '.join(contents)}); train into another --run_dir"
        )


def is_begun(run_dir: str) -> bool:
    """Whether something of a run is trained already."""
    return paths.exists(paths.join(run_dir, CONFIG_FILE)) and not _nothing_is_trained(run_dir)


def _nothing_is_trained(run_dir: str) -> bool:
    """Whether a run came to no whole epoch, so that nothing is lost when it is begun anew."""
    if set(_seen_names(run_dir)) - {CONFIG_FILE, *_UNTRAINED}:
        return False
    folders = [paths.join(run_dir, name) for name in (STAGES_FOLDER, CHECKPOINTS_FOLDER)]
    return not any(_seen_names(paths.join(folder, stage)) for folder in folders for stage in _seen_names(folder))


def _seen_names(folder: str) -> list[str]:
    return [name for name in paths.list_directory(folder) if not name.startswith(".")]


def _write_config(file: str, config: TrainConfig, dataset: Dataset) -> None:
    paths.write_text(file, json.dumps(_config_json(config, dataset), indent=2) + "\n")


def _config_json(config: TrainConfig, dataset: Dataset) -> dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION,
        # Model cards are published with it: where the program lies on this machine is nobody's business.
        "command": shlex.join([Path(sys.argv[0]).name.replace("cli.py", "avinst"), *sys.argv[1:]]),
        "flags": config.to_json(),
        "seed": config.seed,
        "data_dir": paths.absolute(dataset.data_dir),
        "dataset": dataset.to_json(),
        "versions": package_versions(_PACKAGES),
    }
