"""Trains one scheme on a dataset into a run directory; run it again to go on after an interruption.

avinst train --data_dir=DATASET --run_dir=RUN --scheme=joint

SIGTERM and Ctrl-C save the training at the step that it has reached and end it with status 143 or 130.

In a custom training job of Vertex AI --run_dir, --log_dir and --model_dir may be left out: AIP_CHECKPOINT_DIR,
AIP_TENSORBOARD_LOG_DIR and AIP_MODEL_DIR are taken. TF_CONFIG may name one machine only.

--json prints `run_dir`, `scheme`, `model` (the Keras file), `log_dir` and `model_dir` (the SavedModel's, or null).
"""

import os
import sys
from collections.abc import Sequence

from absl import flags

from avinst import command, command_flags, paths
from avinst.dataset import load_dataset
from avinst.quiet import import_tensorflow_quietly
from trainer import interruption
from trainer.config import TrainConfig
from trainer.places import Places, places
from trainer.run import LOGS_FOLDER, MODEL_FILE, is_begun, load_run, read_config
from trainer.weights_file import check_weights_file
from trainer.workers import check_single_machine

FLAGS = command_flags.new_flags()
DATA_DIR = flags.DEFINE_string("data_dir", "", "the dataset, made by avinst prepare", flag_values=FLAGS)
RUN_DIR = flags.DEFINE_string(
    "run_dir", "", "the directory that the run is written to; empty: $AIP_CHECKPOINT_DIR", flag_values=FLAGS
)
LOG_DIR = flags.DEFINE_string(
    "log_dir",
    "",
    "where the curves for TensorBoard go; empty: $AIP_TENSORBOARD_LOG_DIR, or RUN/logs",
    flag_values=FLAGS,
)
MODEL_DIR = flags.DEFINE_string(
    "model_dir",
    "",
    "where a SavedModel is written at the end, as avinst export does; empty: $AIP_MODEL_DIR, or none",
    flag_values=FLAGS,
)
VIRTUAL_CPUS = flags.DEFINE_integer(
    "virtual_cpus",
    0,
    "divide the CPU into so many devices, to try a training on several replicas without GPUs; 0: one replica for "
    "each GPU, or one on the CPU",
    lower_bound=0,
    upper_bound=64,
    flag_values=FLAGS,
)


JSON = flags.DEFINE_bool("json", False, "print JSON instead of text", flag_values=FLAGS)
SETTINGS = command_flags.define_settings(TrainConfig, FLAGS)

FLAG_GROUPS = {
    "where from, where to": ("data_dir", "run_dir", "log_dir", "model_dir", "init_from", "json"),
    "the network": (
        "scheme",
        "audio_backbone",
        "audio_blocks",
        "audio_width",
        "visual_backbone",
        "visual_weights",
        "fusion_hidden_units",
        "dropout",
    ),
    "how long": ("epochs", "fusion_epochs", "best_by", "patience"),
    "the steps": ("batch_size", "learning_rate", "weight_decay", "label_smoothing", "clip_norm", "seed"),
    "what is done to the examples": ("augment", "rand_augment", "mix", "mix_alpha", "balance"),
    "the balance of the modalities": ("modality_dropout", "gradient_modulation", "modulation_alpha"),
    "the machine": ("precision", "cache", "cache_dir", "virtual_cpus"),
}


def train() -> None:
    """Runs the command."""
    data_dir = command_flags.required(DATA_DIR)
    to = places(Places(RUN_DIR.value, LOG_DIR.value, MODEL_DIR.value), os.environ)
    config = command_flags.settings_of(TrainConfig, SETTINGS)
    check_single_machine(os.environ)
    # What is missing is told before TensorFlow is imported.
    load_dataset(data_dir)
    if not is_begun(to.run_dir):
        check_weights_file(config)
        if config.init_from:
            read_config(config.init_from)
    with interruption.handled("interrupted; run the same command again to go on"):
        import_tensorflow_quietly()
        from trainer import devices, schemes
        from trainer.exported import exporting

        if VIRTUAL_CPUS.value:
            devices.use_virtual_cpus(VIRTUAL_CPUS.value)
        if to.model_dir:
            exporting.check_replaceable(to.model_dir)  # before the training: it may take days
        schemes.train(to.run_dir, data_dir, config, to.log_dir)
        if to.model_dir:
            checked = exporting.export_to(load_run(to.run_dir), to.model_dir)
    if JSON.value:
        model, logs = paths.join(to.run_dir, MODEL_FILE), to.log_dir or paths.join(to.run_dir, LOGS_FOLDER)
        found = {"run_dir": to.run_dir, "scheme": config.scheme, "model": model, "log_dir": logs}
        command.print_json({**found, "model_dir": to.model_dir or None})
        return
    print(f"model:  {to.run_dir}/model.keras")  # noqa: T201
    if to.model_dir:
        print(f"served: {to.model_dir}, {checked.in_words()}")  # noqa: T201
    print(f"curves: tensorboard --logdir {to.log_dir or to.run_dir}")  # noqa: T201
    print(f"next:   avinst evaluate --run_dir={to.run_dir}")  # noqa: T201


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return command.run(train, FLAGS, argv)


if __name__ == "__main__":
    sys.exit(main())
