"""Runs the whole of avinst on synthetic performances: videos, dataset, both schemes, SavedModels, explanations.

    avinst demo --output_dir=demo
    avinst demo --fast      (tiny networks and data: does it run at all?)

Every step is a command that can be run by itself; run it again to go on after an interruption.
"""

import dataclasses
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import flags

from avinst import cli, command, command_flags, paths
from avinst.errors import Interrupted, UserError
from avinst.machine import available_cores
from avinst.progress import Progress, format_seconds
from avinst.quiet import import_tensorflow_quietly

FLAGS = command_flags.new_flags()
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", "", "where everything is written (default: demo, or demo_fast with --fast)", flag_values=FLAGS
)
_FAST = flags.DEFINE_bool("fast", False, "tiny networks and data: does it run at all?", flag_values=FLAGS)
_SEED = flags.DEFINE_integer("seed", 0, "decides videos and trainings", lower_bound=0, flag_values=FLAGS)

SCHEMES = ("independent", "joint")
EXPLAINED_FILE = "explained.mp4"
PREDICTED_FILE = "predicted.png"


@dataclasses.dataclass(frozen=True)
class DemoSize:
    """What a demo costs: number of videos, size of frames, settings of the training and of the analysis."""

    videos_per_instrument: int
    frame_size: int
    prepare_flags: tuple[str, ...]
    train_flags: tuple[str, ...]
    analyze_flags: tuple[str, ...]
    instruments: int = 8
    seconds: float = 2.0


# Small networks, for they learn this task from so few videos in minutes, and what they learn can be explained; the
# paper's, which are the trainer's defaults, do not. 35 recordings of each instrument are left for the analysis.
FULL = DemoSize(
    videos_per_instrument=100,
    frame_size=96,
    prepare_flags=("--shares=0.55,0.1,0.35",),
    train_flags=("--audio_backbone=small_cnn", "--visual_backbone=small_cnn", "--epochs=20"),
    analyze_flags=("--gradcam_per_label=2",),
)
FAST = DemoSize(
    videos_per_instrument=12,
    frame_size=48,
    prepare_flags=("--shares=0.4,0.1,0.5",),  # leaves the analysis 6 recordings of each instrument
    train_flags=("--audio_backbone=small_cnn", "--visual_backbone=small_cnn", "--epochs=2", "--fusion_epochs=5"),
    analyze_flags=("--gradcam_per_label=1", "--permutations=1000"),
)


def demo() -> None:
    """Runs every step, then prints the table and where to look."""
    import_tensorflow_quietly()
    from avinst.synthesis.performances import REGIONS_FILE

    start = time.monotonic()
    size, folder = (FAST, "demo_fast") if _FAST.value else (FULL, "demo")
    folder = _OUTPUT_DIR.value or folder
    run_dirs = {scheme: paths.join(folder, f"run_{scheme}") for scheme in SCHEMES}
    videos, data_dir = paths.join(folder, "videos"), paths.join(folder, "dataset")
    manifest = paths.join(folder, "manifest.csv")
    steps = [
        ["manifest", "--format=folders", f"--media_root={videos}", f"--output={manifest}"],
        [
            "prepare",
            f"--manifest={manifest}",
            f"--media_root={videos}",
            f"--data_dir={data_dir}",
            f"--frame_size={size.frame_size}",
            "--splits=stratified",
            *size.prepare_flags,
        ],
        ["inspect", f"--data_dir={data_dir}", f"--contact_sheet={paths.join(folder, 'contact_sheet.png')}"],
    ]
    for scheme, run_dir in run_dirs.items():
        steps.append(
            [
                "train",
                f"--data_dir={data_dir}",
                f"--run_dir={run_dir}",
                f"--scheme={scheme}",
                f"--seed={_SEED.value}",
                *size.train_flags,
            ]
        )
    independent, joint = (f"--run_dir={run_dirs[scheme]}" for scheme in SCHEMES)
    steps += [["evaluate", independent], ["evaluate", joint, f"--stages_from={run_dirs['independent']}"]]
    analysis_flags = [
        *size.analyze_flags,
        f"--media_root={videos}",
        f"--regions={paths.join(videos, REGIONS_FILE)}",
    ]
    steps += [
        ["export", independent],
        ["export", joint],
        ["analyze", independent, *analysis_flags],
        ["analyze", joint, *analysis_flags, f"--compare_to={run_dirs['independent']}"],
    ]
    total = len(steps) + 3
    _announce(1, total, "rendering synthetic performances")
    rendered = _render(videos, size)
    for number, step in enumerate(steps, start=2):
        _announce(number, total, f"avinst {' '.join(step)}")
        _run(step)
    clip = paths.join(videos, rendered[0])
    last = [
        ["predict", joint, f"--figure={paths.join(folder, PREDICTED_FILE)}", clip],
        ["explain", joint, clip, f"--output={paths.join(folder, EXPLAINED_FILE)}"],
    ]
    for number, step in enumerate(last, start=total - 1):
        _announce(number, total, f"avinst {' '.join(step)}")
        _run(step)
    print()  # noqa: T201
    print(results_table(run_dirs))  # noqa: T201
    print(_where_to_look(folder, run_dirs, time.monotonic() - start))  # noqa: T201


