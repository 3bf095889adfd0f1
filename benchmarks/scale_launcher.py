"""What the process that launches `prepare` takes: memory and time by stage, and the size of what it hands over.

    python benchmarks/scale_launcher.py --rows=1000000
    python benchmarks/scale_launcher.py --records=1000 --data_dir=DATASET
    python benchmarks/scale_launcher.py --recordings=64

The first makes up a manifest, reads it, lays the shards out and builds the pipeline, without running it. The
second reads so many shard records, as the end of `prepare` does, copied from a dataset's own. The third writes one
record of so many recordings.
"""

import argparse
import csv
import dataclasses
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from scale_layout import SEED, uploaders, video_ids
from scale_record import record

from avinst.dataset import SHARDS_FOLDER, load_dataset
from avinst.manifests.rows import ManifestRow, read_manifest
from avinst.media.types import DecodeLimits
from avinst.spec import DatasetSpec
from avinst.splits import DEFAULT_SHARES, assign_splits
from avinst.versions import ffmpeg_versions, package_versions
from beam_pipelines.finishing import finish_dataset
from beam_pipelines.layout import Shard, label_names, lay_out
from beam_pipelines.plan import write_plan
from beam_pipelines.preparation_pipeline import PreparationWork, add_prepare
from beam_pipelines.runner import make_pipeline
from beam_pipelines.shard_record import ExamplesRecord, record_path, save_record

LABELS = 12
VIDEOS_PER_SHARD = 16


def write_manifest(path: Path, rows: int) -> None:
    """A manifest of class folders: path, label and uploader."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["video_path", "label", "group"])
        for names, uploads, generator in uploaders(rows, SEED):
            groups = [name for name, count in zip(names, uploads, strict=True) for _ in range(count)]
            for group, video in zip(groups, video_ids(len(groups), generator), strict=True):
                label = f"instrument{generator.integers(LABELS):02d}"
                writer.writerow([f"{label}/{video}.mp4", label, group])


def memory_mb(field: str) -> float:
    """`VmRSS` or `VmHWM` (the peak) of this process."""
    return int(Path("/proc/self/status").read_text().split(f"{field}:")[1].split()[0]) / 1024


class Stages:
    """CPU seconds of each stage, and memory after it."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, float]] = {"imports": {"cpu_seconds": 0.0, "mb": memory_mb("VmRSS")}}
        self._began = time.process_time()

    def end(self, name: str) -> None:
        """Ends a stage."""
        now = time.process_time()
        self.found[name] = {"cpu_seconds": now - self._began, "mb": memory_mb("VmRSS")}
        self._began = now


def launch(rows: int) -> dict[str, Any]:
    """All that `prepare` does before the runner takes over."""
    with tempfile.TemporaryDirectory() as folder:
        manifest = Path(folder, "manifest.csv")
        write_manifest(manifest, rows)
        manifest_bytes = manifest.stat().st_size
        stages = Stages()
        read = read_manifest(str(manifest), folder)
        stages.end("manifest read and checked")
    spec, labels = DatasetSpec(), label_names(read)
    split_of_row = assign_splits(read, "hash", DEFAULT_SHARES)
    stages.end("splits")
    shards = lay_out(read, split_of_row, spec, labels, VIDEOS_PER_SHARD)
    del read, split_of_row
    stages.end("shards")
    with tempfile.TemporaryDirectory() as folder:
        plan = write_plan(folder, shards)
        plan_bytes = Path(plan.file).stat().st_size
    stages.end("plan")
    pipeline = make_pipeline([], workers=1, elements=rows)
    add_prepare(pipeline, plan, PreparationWork(spec, labels, "/videos", "/dataset", DecodeLimits()))
    stages.end("pipeline")
    request = pipeline.to_runner_api().ByteSize()
    stages.end("serialized")
    return {
        "rows": rows,
        "videos_per_shard": VIDEOS_PER_SHARD,
        "manifest_bytes": manifest_bytes,
        "stages": stages.found,
        "peak_mb": memory_mb("VmHWM"),
        "request_bytes": request,
        "plan_bytes": plan_bytes,
    }


def finish(records: int, data_dir: str) -> dict[str, Any]:
    """Adds up shard records as the end of `prepare` does, on a local disk."""
    dataset = load_dataset(data_dir)
    names = [name for shards in dataset.shards.values() for name in shards]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, SHARDS_FOLDER).mkdir()
        shards = []
        for number in range(records):
            source = names[number % len(names)]
            shards.append(_copied(Path(data_dir), source, Path(folder), f"train-{number:07d}-of-{records:07d}"))
        stages = Stages()
        finish_dataset(folder, shards, dataset.spec, dataset.labels, 1.0)
        stages.end("finishing")
        record_bytes = np.mean([file.stat().st_size for file in Path(folder, SHARDS_FOLDER).iterdir()])
    return {
        "records": records,
        "recordings": sum(len(shard.rows) for shard in shards),
        "record_bytes": float(record_bytes),
        "mb_before": stages.found["imports"]["mb"],
        "peak_mb": memory_mb("VmHWM"),
        **stages.found["finishing"],
    }


def _copied(data_dir: Path, source: str, target_dir: Path, name: str) -> Shard:
    """A shard's record under another name, with an empty TFRecord file of the same size."""
    values = json.loads((data_dir / SHARDS_FOLDER / f"{source}.json").read_text())
    record_of_shard = dataclasses.replace(ExamplesRecord.from_json(values), name=name)
    save_record(record_of_shard, str(target_dir))
    with (target_dir / f"{name}.tfrecord").open("wb") as file:
        file.truncate(record_of_shard.tfrecord_bytes)  # a hole: takes no room
    rows = tuple(ManifestRow(video, ("x",), video) for video in record_of_shard.segments_of_video)
    return Shard(name, rows, record_of_shard.fingerprint)


def record_size(recordings: int) -> dict[str, Any]:
    """Bytes of the record of a shard of so many recordings, all whole."""
    videos = [f"instrument00/{video}" for video in video_ids(recordings, np.random.default_rng(SEED))]
    labels = {f"instrument{number:02d}": 60 for number in range(LABELS)}
    found = ExamplesRecord(
        name="train-0000000-of-1000000",
        fingerprint="0" * 64,
        segments_of_video=dict.fromkeys(videos, 60),
        media_bytes=dict.fromkeys(videos, 6_660_000),
        rejects=(),
        limits=dataclasses.asdict(DecodeLimits()),
        versions={**package_versions(), **ffmpeg_versions()},
        tfrecord_bytes=40_000_000,
        label_segments=labels,
        log_mel_count=8_847_360,
        log_mel_sum_db=-353_894_400.5,
        log_mel_square_sum=17_694_720_000.5,
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, SHARDS_FOLDER).mkdir()
        save_record(found, folder)
        return {"videos": recordings, "record_bytes": Path(record_path(folder, found.name)).stat().st_size}


def main() -> None:
    """Measures one size and records it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--rows", type=int)
    what.add_argument("--records", type=int)
    what.add_argument("--recordings", type=int)
    parser.add_argument("--data_dir", default="", help="a finished dataset whose records are copied")
    arguments = parser.parse_args()
    if arguments.rows:
        record(f"launcher_{arguments.rows}", launch(arguments.rows))
    elif arguments.recordings:
        record(f"records_{arguments.recordings}", record_size(arguments.recordings))
    else:
        record(f"finishing_{arguments.records}", finish(arguments.records, arguments.data_dir))


if __name__ == "__main__":
    main()
