"""Tells which instruments a video holds: label probabilities of each second and of the whole recording.

avinst predict --run_dir=RUN clip.mp4
avinst predict --model_dir=SAVEDMODEL --json clip.mp4
"""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from absl import flags

from avinst import command
from avinst.errors import UsageError, UserError
from avinst.quiet import import_tensorflow_quietly

if TYPE_CHECKING:
    from beam_pipelines.prediction import Prediction

FLAGS = flags.FlagValues()
_RUN_DIR = flags.DEFINE_string("run_dir", "", "a run whose newest export is used", flag_values=FLAGS)
_MODEL_DIR = flags.DEFINE_string(
    "model_dir", "", "an exported version directory instead of a run", flag_values=FLAGS
)
_JSON = flags.DEFINE_bool("json", False, "print a line of JSON for each video", flag_values=FLAGS)


def predict(videos: Sequence[str]) -> None:
    """Predicts every video that is named."""
    if bool(_RUN_DIR.value) == bool(_MODEL_DIR.value):
        raise UsageError("give either --run_dir or --model_dir")
    if not videos:
        raise UsageError("no video given")
    import_tensorflow_quietly()
    from avinst.decoder import Decoder
    from beam_pipelines.detector import load_detector, newest_export
    from beam_pipelines.prediction import predict_video

    detector = load_detector(_MODEL_DIR.value or newest_export(_RUN_DIR.value))
    failures = []
    with Decoder() as decoder:
        for video in videos:
            try:
                prediction = predict_video(detector, video, decoder)
            except UserError as error:
                failures.append(str(error))
                continue
            print(json.dumps(prediction.to_json()) if _JSON.value else table(prediction), flush=True)  # noqa: T201
    if failures:
        raise UserError("; ".join(failures))


def table(prediction: "Prediction") -> str:
    """The prediction as text: labels by rank, with the recording's and every segment's probabilities."""
    width = max(len("label"), *map(len, prediction.labels))
    starts = "".join(f"{start:>6.0f} s" for start in prediction.start_seconds)
    lines = [prediction.video_path, f"  {'label':<{width}}  recording{starts}"]
    for label, probability in prediction.ranked():
        column = prediction.segment_probabilities[:, prediction.labels.index(label)]
        lines.append(f"  {label:<{width}}  {probability:>9.3f}" + "".join(f"{value:>8.3f}" for value in column))
    return "\n".join([*lines, *(f"  not used: {loss}" for loss in prediction.losses)])


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    return command.run(predict, FLAGS, argv, positional="VIDEO...")


if __name__ == "__main__":
    sys.exit(main())
