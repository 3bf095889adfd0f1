"""Fitting one network: resumable, best weights kept, logged; and saving it whole."""

import time
from collections.abc import Callable

import keras

from avinst import paths
from avinst.progress import Progress, format_seconds, tell
from trainer.batch_norm import LARGEST_NUMBER_OF_BATCHES, reestimate_batch_norm
from trainer.best_weights import BestWeights
from trainer.board.curves import Curves
from trainer.config import TrainConfig
from trainer.devices import make_strategy, synchronize_batch_norm
from trainer.inputs.batches import Batches
from trainer.loop import TrainingLoop
from trainer.models import copy_weights
from trainer.optimization import compile_for_training
from trainer.overfitting import overfitting_sentence
from trainer.remedies import fitted_network
from trainer.resume_point import Position, ResumePoint
from trainer.run import CHECKPOINTS_FOLDER, MODEL_FILE, STAGES_FOLDER, RunPaths
from trainer.validation import Validation


def stage_model_path(run_dir: str, stage: str) -> str:
    """Where the finished model of a stage is."""
    return paths.join(run_dir, STAGES_FOLDER, stage, MODEL_FILE)


def fit(
    build: Callable[[], keras.Model],
    batches: Batches,
    *,
    where: RunPaths,
    stage: str,
    epochs: int,
    config: TrainConfig,
    multi_label: bool,
    initialize: Callable[[keras.Model], None] | None = None,
) -> keras.Model:
    """Fits a network under MirroredStrategy, going on where an interrupted training was.

    Args:
        build: makes the network with fresh weights; it has a layer `logits`, which the loss is taken of.
        batches: training and validation examples.
        where: <run_dir>/checkpoints/<stage> and <log_dir>/<stage> are written.
        stage: name of the stage.
        epochs: passes over the training split, fewer if `config.patience` says so.
        config: the settings.
        multi_label: decides the loss.
        initialize: is called with the fresh network where the training begins.

    Returns:
        A network with the weights of the epoch with the best validation metric, outside of any strategy.
    """
    began = time.monotonic()
    checkpoints = paths.join(where.run_dir, CHECKPOINTS_FOLDER, stage)
    # Of this stage alone: a run that goes on in it draws what an undisturbed one would.
    keras.utils.set_random_seed(config.seed)
    strategy = make_strategy()
    with strategy.scope():
        network = build()
        synchronize_batch_norm(network, strategy.num_replicas_in_sync)
        fitted = fitted_network(network, config, stage)
        compile_for_training(fitted, config, epochs * batches.steps, multi_label=multi_label)
        resume_point = ResumePoint(checkpoints)
        start = resume_point.restore(fitted)
        if initialize is not None and start == Position():
            initialize(network)
    best = BestWeights(network, checkpoints, config.best_by)
    curves = Curves(paths.join(where.log_dir, stage))

    reached: dict[int, dict[str, float]] = {}

    def is_enough(epochs_done: int) -> bool:
        return 0 < config.patience <= best.epochs_without_gain(epochs_done)

    def after_epoch(epochs_done: int, metrics: dict[str, float]) -> bool:
        reached[epochs_done] = metrics
        best.keep(epochs_done, metrics)
        curves.write(epochs_done - 1, metrics, float(fitted.optimizer.learning_rate))
        return is_enough(epochs_done)

    if start != Position():
        step = f"step {start.step} of " if start.step else ""
        tell(f"{stage}: goes on after {step}epoch {start.epoch + bool(start.step)} of {epochs}")
    if start.epoch < epochs and not is_enough(start.epoch):
        validation = None
        if batches.validation is not None:
            validation = Validation(fitted, batches.validation, multi_label=multi_label)
        loop = TrainingLoop(
            fitted, batches, stage=stage, epochs=epochs, resume_point=resume_point, validation=validation
        )
        loop.run(start, after_epoch)
    best.restore()
    plain = build()
    copy_weights(network, plain)
    if batches.statistics is not None:
        total = min(batches.steps, LARGEST_NUMBER_OF_BATCHES) * batches.batch_size
        progress = Progress(f"{stage}, BatchNorm statistics", total)
        reestimate_batch_norm(plain, batches.statistics(), progress)
    kept = best.best()
    which = "the last epoch"
    if kept:
        which = f"epoch {kept['epoch']}, validation {config.best_by} {kept[f'val_{config.best_by}']:.3f},"
    tell(f"{stage}: {which} is kept; {format_seconds(time.monotonic() - began)}")
    overfitted = overfitting_sentence(reached, int(kept["epoch"])) if kept else ""
    if overfitted:
        tell(f"{stage}: {overfitted}")
    return plain


def save_stage(model: keras.Model, run_dir: str, stage: str) -> None:
    """Saves a stage's finished model under a temporary name and renames it, then deletes its checkpoints."""
    path = stage_model_path(run_dir, stage)
    paths.make_directory(path.rpartition("/")[0])
    with paths.replacing(path) as temporary:
        model.save(temporary)
    drop_checkpoints(run_dir, stage)


def drop_checkpoints(run_dir: str, stage: str) -> None:
    """Deletes what a finished stage would have gone on from."""
    checkpoints = paths.join(run_dir, CHECKPOINTS_FOLDER, stage)
    if paths.exists(checkpoints):
        paths.remove(checkpoints)
