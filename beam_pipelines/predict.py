"""Tells which instruments videos hold: label probabilities of each second and of the whole recording.

A few videos are told about at once; many go to a directory, by the same Beam chain as in avinst prepare: run it
again to resume. Flags that are not listed here go to Beam then (--runner=DataflowRunner, ...).

avinst predict --run_dir=RUN clip.mp4
avinst predict --run_dir=RUN --format=csv --figure=clip.png clip.mp4
avinst predict --run_dir=RUN --output_dir=PREDICTIONS VIDEOS
avinst predict --model_dir=SAVEDMODEL --manifest=manifest.csv --media_root=VIDEOS --output_dir=MORE

--json prints a line a video: `video_path`, `probabilities` (labels to the recording's), `segments` (each
`start_seconds` and `probabilities`) and `losses`: what could not be used, in words. With --output_dir it prints
`output_dir`, the numbers of `rows`, `recordings`, `segments` and `rejects`, `rejects_file` and `files`.
"""

import sys
from collections.abc import Sequence

from absl import flags

from avinst import command, command_flags, paths
from avinst.errors import UsageError, UserError
from avinst.media.types import DecodeLimits
from avinst.quiet import import_tensorflow_quietly
from avinst.saved_model import read_assets
from beam_pipelines.exports import newest_export

FLAGS = command_flags.new_flags()
_RUN_DIR = flags.DEFINE_string("run_dir", "", "a run whose newest export is used", flag_values=FLAGS)
_MODEL_DIR = flags.DEFINE_string(
    "model_dir", "", "an exported version directory instead of a run", flag_values=FLAGS
)
_MANIFEST = flags.DEFINE_string(
    "manifest", "", "CSV or JSONL file of the videos; labels may be missing", flag_values=FLAGS
)
_MEDIA_ROOT = flags.DEFINE_string(
    "media_root",
    "",
    "folder that the manifest's paths are relative to (default: the manifest's)",
    flag_values=FLAGS,
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", "", "directory of the predictions to be made; empty: print them", flag_values=FLAGS
)
_FORMAT = flags.DEFINE_enum(
    "format",
    None,
    ["table", "csv", "jsonl"],
    "how predictions are written (default: a table on the terminal, csv in files)",
    flag_values=FLAGS,
)
_JSON = flags.DEFINE_bool(
    "json",
    False,
    "print JSON, a line a video, instead of a table; with --output_dir write JSONL and print what was written",
    flag_values=FLAGS,
)
_FEATURES = flags.DEFINE_bool(
    "features", False, "write the recordings' penultimate features too (npz)", flag_values=FLAGS
)
_JOIN = flags.DEFINE_bool(
    "join", True, "join the shards' parts to one file of recordings and one of segments", flag_values=FLAGS
)
_FIGURE = flags.DEFINE_string(
    "figure", "", "PNG of one video: probabilities over time, with thumbnails", flag_values=FLAGS
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", 32, "segments that the model is given at once", lower_bound=1, flag_values=FLAGS
)
_VIDEOS_PER_SHARD = flags.DEFINE_integer(
    "videos_per_shard",
    0,
    "recordings of a unit of work, on average; 0: 64, fewer where there are under a thousand",
    lower_bound=0,
    flag_values=FLAGS,
)
_WORKERS = flags.DEFINE_integer(
    "workers", 0, "threads of the local runner; 0: one per core", lower_bound=0, flag_values=FLAGS
)
_OVERWRITE = flags.DEFINE_bool(
    "overwrite", False, "replace finished predictions of another model or of other videos", flag_values=FLAGS
)
_LIMITS = command_flags.define_settings(DecodeLimits, FLAGS)

FLAG_GROUPS = {
    "which model, which videos": ("run_dir", "model_dir", "manifest", "media_root"),
    "what is written": ("output_dir", "format", "json", "figure", "features", "join", "overwrite"),
    "the work": ("batch_size", "videos_per_shard", "workers"),
    "limits of one file (docs/security.md)": tuple(_LIMITS),
}


def predict(arguments: Sequence[str]) -> None:
    """Flags to one plain call."""
    before = list(arguments)
    videos = before[before.index("--") + 1 :] if "--" in before else []  # names that may begin with a dash
    before = before[: before.index("--")] if "--" in before else before
    beam_flags = [argument for argument in before if argument.startswith("-")]
    videos = [*(argument for argument in before if not argument.startswith("-")), *videos]
    if beam_flags:
        _check_unknown(beam_flags)
    if bool(_RUN_DIR.value) == bool(_MODEL_DIR.value):
        raise UsageError("give either --run_dir or --model_dir")
    if bool(videos) == bool(_MANIFEST.value):
        raise UsageError("no video given" if not videos else "give either videos or --manifest")
    limits = command_flags.settings_of(DecodeLimits, _LIMITS)
    if _OUTPUT_DIR.value:
        _write(videos, beam_flags, limits)
    else:
        _print(videos, limits)