def _announce(number: int, total: int, what: str) -> None:
    print(f"\n[{number}/{total}] {what}", flush=True)  # noqa: T201


def _render(videos: str, size: DemoSize) -> list[str]:
    from avinst.synthesis.performances import render_performances

    progress = Progress("videos", size.instruments * size.videos_per_instrument)
    rendered = render_performances(
        videos,
        instruments=size.instruments,
        videos_per_instrument=size.videos_per_instrument,
        seconds=size.seconds,
        seed=_SEED.value,
        workers=available_cores(),
        progress=progress,
    )
    progress.finish()
    return rendered


def _run(arguments: Sequence[str]) -> None:
    """Runs a command in this process: TensorFlow is imported once for all of them."""
    status = cli.main(["avinst", *arguments])
    if status > 128:  # ended by a signal
        raise Interrupted(status - 128)
    if status:
        raise UserError(f"avinst {arguments[0]} failed (see above); mend it and run the same avinst demo again")


def results_table(run_dirs: dict[str, str]) -> str:
    """Hit@1 on the test split of audio, visual, independent and joint, by segment and by recording."""
    independent = Path(run_dirs["independent"])
    files = {
        "audio": independent / "stages" / "audio" / "metrics.json",
        "visual": independent / "stages" / "visual" / "metrics.json",
        "independent": independent / "metrics.json",
        "joint": Path(run_dirs["joint"]) / "metrics.json",
    }
    metrics = {name: json.loads(file.read_text())["test"] for name, file in files.items()}
    labels = len(next(iter(metrics.values()))["segment"]["per_label"])
    lines = [
        f"Hit@1 on the test split ({labels} instruments, chance {1 / labels:.3f}; 95 % interval over recordings)",
        f"  {'':<12}{'by segment':<24}by recording",
    ]
    for name, values in metrics.items():
        lines.append(f"  {name:<12}{_interval(values['segment']):<24}{_interval(values['recording'])}")
    return "\n".join(lines)


def _interval(metrics: dict[str, Any]) -> str:
    hit = metrics["hit_at_1"]
    return f"{hit['value']:.3f} ({hit['low']:.3f} to {hit['high']:.3f})"


def _where_to_look(folder: str, run_dirs: dict[str, str], seconds: float) -> str:
    lines = ["", f"done in {format_seconds(seconds)}; look at"]
    lines += [f"  {paths.join(run_dir, 'analysis', 'report.html')}" for run_dir in run_dirs.values()]
    lines += [
        f"  tensorboard --logdir {folder}",
        f"  {paths.join(folder, 'contact_sheet.png')}",
        f"  {paths.join(folder, PREDICTED_FILE)}",
        f"  {paths.join(folder, EXPLAINED_FILE)}",
        *(f"  {paths.join(run_dir, 'export')} (SavedModel)" for run_dir in run_dirs.values()),
    ]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    return command.run(demo, FLAGS, argv)


if __name__ == "__main__":
    sys.exit(main())
