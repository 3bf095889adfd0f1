"""Fitting one network: resumable, best weights kept, logged; and saving it whole."""

import dataclasses
import time
from collections.abc import Callable

import keras
import tensorflow as tf

from avinst import paths
from avinst.progress import Progress, format_seconds
from trainer.batch_norm import LARGEST_NUMBER_OF_BATCHES, reestimate_batch_norm
from trainer.callbacks import BestWeights, EpochProgress, ResumePoint, tell
from trainer.config import TrainConfig
from trainer.models import copy_weights
from trainer.optimization import compile_for_training
from trainer.remedies import fitted_network
from trainer.run import CHECKPOINTS_FOLDER, LOGS_FOLDER, MODEL_FILE, STAGES_FOLDER


@dataclasses.dataclass(frozen=True)
class Batches:
    """What a network is fitted to.

    Attributes:
        train: endless batches of features and labels, from the number of the first epoch on.
        validation: one pass over the validation split, or None where the dataset has none.
        steps: batches of an epoch.
        batch_size: examples a batch.
        statistics: like `train`, not augmented, for the BatchNorm statistics.
    """

    train: Callable[[int], tf.data.Dataset]
    validation: tf.data.Dataset | None
    steps: int
    batch_size: int
    statistics: Callable[[], tf.data.Dataset] | None = None


def stage_model_path(run_dir: str, stage: str) -> str:
    """Where the finished model of a stage is."""
    return paths.join(run_dir, STAGES_FOLDER, stage, MODEL_FILE)


def fit(
    build: Callable[[], keras.Model],
    batches: Batches,
    *,
    run_dir: str,
    stage: str,
    epochs: int,
    config: TrainConfig,
    multi_label: bool,
    initialize: Callable[[keras.Model], None] | None = None,
) -> keras.Model:
    """Fits a network under MirroredStrategy, going on after the last whole epoch of an interrupted training.

    Args:
        build: makes the network with fresh weights; it has a layer `logits`, which the loss is taken of.
        batches: training and validation examples.
        run_dir: checkpoints/<stage> and logs/<stage> are written below it.
        stage: name of the stage.
        epochs: passes over the training split.
        config: the settings.
        multi_label: decides the loss.
        initialize: is called with the fresh network where the training begins.

    Returns:
        A network with the weights of the epoch with the best validation metric, outside of any strategy.
    """
    start = time.monotonic()
    checkpoints = paths.join(run_dir, CHECKPOINTS_FOLDER, stage)
    resume_point = ResumePoint(checkpoints)
    first_epoch = resume_point.epochs_done()
    if first_epoch:
        tell(f"{stage}: goes on after epoch {first_epoch} of {epochs}")
    # One replica without a GPU, one a GPU else.
    strategy = tf.distribute.MirroredStrategy()
    with strategy.scope():
        network = build()
        if initialize is not None and not first_epoch:
            initialize(network)
        fitted = fitted_network(network, config, stage)
        compile_for_training(fitted, config, epochs * batches.steps, multi_label=multi_label)
        resume_point.restore(fitted)
    best = BestWeights(network, checkpoints, config.best_by)
    fitted.fit(
        batches.train(first_epoch),
        initial_epoch=first_epoch,
        epochs=epochs,
        steps_per_epoch=batches.steps,
        validation_data=batches.validation,
        shuffle=False,  # it is, by the input pipeline
        verbose=0,
        callbacks=[
            EpochProgress(stage, batches.steps, batches.batch_size),
            best,
            keras.callbacks.TensorBoard(
                paths.join(run_dir, LOGS_FOLDER, stage), write_graph=False, update_freq="epoch"
            ),
            # Last: an epoch counts as done when everything else about it is written.
            resume_point,
        ],
    )
    best.restore()
    plain = build()
    copy_weights(network, plain)
    if batches.statistics is not None:
        total = min(batches.steps, LARGEST_NUMBER_OF_BATCHES) * batches.batch_size
        progress = Progress(f"{stage}, BatchNorm statistics", total)
        reestimate_batch_norm(plain, batches.statistics(), progress)
    kept = best.best()
    which = f"epoch {kept['epoch']}, validation accuracy {kept['val_accuracy']:.3f}," if kept else "the last epoch"
    tell(f"{stage}: {which} is kept; {format_seconds(time.monotonic() - start)}")
    return plain


def save_stage(model: keras.Model, run_dir: str, stage: str) -> None:
    """Saves a stage's finished model under a temporary name and renames it, then deletes its checkpoints."""
    path = stage_model_path(run_dir, stage)
    paths.make_directory(path.rpartition("/")[0])
    with paths.replacing(path) as temporary:
        model.save(temporary)
    checkpoints = paths.join(run_dir, CHECKPOINTS_FOLDER, stage)
    if paths.exists(checkpoints):
        paths.remove(checkpoints)
