"""Trains one scheme on a dataset into a run directory; run it again to go on after an interruption.

avinst train --data_dir=DATASET --run_dir=RUN --scheme=joint
"""

import sys
from collections.abc import Sequence

from absl import flags

from avinst import command
from avinst.quiet import import_tensorflow_quietly
from trainer.config import TrainConfig

FLAGS = flags.FlagValues()
DATA_DIR = flags.DEFINE_string("data_dir", "", "the dataset, made by avinst prepare", flag_values=FLAGS)
RUN_DIR = flags.DEFINE_string("run_dir", "", "the directory that the run is written to", flag_values=FLAGS)


SETTINGS = command.define_settings(TrainConfig, FLAGS)


def train() -> None:
    """Runs the command."""
    data_dir, run_dir = command.required(DATA_DIR), command.required(RUN_DIR)
    config = TrainConfig(**{name: holder.value for name, holder in SETTINGS.items()})
    import_tensorflow_quietly()
    from trainer import schemes

    schemes.train(run_dir, data_dir, config)
    print(f"model:  {run_dir}/model.keras")  # noqa: T201
    print(f"curves: tensorboard --logdir {run_dir}")  # noqa: T201
    print(f"next:   avinst evaluate --run_dir={run_dir}")  # noqa: T201


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return command.run(train, FLAGS, argv)


if __name__ == "__main__":
    sys.exit(main())
