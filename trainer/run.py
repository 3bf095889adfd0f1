"""A run directory: what `train` leaves behind, how a run is begun, gone on with and loaded."""

import dataclasses
import json
import sys
from typing import Any

from avinst import paths
from avinst.dataset import Dataset, dataset_from_json
from avinst.errors import UserError
from avinst.versions import package_versions
from trainer.config import TrainConfig

CONFIG_FILE = "config.json"
MODEL_FILE = "model.keras"
METRICS_FILE = "metrics.json"
STAGES_FOLDER = "stages"
CHECKPOINTS_FOLDER = "checkpoints"
LOGS_FOLDER = "logs"
EXPORT_FOLDER = "export"
FORMAT_VERSION = 1
_PACKAGES = ("tensorflow", "keras", "keras-cv", "tensorflow-io", "numpy")


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


def load_run(run_dir: str, checkpoint: str = MODEL_FILE) -> Run:
    """Loads a run.

    Args:
        run_dir: the directory that `avinst train` wrote.
        checkpoint: the model's path below it, `stages/audio/model.keras` for example.

    Raises:
        UserError: no such directory, no run, or a run whose training is not finished.
    """
    config, dataset = read_config(run_dir)
    file = paths.join(run_dir, *checkpoint.split("/"))
    if not paths.exists(file):
        raise UserError(f"{run_dir!r} has no {checkpoint}: unfinished; run the same avinst train again")
    import keras

    try:
        model = keras.models.load_model(file, compile=False, safe_mode=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"cannot read the model {file!r} ({error}); train it anew") from error
    return Run(run_dir, config, dataset, model)


def read_config(run_dir: str) -> tuple[TrainConfig, Dataset]:
    """The settings of a run, finished or not, and the dataset as it was; imports no Keras.

    Raises:
        UserError: no such directory, or one without a readable config.json.
    """
    file = paths.join(run_dir, CONFIG_FILE)
    if not paths.is_directory(run_dir):
        raise UserError(f"no run directory {run_dir!r}; make it with avinst train")
    if not paths.exists(file):
        raise UserError(f"{run_dir!r} has no {CONFIG_FILE}: no run; give the --run_dir of avinst train")
    try:
        values = json.loads(paths.read_text(file))
        version, flags = values["format_version"], values["flags"]
        dataset_values, data_dir = values["dataset"], values["data_dir"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{file!r} is damaged ({error!r}); train into another --run_dir") from error
    if version != FORMAT_VERSION:
        raise UserError(f"{file!r}: run format {version}, this avinst reads {FORMAT_VERSION}; train anew")
    return TrainConfig.from_json(flags), dataset_from_json(dataset_values, data_dir)


def open_run(run_dir: str, config: TrainConfig, dataset: Dataset) -> None:
    """Makes the directory and its config.json, or checks that the run there was begun with the same settings.

    Raises:
        UserError: the run there has other flags or another dataset; the message shows the differences. Or the
            directory holds other things than a run.
    """
    file = paths.join(run_dir, CONFIG_FILE)
    if not paths.exists(file):
        foreign = [name for name in paths.list_directory(run_dir) if not name.startswith(".")]
        if foreign:
            raise UserError(f"{run_dir!r} holds {foreign[0]!r} but no run; give a new directory as --run_dir")
        paths.make_directory(run_dir)
        paths.write_text(file, json.dumps(_config_json(config, dataset), indent=2) + "\n")
        return
    found_config, found_dataset = read_config(run_dir)
    there, now = found_config.to_json(), config.to_json()
    differences = [f"{name}: {there[name]} there, {now[name]} now" for name in now if there[name] != now[name]]
    if found_dataset.fingerprint != dataset.fingerprint:
        differences.append(
            f"dataset fingerprint: {found_dataset.fingerprint[:12]} there ({found_dataset.data_dir}), "
            f"{dataset.fingerprint[:12]} now ({dataset.data_dir})"
        )
    if differences:
        raise UserError(
            f"{run_dir!r} was begun otherwise ({'; '.join(differences)}); give the same flags or another --run_dir"
        )


def _config_json(config: TrainConfig, dataset: Dataset) -> dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION,
        "command": " ".join(sys.argv),
        "flags": config.to_json(),
        "seed": config.seed,
        "data_dir": dataset.data_dir,
        "dataset": dataset.to_json(),
        "versions": package_versions(_PACKAGES),
    }
