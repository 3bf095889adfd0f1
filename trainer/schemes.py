"""The training schemes: which networks are trained, in which order, and how the last one comes to be."""

import functools

import keras

from avinst import paths
from avinst.dataset import Dataset, load_dataset
from avinst.errors import UserError
from trainer.callbacks import tell
from trainer.config import TrainConfig
from trainer.disk_cache import cached_on_disk
from trainer.fusion import train_fusion
from trainer.initial_weights import check_initial_run, initialize
from trainer.input_pipeline import examples, steps_per_epoch, training_examples
from trainer.leftovers import clear_leftovers
from trainer.models import build_model
from trainer.models.build import INPUT_OF, MODALITIES
from trainer.preview import write_preview
from trainer.run import CHECKPOINTS_FOLDER, MODEL_FILE, STAGES_FOLDER, open_run
from trainer.run_lock import only_training
from trainer.training import Batches, fit, save_stage, stage_model_path

STAGES = {
    "audio": ("audio",),
    "visual": ("visual",),
    "independent": ("audio", "visual", "fusion"),
    "joint": ("joint",),
}


def train(run_dir: str, data_dir: str, config: TrainConfig) -> None:
    """Trains a scheme into a run directory; called again it goes on where it was.

    Args:
        run_dir: new, or of an unfinished run with the same settings.
        data_dir: a finished dataset.
        config: the settings.

    Raises:
        UserError: no dataset, one that nothing can be learned from, a run of other settings or one that another
            process is training, a loss that is NaN.
    """
    dataset = load_dataset(data_dir)
    _check_trainable(dataset)
    check_initial_run(config, dataset)
    with only_training(run_dir):
        open_run(run_dir, config, dataset)
        _train_stages(run_dir, dataset, config)


def _train_stages(run_dir: str, dataset: Dataset, config: TrainConfig) -> None:
    stages = STAGES[config.scheme]
    for folder in (STAGES_FOLDER, CHECKPOINTS_FOLDER):
        for stage in stages:
            clear_leftovers(paths.join(run_dir, folder, stage))
    clear_leftovers(run_dir)
    finished = paths.join(run_dir, MODEL_FILE)
    if paths.exists(finished):
        tell(f"{run_dir} is finished already")
        return
    if not dataset.segments.get("validation"):
        tell(f"{dataset.data_dir} has no validation examples: the last epoch's weights are kept")
    unseen = [label for label in dataset.labels if not dataset.label_segments["train"].get(label)]
    if unseen:
        tell(f"{dataset.data_dir} has no training example of {', '.join(unseen)}: no network can learn that")
    keras.utils.set_random_seed(config.seed)
    with cached_on_disk(dataset, config, run_dir) as stored:
        write_preview(run_dir, stored, config)
        for stage in stages:
            if paths.exists(stage_model_path(run_dir, stage)):
                tell(f"{stage}: done already")
            elif stage == "fusion":
                train_fusion(run_dir, stored, config)
            else:
                _train_network(run_dir, stored, config, stage)
    paths.write_bytes(finished, paths.read_bytes(stage_model_path(run_dir, stages[-1])))


def _train_network(run_dir: str, dataset: Dataset, config: TrainConfig, stage: str) -> None:
    inputs = [INPUT_OF[modality] for modality in MODALITIES[stage]]
    count = dataset.segments["train"]
    steps = steps_per_epoch(count, config.batch_size)
    validation = None
    if dataset.segments.get("validation"):
        validation = examples(dataset, "validation", config.batch_size, inputs=inputs)
    batches = Batches(
        train=lambda first_epoch: training_examples(dataset, config, inputs=inputs, first_epoch=first_epoch),
        validation=validation,
        steps=steps,
        batch_size=min(config.batch_size, count),
        statistics=lambda: training_examples(
            dataset, config, inputs=inputs, first_epoch=config.epochs, plain=True
        ).take(steps),
    )
    model = fit(
        functools.partial(build_model, stage, config, dataset),
        batches,
        run_dir=run_dir,
        stage=stage,
        epochs=config.epochs,
        config=config,
        multi_label=dataset.multi_label,
        initialize=functools.partial(initialize, stage=stage, config=config, dataset=dataset),
    )
    save_stage(model, run_dir, stage)


def _check_trainable(dataset: Dataset) -> None:
    """Raises UserError for a dataset that nothing can be learned from."""
    dataset.tfrecord_paths("train")
    if len(dataset.labels) < 2 and not dataset.multi_label:
        raise UserError(
            f"{dataset.data_dir}: one label only ({dataset.labels[0]}), a detector needs at least two; "
            "prepare with more"
        )
