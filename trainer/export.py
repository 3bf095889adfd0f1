"""Writes a run as a SavedModel for plain TensorFlow and TF Serving, sound and JPEG in, probabilities out.

avinst export --run_dir=RUN
"""

import sys
from collections.abc import Sequence

from absl import flags

from avinst import command
from avinst.quiet import import_tensorflow_quietly
from trainer.config import PRECISIONS

FLAGS = flags.FlagValues()
RUN_DIR = flags.DEFINE_string("run_dir", "", "the run, made by avinst train", flag_values=FLAGS)
MODEL_DIR = flags.DEFINE_string(
    "model_dir", "", "where the numbered versions are; empty: RUN/export", flag_values=FLAGS
)
PRECISION = flags.DEFINE_enum(
    "precision",
    None,
    PRECISIONS,
    "arithmetic of the layers where the model is served; default: that of the training",
    flag_values=FLAGS,
)


def export() -> None:
    """Runs the command."""
    run_dir = command.required(RUN_DIR)
    import_tensorflow_quietly()
    from trainer import exporting
    from trainer.run import load_run

    run = load_run(run_dir)
    directory, checked = exporting.export_version(run, MODEL_DIR.value, PRECISION.value or "")
    print(f"SavedModel: {directory}")  # noqa: T201
    print(checked.in_words())  # noqa: T201


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return command.run(export, FLAGS, argv)


if __name__ == "__main__":
    sys.exit(main())
