"""What a second of video costs: CPU to decode and prepare it, bytes of its examples and of the shards' records.

    python benchmarks/scale_media.py --height=360 --work_dir=WORK

Makes its own videos (some minutes, kept in the work directory).
"""

import argparse
import csv
import sys
import tempfile
from pathlib import Path
from typing import Any

import recordings
from measuring import Cost, cost_of
from scale_record import record

from avinst.dataset import SHARDS_FOLDER, load_dataset

AVINST = Path(sys.executable).with_name("avinst")
VIDEOS, SECONDS, COPIES = 2, 60, 6
TURNS = 3


def prepared(videos: list[Path], data_dir: str) -> Cost:
    """Cost of `avinst prepare` with one worker."""
    manifest = Path(data_dir).parent / "manifest.csv"
    with manifest.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["video_path", "video_id", "label"])
        writer.writerows(
            [video.name, f"{number:05d}", f"label{number % 2}"] for number, video in enumerate(videos)
        )
    folders = [f"--manifest={manifest}", f"--media_root={videos[0].parent}", f"--data_dir={data_dir}"]
    return cost_of([AVINST, "prepare", *folders, "--workers=1", "--splits=stratified"])


def measured(height: int, work_dir: Path) -> dict[str, Any]:
    """All of one size of picture."""
    recordings.HEIGHT, recordings.WIDTH = height, height * 16 // 9
    whole = recordings.write_recordings(work_dir / f"{height}p", VIDEOS, SECONDS)
    second = recordings.write_recordings(work_dir / f"{height}p_second", 1, 1)
    copies = []
    for number in range(COPIES):
        for video in whole:
            path = video.with_name(f"{video.stem}_{number}.mp4")  # a manifest may name a file once only
            if not path.exists():
                path.hardlink_to(video)
            copies.append(path)
    costs = []
    for _turn in range(TURNS):
        with tempfile.TemporaryDirectory(dir=work_dir) as folder:
            start_up = prepared(second, f"{folder}/second")
            costs.append((prepared(copies, f"{folder}/whole") - start_up).cpu_seconds)
            dataset = load_dataset(f"{folder}/whole")
            stored = sum(file.stat().st_size for file in Path(folder, "whole").glob("*.tfrecord"))
            records = [file.stat().st_size for file in Path(folder, "whole", SHARDS_FOLDER).iterdir()]
    seconds = len(copies) * SECONDS
    return {
        "height": height,
        "media_seconds": seconds,
        "cpu_seconds_per_media_second": [cost / seconds for cost in costs],
        "start_up_cpu_seconds": start_up.cpu_seconds,
        "media_bytes_per_second": sum(video.stat().st_size for video in whole) / (VIDEOS * SECONDS),
        "frame_size": dataset.spec.frame_size,
        "bytes_per_segment": stored / sum(dataset.segments.values()),
        "record_bytes_per_recording": sum(records) / len(copies),
        "record_bytes_per_record": sum(records) / len(records),
    }


def main() -> None:
    """Measures one size and records it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--height", type=int, required=True)
    parser.add_argument("--work_dir", type=Path, required=True)
    arguments = parser.parse_args()
    record(f"media_{arguments.height}", measured(arguments.height, arguments.work_dir.absolute()))


if __name__ == "__main__":
    main()
