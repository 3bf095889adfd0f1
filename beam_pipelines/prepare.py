"""Turns the videos of a manifest into a dataset of log-mel and frame pairs (TFRecord).

Run it again to resume: shards that are done are kept. Flags that are not listed here go to Beam
(--runner=DataflowRunner, --project, --temp_location, ...).

    avinst prepare --manifest=manifest.csv --media_root=VIDEOS --data_dir=DATASET

--json prints `data_dir`, `recordings` and `segments` (splits to numbers), `rejects` (a number), `labels` and
`fingerprint`. With --dry_run it prints what is to be expected of the whole: `videos`, `shards`, `segments`,
`stored_bytes`, `cpu_seconds`, `wall_seconds`, `workers`; of the sample: `sampled` (videos), `sample_segments`,
`sample_bytes`, `sample_seconds`, `rejects` (a list, as in rejects.jsonl); and `missing`: paths that are not there.
"""

import sys
from collections.abc import Sequence
from typing import cast, get_args

from absl import flags

from avinst import command, command_flags
from avinst.errors import UsageError, UserError
from avinst.media.types import DecodeLimits
from avinst.spec import DatasetSpec, FrameFit
from avinst.splits import DEFAULT_SHARES, check_shares

FLAGS = command_flags.new_flags()
_SPEC = DatasetSpec()

_MANIFEST = flags.DEFINE_string("manifest", None, "CSV or JSONL file of the videos", flag_values=FLAGS)
_MEDIA_ROOT = flags.DEFINE_string(
    "media_root",
    "",
    "folder that the manifest's paths are relative to (default: the manifest's)",
    flag_values=FLAGS,
)
_DATA_DIR = flags.DEFINE_string("data_dir", None, "the dataset directory to be made", flag_values=FLAGS)
_SPLITS = flags.DEFINE_enum(
    "splits",
    "hash",
    ["hash", "stratified"],
    "where the manifest gives no split: stable as the set grows, or exact shares for every label",
    flag_values=FLAGS,
)
_SHARES = flags.DEFINE_list(
    "shares", [str(share) for share in DEFAULT_SHARES.values()], "of train, validation, test", flag_values=FLAGS
)
_VIDEOS_PER_SHARD = flags.DEFINE_integer(
    "videos_per_shard", 16, "recordings of a TFRecord file, on average", lower_bound=1, flag_values=FLAGS
)
_WORKERS = flags.DEFINE_integer(
    "workers", 0, "threads of the local runner; 0: one per core", lower_bound=0, flag_values=FLAGS
)
_MAX_REJECT_RATE = flags.DEFINE_float(
    "max_reject_rate",
    0.2,
    "largest share of recordings that may give no example",
    lower_bound=0.0,
    upper_bound=1.0,
    flag_values=FLAGS,
)
_FRAME_SIZE = flags.DEFINE_integer(
    "frame_size", _SPEC.frame_size, "width and height of a frame, pixels", flag_values=FLAGS
)
_FRAME_FIT = flags.DEFINE_enum(
    "frame_fit", _SPEC.frame_fit, list(get_args(FrameFit)), "how a picture comes to be square", flag_values=FLAGS
)
_MEL_BANDS = flags.DEFINE_integer("mel_bands", _SPEC.mel_bands, "number of mel bands", flag_values=FLAGS)
_SEGMENT_SECONDS = flags.DEFINE_float(
    "segment_seconds", _SPEC.segment_seconds, "length of a segment, seconds", flag_values=FLAGS
)


_OVERWRITE = flags.DEFINE_bool(
    "overwrite", False, "replace a finished dataset of another spec or manifest", flag_values=FLAGS
)
_DRY_RUN = flags.DEFINE_bool(
    "dry_run", False, "decode a few videos, print what the whole would cost, write nothing", flag_values=FLAGS
)
_JSON = flags.DEFINE_bool("json", False, "print JSON instead of text", flag_values=FLAGS)
_LIMITS = command_flags.define_settings(DecodeLimits, FLAGS)

FLAG_GROUPS = {
    "where from, where to": ("manifest", "media_root", "data_dir", "overwrite", "dry_run", "json"),
    "splits": ("splits", "shares"),
    "what an example holds": ("frame_size", "frame_fit", "mel_bands", "segment_seconds"),
    "the work": ("videos_per_shard", "workers", "max_reject_rate"),
    "limits of one file (docs/security.md)": tuple(_LIMITS),
}


def _shares() -> dict[str, float]:
    try:
        shares = dict(zip(DEFAULT_SHARES, map(float, _SHARES.value), strict=True))
        check_shares(shares)
    except (ValueError, UserError):
        raise UsageError(
            f"--shares={','.join(_SHARES.value)}; expected three numbers such as 0.7,0.15,0.15, together 1"
        ) from None
    return shares


def _spec() -> DatasetSpec:
    try:
        return DatasetSpec(
            frame_size=_FRAME_SIZE.value,
            frame_fit=cast(FrameFit, _FRAME_FIT.value),
            mel_bands=_MEL_BANDS.value,
            segment_seconds=_SEGMENT_SECONDS.value,
        )
    except UserError as error:
        raise UsageError(str(error)) from error


def prepare(beam_flags: Sequence[str]) -> None:
    """Flags to one plain call."""
    if beam_flags:
        from beam_pipelines.runner import check_beam_flags

        check_beam_flags(beam_flags, list(FLAGS))
    manifest, data_dir = command_flags.required(_MANIFEST), command_flags.required(_DATA_DIR)
    spec, shares = _spec(), _shares()
    limits = command_flags.settings_of(DecodeLimits, _LIMITS)
    from beam_pipelines import preparing

    config = preparing.PrepareConfig(
        manifest=manifest,
        data_dir=data_dir,
        media_root=_MEDIA_ROOT.value,
        splits=_SPLITS.value,
        shares=shares,
        videos_per_shard=_VIDEOS_PER_SHARD.value,
        workers=_WORKERS.value,
        max_reject_rate=_MAX_REJECT_RATE.value,
        overwrite=_OVERWRITE.value,
        limits=limits,
    )
    if _DRY_RUN.value:
        estimate = preparing.estimate_dataset(config, spec)
        if _JSON.value:
            command.print_json(estimate.to_json())
        else:
            print(estimate.text())  # noqa: T201
        return
    from beam_pipelines.interruption import ending_at_once

    with ending_at_once("avinst prepare: interrupted; run the same command again to go on"):
        dataset = preparing.prepare_dataset(config, spec, beam_flags)
    if _JSON.value:
        counted = {"recordings": dataset.recordings, "segments": dataset.segments, "rejects": dataset.rejects}
        about = {"labels": dataset.labels, "fingerprint": dataset.fingerprint}
        command.print_json({"data_dir": data_dir, **counted, **about})
        return
    counts = ", ".join(f"{split} {count}" for split, count in dataset.segments.items())
    print(f"{data_dir}: {sum(dataset.segments.values())} segments ({counts}), {dataset.rejects} rejects")  # noqa: T201
    empty = [split for split, count in dataset.segments.items() if not count]
    if empty:
        advice = "where the manifest names splits, avinst manifest --validation_share=0.1 takes some from train"
        if _SPLITS.value != "stratified":
            advice += "; elsewhere --splits=stratified gives small sets exact shares"
        print(f"no examples in: {', '.join(empty)}; {advice}")  # noqa: T201
    print(f"next: avinst inspect --data_dir={data_dir}")  # noqa: T201


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    return command.run(prepare, FLAGS, argv, pass_unknown=True)


if __name__ == "__main__":
    sys.exit(main())
