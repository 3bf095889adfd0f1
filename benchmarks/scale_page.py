"""docs/scale.md as text: what is measured, what is assumed, and what follows from both."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scale_limits import SHARD_NAME_BYTES, finishing_bytes, finishing_hours, launcher_gb, limits
from scale_measured_table import measured_table
from scale_parameters import Parameters
from scale_steps import Measured, Scale, bytes_a_shard, plan_bytes_a_row, scales
from scale_words import count, dollars, hours, number, percent, size, table

from avinst.manifests.rows import SPLITS
from avinst.splits import DEFAULT_SHARES

TEMPLATE = Path(__file__).with_name("scale_template.md")
_FEWER_SECONDS = 10.0


def page(measured: Measured, given: Parameters) -> str:
    """The whole page: the words of scale_template.md with tables and numbers in their places."""
    found = scales(measured, given)
    fewer = scales(measured, dataclasses.replace(given, kept_seconds=_FEWER_SECONDS))
    largest = measured[f"layout_{given.videos[-1]}"]
    places = {
        "mean_seconds": number(given.mean_seconds),
        "height": str(given.height),
        **_setup(found[0]),
        "costs": _costs(found),
        "paid_for": _paid_for(found),
        "stored": _stored(found),
        "fewer": _fewer(found, fewer),
        "launching": _launching(found),
        "layout": _layout(measured, given),
        "layout_command": largest["command"],
        "layout_rows": count(largest["rows"]),
        "uploaders": count(largest["uploaders"]),
        "largest_uploader": count(largest["largest_uploader"]),
        "layout_cpu": number(largest["cpu_seconds"]),
        "layout_us": number(largest["cpu_seconds"] / largest["rows"] * 1e6),
        "layout_memory": size(largest["peak_mb"] * 2**20),
        "splits": _splits(measured, given),
        "small_sets": _small_sets(measured),
        "measured": measured_table(measured),
        "parameters": _parameters(given),
        **limits(found),
    }
    return TEMPLATE.read_text(encoding="utf-8").format(**places)


def _setup(scale: Scale) -> dict[str, str]:
    """What is priced, beside the example of docs/cloud.md."""
    given, models = scale.given, scale.models
    guide = scale.measured["models_128"]["schemes"]["joint"]["training_cpu_seconds"]
    joint = scale.train("joint").vcpu_hours
    train = scale.segments * given.epochs * DEFAULT_SHARES["train"] / 3600 / given.vcpu_factor
    return {
        "frame_size": str(given.frame_size),
        "guide_training": number(models["joint"]["training_cpu_seconds"] / guide),
        "all_vcpus": ", ".join(f"{vcpus:,}" for vcpus in given.vcpus),
        "all_per_shard": ", ".join(map(str, given.videos_per_shard)),
        "media_frame_size": str(scale.media["frame_size"]),
        "validating": percent(1 - train * models["joint"]["training_cpu_seconds"] / joint),
    }


def _costs(found: Sequence[Scale]) -> str:
    rows = []
    for index, step in enumerate(found[0].steps()):
        steps = [scale.steps()[index] for scale in found]
        for what, text in (
            ("work, vCPU hours", [number(s.vcpu_hours) for s in steps]),
            ("time", [hours(s.wall_hours) for s in steps]),
            ("cost", [dollars(sum(s.dollars.values())) for s in steps]),
        ):
            rows.append([f"**{step.name}**" if what.startswith("work") else "", what, *text])
        if step.gpu_hours is not None:
            rows.append(["", "or GPU hours", *(number(s.gpu_hours or 0) for s in steps)])
            rows.append(["", "time on GPUs", *(hours(s.gpu_wall_hours or 0) for s in steps)])
            rows.append(["", "cost on GPUs", *(dollars(s.gpu_dollars or 0) for s in steps)])
    heads = [f"{count(s.videos)} videos, {s.vcpus:,} vCPUs" for s in found]
    return table(["step", "", *heads], rows)


def _paid_for(found: Sequence[Scale]) -> str:
    """What the dollars of preparing consist of."""
    parts = [scale.prepare().dollars for scale in found]
    rows = [[name, *(dollars(part[name]) for part in parts)] for name in parts[0]]
    return table(["prepare, paid for", *(f"{count(s.videos)} videos" for s in found)], rows)


def _stored(found: Sequence[Scale]) -> str:
    media = found[0].media
    rows = [
        ["segments", *(count(s.segments) for s in found)],
        [
            "videos, at the measured bit rate",
            *(size(s.videos * s.given.mean_seconds * media["media_bytes_per_second"]) for s in found),
        ],
        ["dataset", *(size(s.dataset_bytes) for s in found)],
        ["its storage, a month", *(dollars(s.dataset_bytes / 1e9 * s.given.storage_gb_month) for s in found)],
        ["`--videos_per_shard`", *(str(s.videos_per_shard) for s in found)],
        ["TFRecord files, and as many records", *(count(s.shards) for s in found)],
        ["a TFRecord file", *(size(s.dataset_bytes / s.shards) for s in found)],
        ["all records", *(size(s.record_bytes) for s in found)],
        [
            "taking the dataset out of the region",
            *(dollars(s.dataset_bytes / 1e9 * s.given.egress_gb) for s in found),
        ],
    ]
    return table(["", *(f"{count(s.videos)} videos" for s in found)], rows)


def _fewer(found: Sequence[Scale], fewer: Sequence[Scale]) -> str:
    rows = []
    for name, group in ((number(found[0].given.segments_per_video), found), (number(_FEWER_SECONDS), fewer)):
        rows.append([f"{name} of a video: dataset", *(size(s.dataset_bytes) for s in group)])
        rows.append(["preparing", *(dollars(sum(s.prepare().dollars.values())) for s in group)])
        rows.append(["joint training on GPUs", *(hours(s.train("joint").gpu_wall_hours or 0) for s in group)])
        rows.append(["", *(dollars(s.train("joint").gpu_dollars or 0) for s in group)])
    return table(["segments kept", *(f"{count(s.videos)} videos" for s in found)], rows)


def _launching(found: Sequence[Scale]) -> str:
    rows = []
    for scale in found:
        work, waiting = finishing_hours(scale)
        rows.append(
            [
                count(scale.videos),
                size(launcher_gb(scale) * 1e9),
                size(scale.videos * finishing_bytes(scale)),
                size(scale.shards * bytes_a_shard(scale.measured)),
                size(scale.videos * plan_bytes_a_row(scale.measured)),
                count(scale.shards),
                hours(work),
                hours(waiting),
                size(scale.shards * SHARD_NAME_BYTES),
            ]
        )
    columns = ["videos", "memory before the job", "and after it for the records", "the job's graph", "the plan"]
    columns += ["records read at the end", "work for it"]
    return table([*columns, "waiting for Cloud Storage", "names of shards in `dataset.json`"], rows)


def _layout(measured: Measured, given: Parameters) -> str:
    names = [f"layout_{videos}" for videos in given.videos]
    workers = sorted(next(iter(measured[names[0]]["layouts"].values()))["tail"], key=int)
    rows = []
    for name in names:
        for per_shard, layout in sorted(measured[name]["layouts"].items(), key=lambda item: int(item[0])):
            videos, seconds = layout["videos"], layout["seconds"]
            rows.append(
                [
                    count(measured[name]["rows"]),
                    per_shard,
                    count(layout["shards"]),
                    " / ".join(f"{videos[level]:.0f}" for level in ("min", "p1", "p50", "p99", "max")),
                    f"{seconds['p99'] / seconds['mean']:.2f}",
                    f"{seconds['max'] / seconds['mean']:.2f}",
                    *(_tail(layout, count_of) for count_of in workers),
                ]
            )
    columns = ["rows", "a shard", "shards", "videos: min / 1 % / median / 99 % / max", "99 % / mean length"]
    return table([*columns, "longest / mean", *(f"tail, {int(name):,} workers" for name in workers)], rows)


def _tail(layout: Measured, workers: str) -> str:
    """Fewer shards than workers are no tail: most workers get nothing."""
    return f"{layout['tail'][workers]:.3f}" if layout["shards"] >= int(workers) else "too few shards"


def _splits(measured: Measured, given: Parameters) -> str:
    entries = [measured[f"layout_{videos}"] for videos in given.videos]
    rows = [[count(entry["rows"]), *(percent(entry["shares"][split]) for split in SPLITS)] for entry in entries]
    return table(["rows", *SPLITS], rows)


def _small_sets(measured: Measured) -> str:
    drawn = [values for name, values in measured.items() if name.startswith("small_sets_")]
    return "".join(
        f"- in {values['sets']} manifests of {count(values['rows'])} rows: median {percent(values['median'])}, "
        f"in 95 of 100 between {percent(values['low'])} and {percent(values['high'])} (`{values['command']}`)\n"
        for values in sorted(drawn, key=lambda values: int(values["rows"]))
    )


def _parameters(given: Parameters) -> str:
    def shown(value: Any) -> str:
        return ",".join(map(str, value)) if isinstance(value, tuple) else f"{value}"

    return table(
        ["flag", "meaning"],
        [
            [f"`--{field.name}={shown(getattr(given, field.name))}`", field.metadata["text"]]
            for field in dataclasses.fields(Parameters)
        ],
    )
