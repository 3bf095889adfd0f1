"""Plays a video again with the evidence for a label over it: in the picture, in the spectrogram, and to be heard.

avinst explain --run_dir=RUN clip.mp4 --output=explained.mp4
avinst explain --run_dir=RUN clip.mp4 --output=violin.mp4 --label=violin --listen=evidence.wav

--json prints `output`, `listen` (or null) and `findings`: the lines that are printed without it.
"""

import math
import sys
from collections.abc import Sequence

from absl import flags

from analysis.explained.outputs import check_outputs
from avinst import command, command_flags
from avinst.errors import UsageError
from avinst.quiet import import_tensorflow_quietly
from trainer.run import model_file, read_config

FLAGS = command_flags.new_flags()
RUN_DIR = flags.DEFINE_string("run_dir", "", "the run, made by avinst train", flag_values=FLAGS)
OUTPUT = flags.DEFINE_string("output", "", "MP4 file to write", flag_values=FLAGS)
LABEL = flags.DEFINE_string(
    "label", "", "the label to explain; empty: the recording's most probable one", flag_values=FLAGS
)
LISTEN = flags.DEFINE_string(
    "listen", "", "WAV file to write: the sound that the spectrogram's map keeps", flag_values=FLAGS
)
START_SECONDS = flags.DEFINE_float(
    "start_seconds", 0.0, "where to begin in the video", lower_bound=0.0, flag_values=FLAGS
)
END_SECONDS = flags.DEFINE_float("end_seconds", math.inf, "where to end", lower_bound=0.0, flag_values=FLAGS)
OVERWRITE = flags.DEFINE_bool("overwrite", False, "replace files that are there already", flag_values=FLAGS)
JSON = flags.DEFINE_bool("json", False, "print JSON instead of text", flag_values=FLAGS)
BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", 32, "segments that are computed together", lower_bound=1, flag_values=FLAGS
)


def explain(videos: Sequence[str]) -> None:
    """Runs the command."""
    run_dir, output = command_flags.required(RUN_DIR), command_flags.required(OUTPUT)
    if len(videos) != 1:
        raise UsageError(f"one video is expected, found {' '.join(videos) or 'none'}")
    video = videos[0]
    if END_SECONDS.value <= START_SECONDS.value:
        raise UsageError(f"--end_seconds={END_SECONDS.value:g}: expected more than --start_seconds")
    # All that can be known without a model is told before one is loaded.
    check_outputs(video, output, LISTEN.value, overwrite=OVERWRITE.value)
    read_config(run_dir)
    model_file(run_dir)
    import_tensorflow_quietly()
    from analysis.explained.explaining import Wanted, explain_file

    wanted = Wanted(
        output=output,
        listen=LISTEN.value,
        label=LABEL.value,
        start_seconds=START_SECONDS.value,
        end_seconds=END_SECONDS.value,
        batch_size=BATCH_SIZE.value,
    )
    findings = explain_file(run_dir, video, wanted)
    if JSON.value:
        command.print_json({"output": output, "listen": wanted.listen or None, "findings": findings})
        return
    for line in findings:
        print(line)  # noqa: T201


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return command.run(explain, FLAGS, argv, positional="VIDEO")


if __name__ == "__main__":
    sys.exit(main())