def _check_unknown(beam_flags: Sequence[str]) -> None:
    from beam_pipelines.beam_flags import check_beam_flags

    check_beam_flags(beam_flags, list(FLAGS))
    if not _OUTPUT_DIR.value:
        raise UsageError(f"{beam_flags[0]} is for jobs that write to --output_dir")


def _model_dir() -> str:
    model_dir = _MODEL_DIR.value or newest_export(_RUN_DIR.value)
    read_assets(model_dir)  # what is missing is told before TensorFlow is imported
    return model_dir


def _text_format(default: str) -> str:
    if _JSON.value and _FORMAT.value not in (None, "jsonl"):
        raise UsageError(f"--json and --format={_FORMAT.value}; give one of them")
    return "jsonl" if _JSON.value else str(_FORMAT.value or default)


def _write(videos: Sequence[str], beam_flags: Sequence[str], limits: DecodeLimits) -> None:
    """Many videos, to a directory."""
    text_format = _text_format("csv")
    if text_format == "table":
        raise UsageError("--format=table is for the terminal; give csv or jsonl with --output_dir")
    if _FIGURE.value:
        raise UsageError("--figure shows one video; leave --output_dir out")
    if _MEDIA_ROOT.value and not _MANIFEST.value:
        raise UsageError("--media_root is for the paths of a --manifest")
    from beam_pipelines.rows_to_predict import rows_of_manifest, rows_of_videos

    rows, media_root = (
        rows_of_manifest(_MANIFEST.value, _MEDIA_ROOT.value) if _MANIFEST.value else rows_of_videos(videos)
    )
    model_dir = _model_dir()
    import_tensorflow_quietly()
    from beam_pipelines import predicting
    from beam_pipelines.interruption import ending_at_once

    config = predicting.PredictConfig(
        model_dir=model_dir,
        media_root=media_root,
        output_dir=_OUTPUT_DIR.value,
        text_format=text_format,
        features=_FEATURES.value,
        join=_JOIN.value,
        batch_size=_BATCH_SIZE.value,
        videos_per_shard=_VIDEOS_PER_SHARD.value,
        workers=_WORKERS.value,
        overwrite=_OVERWRITE.value,
        limits=limits,
    )
    with ending_at_once("avinst predict: interrupted; run the same command again to go on"):
        predictions = predicting.predict_rows(config, rows, beam_flags)
    if _JSON.value:
        files = {"recordings": predictions.recordings_file, "segments": predictions.segments_file}
        counts = ("rows", "recordings", "segments", "rejects")
        found = {"output_dir": predictions.output_dir, **{name: getattr(predictions, name) for name in counts}}
        command.print_json(
            {**found, "rejects_file": predictions.rejects_file, "files": files if config.join else {}}
        )
        return
    print(  # noqa: T201
        f"{predictions.output_dir}: {predictions.recordings} of {predictions.rows} recordings predicted, "
        f"{predictions.segments} segments, {predictions.rejects} rejects"
    )
    if config.join:
        print(f"recordings: {predictions.recordings_file}\nsegments:   {predictions.segments_file}")  # noqa: T201
    if predictions.rejects:
        print(f"rejects:    {predictions.rejects_file}")  # noqa: T201


def _print(videos: Sequence[str], limits: DecodeLimits) -> None:
    """A few videos, to the terminal."""
    for name in ("manifest", "media_root", "features", "join", "videos_per_shard", "workers", "overwrite"):
        if FLAGS[name].value != FLAGS[name].default:
            given = name if FLAGS[name].value else f"no{name}"
            raise UsageError(f"--{given} is for predictions that are written; give --output_dir")
    text_format = _text_format("table")
    from beam_pipelines.rows_to_predict import check_name, listed

    videos = listed(videos)
    if _FIGURE.value and len(videos) > 1:
        raise UsageError(f"--figure shows one video, {len(videos)} are given")
    if _FIGURE.value:
        paths.check_file_writable(_FIGURE.value)
    model_dir = _model_dir()
    import_tensorflow_quietly()
    from avinst.media.decoder import Decoder
    from beam_pipelines.detector import load_detector
    from beam_pipelines.prediction import predict_video
    from beam_pipelines.prediction_figure import Thumbnails, write_figure
    from beam_pipelines.prediction_print import heading, printed

    detector = load_detector(model_dir)
    failures = []
    thumbnails = Thumbnails() if _FIGURE.value else None
    print(heading(text_format, detector.labels), end="")  # noqa: T201
    with Decoder(limits) as decoder:
        for video in videos:
            try:
                check_name(video)
                prediction = predict_video(
                    detector, video, decoder, batch_size=_BATCH_SIZE.value, thumbnails=thumbnails
                )
            except UserError as error:
                failures.append(str(error))
                continue
            print(printed(text_format, prediction), end="", flush=True)  # noqa: T201
            if thumbnails:
                write_figure(prediction, thumbnails, _FIGURE.value)
                print(f"figure: {_FIGURE.value}", file=sys.stderr)  # noqa: T201
    if failures:
        raise UserError("; ".join(failures))


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    return command.run(predict, FLAGS, argv, positional="VIDEO...", pass_unknown=True)


if __name__ == "__main__":
    sys.exit(main())
