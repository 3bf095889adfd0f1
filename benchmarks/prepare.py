"""What `avinst prepare` costs: against ffmpeg, on one core and on two, in memory, and stage by stage.

    python benchmarks/prepare.py --work_dir=WORK

Makes its own videos (about ten minutes, kept in the work directory), needs the `ffmpeg` command, wants an idle
machine, and writes its section of docs/benchmarks.md.
"""

import argparse
import cProfile
import csv
import functools
import pstats
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from measuring import Cost, cost_of, machine_line, measure_parts, ratios, spread, table
from recordings import repeat_recording, write_recordings

from avinst.machine import available_cores
from avinst.media import segments as media
from avinst.media.decoder import Decoder
from avinst.spec import DatasetSpec

AVINST = Path(sys.executable).with_name("avinst")
YARDSTICK = Path(__file__).with_name("one_process_a_video.py")
VIDEOS, SECONDS, TURNS = 12, 60, 3
COPIES = 8  # of each video in the job for one core and two: minutes of work
COPIES_ALONE = 3  # of each in the job against ffmpeg: start-up, which is taken off, varies by half a second
LONG_SECONDS, SHORT_SECONDS = 7200, 120


def prepare_cost(videos: list[Path], workers: int) -> Cost:
    """Cost of `avinst prepare` on the videos."""
    with tempfile.TemporaryDirectory(dir=videos[0].parent) as folder:
        manifest = Path(folder, "manifest.csv")
        with manifest.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["video_path", "video_id", "label"])
            for number, video in enumerate(videos):
                writer.writerow([video, f"{number:05d}", f"label{number % 2}"])
        return cost_of(
            [
                *(AVINST, "prepare", f"--manifest={manifest}", f"--data_dir={folder}/dataset"),
                *(f"--media_root={videos[0].parent}", f"--workers={workers}", "--videos_per_shard=4"),
            ]
        )


def against_ffmpeg(videos: list[Path], second: Path) -> str:
    """CPU against the bare command, and against one process a video with its second pass."""
    videos = _copies(videos, COPIES_ALONE)
    bare, planned, usual, start_ups = [], [], [], []
    null = ["-f", "null", "-"]
    for _turn in range(TURNS):
        bare.append(sum((cost_of(["ffmpeg", "-v", "error", "-i", video, *null]) for video in videos), Cost(0, 0)))
        start_ups.append(prepare_cost([second], 1))
        planned.append(prepare_cost(videos, 1))
        folder = Path(tempfile.mkdtemp(dir=videos[0].parent))
        usual_start = cost_of([sys.executable, YARDSTICK, folder / "start", second])
        usual.append(cost_of([sys.executable, YARDSTICK, folder / "all", *videos]) - usual_start)
        shutil.rmtree(folder)
    work = [cost - start for cost, start in zip(planned, start_ups, strict=True)]
    cpu = {"bare": bare, "usual": usual, "avinst": work}
    seconds = {name: [cost.cpu_seconds for cost in costs] for name, costs in cpu.items()}
    walls = {name: [cost.wall_seconds for cost in costs] for name, costs in cpu.items()}
    rows = [
        [title, spread(seconds[name]), spread(walls[name]), spread(ratios(seconds[name], seconds["bare"]))]
        for name, title in (
            ("bare", "`ffmpeg -i x -f null -`, decoding alone"),
            ("usual", "one `ffmpeg` a video to JPEG and WAV, second pass for log-mel"),
            ("avinst", "`avinst prepare --workers=1`, start-up aside"),
        )
    ]
    share = ratios(seconds["avinst"], seconds["usual"])
    size = sum(video.stat().st_size for video in videos) * 8 / (len(videos) * SECONDS) / 1000
    return (
        f"{len(videos)} videos of {SECONDS} s, 640 x 360 at 30 frames/s, H.264 with a keyframe every 250, stereo "
        f"AAC, {size:.0f} kbit/s; frame size 299; {TURNS} turns, median (lowest to highest), ratios within a turn."
        "\n\n"
        + table(["way", "CPU s", "wall s", "CPU / bare ffmpeg"], rows)
        + f"\nCPU of `avinst prepare` / one process a video: {spread(share)}.\n"
        f"Start-up (a job of one second of media): {spread([cost.cpu_seconds for cost in start_ups])} s of CPU, "
        f"{spread([cost.wall_seconds for cost in start_ups])} s. The wall time of `ffmpeg` is with its own "
        f"threads on {available_cores()} cores, that of `avinst` with one.\n"
    )


def one_and_two(videos: list[Path]) -> str:
    """Wall time of a job of minutes, start-up included."""
    job = _copies(videos, COPIES)
    costs = {workers: [prepare_cost(job, workers)] for workers in (1, 2)}
    rows = [
        [str(workers), spread([c.wall_seconds for c in found]), spread([c.cpu_seconds for c in found])]
        for workers, found in costs.items()
    ]
    gain = costs[1][0].wall_seconds / costs[2][0].wall_seconds
    return (
        f"{len(job)} videos of {SECONDS} s, start-up included, one run each:\n\n"
        + table(["workers", "wall s", "CPU s"], rows)
        + f"\nTwo cores do {gain:.2f} times what one does.\n"
    )


def _copies(videos: list[Path], count: int) -> list[Path]:
    return [_linked(video, number) for number in range(count) for video in videos]


