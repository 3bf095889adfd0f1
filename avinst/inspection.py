"""Shows what is in a dataset: counts, spec, rejects by reason, and a contact sheet of frames and spectrograms.

avinst inspect --data_dir=DATASET --contact_sheet=sheet.png

--json prints what dataset.json holds (docs/schema.md); with --video_id `video_id`, `split`, `shard`, `segments`
and `rejects` of the recording.
"""

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from absl import flags

from avinst import command, command_flags, paths
from avinst.dataset import DATASET_FILE, REJECTS_FILE, Dataset, damaged_files, load_dataset
from avinst.errors import UsageError, UserError
from avinst.manifests.rows import SPLITS
from avinst.nearest import hint
from avinst.quiet import import_tensorflow_quietly
from avinst.shard_contents import shard_contents

FLAGS = command_flags.new_flags()
_DATA_DIR = flags.DEFINE_string("data_dir", None, "the dataset directory", flag_values=FLAGS)
_JSON = flags.DEFINE_bool("json", False, "print JSON instead of text", flag_values=FLAGS)
_CONTACT_SHEET = flags.DEFINE_string(
    "contact_sheet", "", "PNG file to be drawn: frames with their spectrograms", flag_values=FLAGS
)
_VIDEO_ID = flags.DEFINE_string("video_id", "", "show this recording only", flag_values=FLAGS)
_EXAMPLES = flags.DEFINE_integer(
    "examples", 24, "number of examples on the contact sheet", lower_bound=1, flag_values=FLAGS
)

_SHOWN_DAMAGED = 5


def inspect(arguments: list[str]) -> None:
    """Prints the dataset and draws the sheet; the directory may also be given without its flag."""
    if len(arguments) > 1 or (arguments and _DATA_DIR.value):
        raise UsageError(f"one dataset directory is expected, found {' '.join(arguments)!r}")
    dataset = load_dataset(arguments[0] if arguments else command_flags.required(_DATA_DIR))
    if _CONTACT_SHEET.value:  # told before TensorFlow is imported
        paths.check_file_writable(_CONTACT_SHEET.value)
    recording = recording_values(dataset, _VIDEO_ID.value) if _VIDEO_ID.value else None
    values = dataset.to_json() if recording is None else recording
    text = describe(dataset) if recording is None else describe_recording(recording)
    if _JSON.value:
        command.print_json(values)
    else:
        print(text)  # noqa: T201
    if _CONTACT_SHEET.value:
        import_tensorflow_quietly()
        from avinst.contact_sheet import choose_examples, draw_contact_sheet, segments_of

        examples = _EXAMPLES.value
        chosen = segments_of(dataset, recording, examples) if recording else choose_examples(dataset, examples)
        shown = draw_contact_sheet(dataset, chosen, _CONTACT_SHEET.value)
        print(f"{_CONTACT_SHEET.value}: {shown} examples", file=sys.stderr)  # noqa: T201


