"""The training schemes: which networks are trained, in which order, and how the last one comes to be."""

import dataclasses
import functools

from avinst import paths
from avinst.dataset import Dataset, load_dataset
from avinst.directory_lock import only_writer
from avinst.errors import UserError
from avinst.progress import tell
from trainer.board.preview import write_preview
from trainer.config import TrainConfig
from trainer.devices import replica_devices, suitable_precision, training_batch_size
from trainer.fusion import train_fusion
from trainer.initial_weights import check_initial_run, initialize
from trainer.inputs.batches import Batches
from trainer.inputs.damaged_files import damaged_files_named
from trainer.inputs.disk_cache import cached_on_disk
from trainer.inputs.pipeline import examples, steps_per_epoch, training_examples
from trainer.leftovers import clear_leftovers
from trainer.models import build_model
from trainer.models.build import INPUT_OF, MODALITIES
from trainer.run import CHECKPOINTS_FOLDER, LOGS_FOLDER, MODEL_FILE, STAGES_FOLDER, RunPaths, is_begun, open_run
from trainer.training import drop_checkpoints, fit, save_stage, stage_model_path
from trainer.void_settings import settings_of_no_use

STAGES = {
    "audio": ("audio",),
    "visual": ("visual",),
    "independent": ("audio", "visual", "fusion"),
    "joint": ("joint",),
}


def train(run_dir: str, data_dir: str, config: TrainConfig, log_dir: str = "") -> None:
    """Trains a scheme into a run directory; called again it goes on where it was.

    Args:
        run_dir: new, or of an unfinished run with the same settings.
        data_dir: a finished dataset.
        config: the settings; the precision `auto` becomes the one that suits the devices.
        log_dir: where the curves go instead of to RUN/logs.

    Raises:
        UserError: no dataset, one that nothing can be learned from, a run of other settings or examples, one that
            another process is training, a batch that cannot be divided among the replicas, a loss that is NaN.
        Interrupted: a signal came (`trainer.interruption`); what can be saved is.
    """
    dataset = load_dataset(data_dir)
    _check_trainable(dataset, config)
    if config.precision == "auto":
        config = dataclasses.replace(config, precision=suitable_precision())
    if not is_begun(run_dir):  # else the weights are taken, the settings the same, and that run may be gone
        check_initial_run(config, dataset)
    with only_writer(run_dir, "train", "run_dir"), damaged_files_named(dataset, ["train", "validation"]):
        open_run(run_dir, config, dataset)
        _train_stages(RunPaths(run_dir, log_dir or paths.join(run_dir, LOGS_FOLDER)), dataset, config)


def _train_stages(where: RunPaths, dataset: Dataset, config: TrainConfig) -> None:
    run_dir = where.run_dir
    stages = STAGES[config.scheme]
    for folder in (STAGES_FOLDER, CHECKPOINTS_FOLDER):
        for stage in stages:
            clear_leftovers(paths.join(run_dir, folder, stage))
    clear_leftovers(run_dir)
    finished = paths.join(run_dir, MODEL_FILE)
    if paths.exists(finished):
        tell(f"{run_dir} is finished already")
        return
    for line in settings_of_no_use(config):
        tell(line)
    if not dataset.segments.get("validation"):
        tell(f"{dataset.data_dir} has no validation examples: the last epoch's weights are kept")
    unseen = [label for label in dataset.labels if not dataset.label_segments["train"].get(label)]
    if unseen:
        tell(f"{dataset.data_dir} has no training example of {', '.join(unseen)}: no network can learn that")
    if len(replica_devices()) > 1:
        tell(f"{len(replica_devices())} replicas: {', '.join(replica_devices())}")
    with cached_on_disk(dataset, config, run_dir) as stored:
        write_preview(where.log_dir, stored, config)
        for stage in stages:
            if paths.exists(stage_model_path(run_dir, stage)):
                tell(f"{stage}: done already")
                drop_checkpoints(run_dir, stage)  # of a process that was killed before it did
            elif stage == "fusion":
                train_fusion(where, stored, config)
            else:
                _train_network(where, stored, config, stage)
    paths.write_bytes(finished, paths.read_bytes(stage_model_path(run_dir, stages[-1])))


def _train_network(where: RunPaths, dataset: Dataset, config: TrainConfig, stage: str) -> None:
    inputs = [INPUT_OF[modality] for modality in MODALITIES[stage]]
    count = dataset.segments["train"]
    config = dataclasses.replace(config, batch_size=training_batch_size(count, config.batch_size))
    steps = steps_per_epoch(count, config.batch_size)
    validation = None
    if dataset.segments.get("validation"):
        validation = examples(dataset, "validation", config.batch_size, inputs=inputs)
    batches = Batches(
        train=lambda epoch, batch: training_examples(
            dataset, config, inputs=inputs, first_epoch=epoch, first_batch=batch
        ),
        validation=validation,
        steps=steps,
        batch_size=config.batch_size,
        statistics=lambda: training_examples(
            dataset, config, inputs=inputs, first_epoch=config.epochs, plain=True
        ).take(steps),
    )
    model = fit(
        functools.partial(build_model, stage, config, dataset),
        batches,
        where=where,
        stage=stage,
        epochs=config.epochs,
        config=config,
        multi_label=dataset.multi_label,
        initialize=functools.partial(initialize, stage=stage, config=config, dataset=dataset),
    )
    save_stage(model, where.run_dir, stage)


def _check_trainable(dataset: Dataset, config: TrainConfig) -> None:
    """Raises UserError for a dataset that nothing can be learned from, or not with these settings."""
    dataset.tfrecord_paths("train")
    training_batch_size(dataset.segments["train"], config.batch_size)
    if config.patience and not dataset.segments.get("validation"):
        raise UserError(
            f"--patience={config.patience}: {dataset.data_dir} has no validation examples to stop by; give "
            "--patience=0 or prepare with a validation split"
        )
    if len(dataset.labels) < 2 and not dataset.multi_label:
        raise UserError(
            f"{dataset.data_dir}: one label only ({dataset.labels[0]}), a detector needs at least two; "
            "prepare with more"
        )