def _linked(video: Path, number: int) -> Path:
    """The same file under another name: a manifest may name a file once only."""
    path = video.with_name(f"{video.stem}_{number}.mp4")
    if not path.exists():
        path.hardlink_to(video)
    return path


def memory(video: Path) -> str:
    """Peak of the decoder child for a short and for a long recording."""
    peaks = {}
    for seconds in (SHORT_SECONDS, LONG_SECONDS):
        path = video.with_name(f"joined_{seconds}.mp4")
        repeat_recording(video, path, seconds // SECONDS)
        with Decoder() as decoder:
            count = sum(isinstance(part, media.Segment) for part in decoder.decode(str(path), DatasetSpec()))
            pid = decoder._child._process.pid  # type: ignore[union-attr]  # while it is alive
            status = Path(f"/proc/{pid}/status").read_text()
        if count < seconds:
            raise RuntimeError(f"{path}: {count} segments of {seconds}")
        peaks[seconds] = int(status.split("VmHWM:")[1].split()[0]) / 1024
    rows = [[f"{seconds // 60} min", f"{peak:.0f}"] for seconds, peak in peaks.items()]
    ratio = peaks[LONG_SECONDS] / peaks[SHORT_SECONDS]
    return table(["recording", "peak of the decoder child, MB"], rows) + f"\nRatio {ratio:.2f}.\n"


def stages(videos: list[Path]) -> str:
    """Where the time goes, in one process and one thread, under a profiler."""
    from avinst.quiet import import_tensorflow_quietly

    import_tensorflow_quietly()
    import tensorflow as tf

    from avinst.schema import Example, encode_example
    from beam_pipelines.example_writer import log_mel_of

    spec = DatasetSpec()
    to_log_mel = log_mel_of(spec)
    to_log_mel(tf.zeros([SECONDS, spec.segment_samples]))  # traced

    def to_examples(segments: list[media.Segment]) -> int:
        log_mels = to_log_mel(tf.constant(np.stack([x.waveform for x in segments]))).numpy().astype(np.float16)
        rows = zip(segments, log_mels, strict=True)
        return sum(len(encode_example(Example(y, x.jpeg, (0,), "id", x.index, 0.0), spec)) for x, y in rows)

    profile = cProfile.Profile()
    for video in videos:
        segments = [part for part in media.decode_segments(str(video), spec) if isinstance(part, media.Segment)]
        to_examples(segments)  # once without the profiler: caches are warm
        profile.enable()
        segments = [part for part in media.decode_segments(str(video), spec) if isinstance(part, media.Segment)]
        to_examples(segments)
        profile.disable()
    stats = pstats.Stats(profile)
    total = stats.total_tt
    shares = _shares(stats)
    shares["other (planning, Python, reading)"] = total - sum(shares.values())
    rows = [
        [name, f"{seconds / total:.0%}", f"{1000 * seconds / (len(videos) * SECONDS):.2f}"]
        for name, seconds in sorted(shares.items(), key=lambda item: -item[1])
    ]
    return table(["stage", "share", "ms a segment"], rows)


def _shares(stats: pstats.Stats) -> dict[str, float]:
    """Seconds by stage; a call into FFmpeg is told apart by the file that it comes from."""
    found: dict[str, float] = dict.fromkeys(STAGES, 0.0)
    for (_, _, function), (_, _, _, total, callers) in stats.stats.items():  # type: ignore[attr-defined]
        for name, (wanted, caller_file) in STAGES.items():
            if function == wanted and not caller_file:
                found[name] += total
            elif wanted in function and caller_file:
                found[name] += sum(
                    times[3] for (file, _, _), times in callers.items() if file.endswith(caller_file)
                )
    return found


STAGES = {
    "picture: decoding": ("'decode'", "media/frames.py"),
    "picture: to RGB, resizing, JPEG": ("render", ""),
    "sound: decoding": ("'decode'", "media/sound.py"),
    "sound: resampling": ("resample", ""),
    "log-mel and encoding of examples": ("to_examples", ""),
}


def main() -> None:
    """Measures all, or one part, and writes a section for each as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work_dir", required=True, type=Path)
    parser.add_argument("--part", choices=("ffmpeg", "cores", "memory", "stages"))
    arguments = parser.parse_args()
    if not shutil.which("ffmpeg"):
        sys.exit("there is no `ffmpeg` command; install it: apt-get install ffmpeg")
    work_dir = arguments.work_dir.resolve()  # manifests name paths from their media root on, or absolute ones
    videos = write_recordings(work_dir / "videos", VIDEOS, SECONDS)
    second = write_recordings(work_dir / "second", 1, 1)[0]
    parts = {
        "ffmpeg": ("CPU against ffmpeg", functools.partial(against_ffmpeg, videos, second)),
        "cores": ("One core and two", functools.partial(one_and_two, videos)),
        "memory": ("Memory", functools.partial(memory, videos[0])),
        "stages": ("Where the time goes", functools.partial(stages, videos[:4])),
    }
    command = "python benchmarks/prepare.py --work_dir=WORK"
    head = f"## `avinst prepare`\n\n`{command}`; {machine_line()}."
    measure_parts("prepare", head, parts, arguments.part)


if __name__ == "__main__":
    main()