def describe(dataset: Dataset) -> str:
    """What is in a dataset, as a text of a few dozen lines: spec, counts, rejects by reason, damaged files.

    Args:
        dataset: a finished dataset.
    """
    spec = dataset.spec
    bytes_stored = {
        split: sum(paths.size(paths.join(dataset.data_dir, f"{name}.tfrecord")) for name in dataset.shards[split])
        for split in SPLITS
    }
    width = max(len(name) for name in (*dataset.labels, "recordings"))
    lines = [
        f"dataset      {dataset.data_dir}",
        f"sound        {spec.segment_seconds:g} s segments, {spec.sample_rate_hz} Hz mono, log-mel "
        f"{spec.log_mel_frames} x {spec.mel_bands}, {spec.mel_low_hz:g} to {spec.mel_high_hz:g} Hz",
        f"log-mel      mean {dataset.log_mel_mean_db:.2f} dB, standard deviation {dataset.log_mel_std_db:.2f} dB "
        "(training split)",
        f"frames       {spec.frame_size} x {spec.frame_size}, {spec.frame_fit}, JPEG quality {spec.jpeg_quality}",
        f"labels       {len(dataset.labels)}, {'several' if dataset.multi_label else 'one'} a recording",
        f"fingerprint  {dataset.fingerprint[:16]}",
        "made with    " + ", ".join(f"{name} {version}" for name, version in dataset.versions.items()),
        "",
        f"{'':{width}}  " + "  ".join(f"{split:>10}" for split in SPLITS),
        f"{'recordings':{width}}  " + "  ".join(f"{dataset.recordings[split]:>10}" for split in SPLITS),
        f"{'segments':{width}}  " + "  ".join(f"{dataset.segments[split]:>10}" for split in SPLITS),
        f"{'megabytes':{width}}  " + "  ".join(f"{bytes_stored[split] / 1e6:>10.1f}" for split in SPLITS),
        f"{'shards':{width}}  " + "  ".join(f"{len(dataset.shards[split]):>10}" for split in SPLITS),
        "",
        "of these segments bear the label",
        *(
            f"{name:{width}}  " + "  ".join(f"{dataset.label_segments[split][name]:>10}" for split in SPLITS)
            for name in dataset.labels
        ),
        "",
        f"rejects      {dataset.rejects}" + (f" ({REJECTS_FILE})" if dataset.rejects else ""),
        *(f"  {reason}: {count}" for reason, count in reject_reasons(dataset).most_common()),
    ]
    damaged = damaged_files(dataset)
    if damaged:
        lines += ["", f"damaged      {len(damaged)} files; run the same avinst prepare again"]
        lines += [f"  {what}" for what in damaged[:_SHOWN_DAMAGED]]
    return "\n".join(lines)


def recording_values(dataset: Dataset, video_id: str) -> dict[str, Any]:
    """Where a recording is in the dataset: `video_id`, `split`, `shard`, `segments` and its `rejects`.

    Raises:
        UserError: no manifest row had this id, or a shard's record is damaged.
    """
    known: list[str] = []
    for split in SPLITS:
        for name in dataset.shards[split]:
            contents = shard_contents(dataset, name)
            if video_id in contents.segments_of_video:
                rejects = [reject for reject in contents.rejects if reject["video_id"] == video_id]
                return {
                    "video_id": video_id,
                    "split": split,
                    "shard": name,
                    "segments": contents.segments_of_video[video_id],
                    "rejects": rejects,
                }
            known += contents.segments_of_video
    advice = hint(video_id, known, f"the first is {min(known)!r}" if known else "it is empty")
    raise UserError(f"{dataset.data_dir}: no recording {video_id!r}; {advice}")


def describe_recording(values: Mapping[str, Any]) -> str:
    """A recording as a few lines."""
    lines = [f"recording  {values['video_id']}", f"split      {values['split']}, shard {values['shard']}"]
    lines.append(f"segments   {values['segments']}")
    for reject in values["rejects"]:
        which = "" if reject["segment"] is None else f"segment {reject['segment']}: "
        lines.append(f"reject     {which}{reject['reason']}, {reject['detail']}")
    return "\n".join(lines)


def reject_reasons(dataset: Dataset) -> Counter[str]:
    """How often each reason stands in `rejects.jsonl`; raises UserError where that is damaged."""
    file = paths.join(dataset.data_dir, REJECTS_FILE)
    if not paths.exists(file):
        return Counter()
    try:
        return Counter(str(json.loads(line)["reason"]) for line in paths.read_text(file).split("\n") if line)
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        advice = f"delete {DATASET_FILE} beside it and run the same avinst prepare again: it keeps the shards"
        raise UserError(f"{file!r} is damaged ({type(error).__name__}: {error}); {advice}") from error


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    return command.run(inspect, FLAGS, argv, positional="[DATASET]")


if __name__ == "__main__":
    sys.exit(main())
