"""Writes a run as a SavedModel for plain TensorFlow and TF Serving, sound and JPEG in, probabilities out.

avinst export --run_dir=RUN

--json prints `model_dir` (the version's directory, for avinst predict --model_dir), `signatures`, and `checked`:
what the SavedModel was compared on with the run, and the largest `difference`.
"""

import dataclasses
import sys
from collections.abc import Sequence

from absl import flags

from avinst import command, command_flags
from avinst.quiet import import_tensorflow_quietly
from trainer.config import PRECISIONS
from trainer.run import model_file, read_config

FLAGS = command_flags.new_flags()
RUN_DIR = flags.DEFINE_string("run_dir", "", "the run, made by avinst train", flag_values=FLAGS)
OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", "", "where the numbered versions are; empty: RUN/export", flag_values=FLAGS
)
PRECISION = flags.DEFINE_enum(
    "precision",
    None,
    PRECISIONS,
    "arithmetic of the layers where the model is served; default: that of the training",
    flag_values=FLAGS,
)


JSON = flags.DEFINE_bool("json", False, "print JSON instead of text", flag_values=FLAGS)


def export() -> None:
    """Runs the command."""
    run_dir = command_flags.required(RUN_DIR)
    read_config(run_dir)  # what is missing is told before TensorFlow is imported
    model_file(run_dir)
    import_tensorflow_quietly()
    from trainer.exported import exporting
    from trainer.exported.signatures import endpoints
    from trainer.run import load_run

    run = load_run(run_dir)
    directory, checked = exporting.export_version(run, OUTPUT_DIR.value, PRECISION.value or "")
    if JSON.value:
        names = sorted(endpoints(run.model, run.dataset_info))
        command.print_json({"model_dir": directory, "signatures": names, "checked": dataclasses.asdict(checked)})
        return
    print(f"SavedModel: {directory}")  # noqa: T201
    print(checked.in_words())  # noqa: T201


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return command.run(export, FLAGS, argv)


if __name__ == "__main__":
    sys.exit(main())
