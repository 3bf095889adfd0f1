"""Makes docs/results.md: all four schemes on a folder of class folders, with commands, figures and time.

    python benchmarks/results.py --media_root=VIDEOS --work_dir=WORK

Every step is an avinst command that goes on where it was, so that this can be interrupted and run again. With
--page_only the page is made of what the commands have written so far.
"""

import argparse
import json
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from avinst.machine import available_cores
from avinst.progress import format_seconds
from avinst.versions import package_versions

RESULTS_FILE = Path(__file__).parents[1] / "docs" / "results.md"
COLUMNS = {"hit_at_1": "Hit@1", "hit_at_3": "Hit@3", "f1_macro": "F1 (macro)", "map": "mAP"}
# The audio network at half its depth and width, as on two cores the whole one takes four times as long.
TRAIN = "--audio_blocks=4 --audio_width=0.5 --epochs={epochs} --seed=0"


def commands(media_root: str, epochs: int, joint_epochs: int) -> list[str]:
    """The whole experiment; the paths DATASET, INDEPENDENT and JOINT lie in the work directory."""
    steps = [
        f"avinst manifest --format=folders --media_root={shlex.quote(media_root)} --output=manifest.csv",
        f"avinst prepare --manifest=manifest.csv --media_root={shlex.quote(media_root)} --data_dir=DATASET "
        "--frame_size=128 --splits=stratified",
    ]
    for scheme, passes in (("independent", epochs), ("joint", joint_epochs)):
        run_dir = scheme.upper()
        steps += [
            f"avinst train --data_dir=DATASET --run_dir={run_dir} --scheme={scheme} {TRAIN.format(epochs=passes)}",
            f"avinst evaluate --run_dir={run_dir} --split=test",
            f"avinst export --run_dir={run_dir}",
            f"avinst analyze --run_dir={run_dir} --split=test",
        ]
    return steps


def run_all(steps: list[str], work_dir: Path) -> None:
    """Runs the commands one after the other."""
    script = Path(sys.executable).with_name("avinst")
    for step in steps:
        print(f"$ {step}", flush=True)
        start = time.monotonic()
        subprocess.run([script, *shlex.split(step)[1:]], cwd=work_dir, check=True)
        print(f"took {format_seconds(time.monotonic() - start)}", flush=True)


def page(steps: list[str], work_dir: Path, title: str) -> str:
    """The document, every figure read from the files that the commands wrote."""
    metrics = {
        "audio": work_dir / "INDEPENDENT" / "stages" / "audio" / "metrics.json",
        "visual": work_dir / "INDEPENDENT" / "stages" / "visual" / "metrics.json",
        "independent": work_dir / "INDEPENDENT" / "metrics.json",
        "joint": work_dir / "JOINT" / "metrics.json",
    }
    dataset = json.loads((work_dir / "DATASET" / "dataset.json").read_text())
    recordings, segments = dataset["recordings"], dataset["segments"]
    versions = package_versions(("tensorflow", "keras", "av"))
    lines = [
        "# Results",
        "",
        "Made by `python benchmarks/results.py --media_root=VIDEOS --work_dir=WORK`; do not edit.",
        "",
        f"## {title}",
        "",
        f"{len(dataset['labels'])} instruments ({', '.join(dataset['labels'])}); "
        f"recordings: train {recordings['train']}, validation {recordings['validation']}, "
        f"test {recordings['test']}; segments: {sum(segments.values())}; "
        f"{dataset['rejects']} rejects.",
        "",
        f"Test split, recording level, from scratch, one seed, 95 % bootstrap interval over recordings; chance is "
        f"{1 / len(dataset['labels']):.3f} for Hit@1.",
        "",
        f"| scheme | {' | '.join(COLUMNS.values())} |",
        "| --- " * (len(COLUMNS) + 1) + "|",
    ]
    for scheme, file in metrics.items():
        values = json.loads(file.read_text())["test"]["recording"]
        cells = [
            f"{v['value']:.3f} ({v['low']:.3f} to {v['high']:.3f})" for v in (values[name] for name in COLUMNS)
        ]
        lines.append(f"| {scheme} | {' | '.join(cells)} |")
    lines += ["", "### Do the modalities' features move together?", ""]
    lines += [
        "| scheme | label | within audio | within vision | across | by chance (95 % of draws) | pairs after FDR |"
    ]
    lines += ["| --- " * 7 + "|"]
    for run_dir in ("INDEPENDENT", "JOINT"):
        summary = json.loads((work_dir / run_dir / "analysis" / "correlations" / "summary.json").read_text())
        lines += [_correlation_row(run_dir.lower(), label, values) for label, values in summary["labels"].items()]
    lines += ["", f"### Commands ({available_cores()} cores, no GPU)", "", "```bash"]
    lines += [*steps, "```", "", ", ".join(f"{name} {version}" for name, version in versions.items()), ""]
    return "\n".join(lines)


def _correlation_row(scheme: str, label: str, values: dict[str, Any]) -> str:
    """Mean |rho| of each block; the null's band says what unrelated modalities would give."""
    blocks = [values[name]["value"] for name in ("audio_audio", "visual_visual", "audio_visual")]
    chance = f"{values['null']['low']:.2f} to {values['null']['high']:.2f}"
    cells = [scheme, label, *(f"{value:.2f}" for value in blocks), chance]
    return f"| {' | '.join(cells)} | {values['significant_pairs']} of {values['pairs']} |"


def main() -> None:
    """Reads the flags, runs the commands, writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--media_root", required=True)
    parser.add_argument("--work_dir", required=True, type=Path)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--joint_epochs", type=int, default=6)
    parser.add_argument("--page_only", action="store_true")
    parser.add_argument("--title", default="990 clips of 3 s, 9 instruments, 128 px")
    arguments = parser.parse_args()
    arguments.work_dir.mkdir(parents=True, exist_ok=True)
    steps = commands(str(Path(arguments.media_root).resolve()), arguments.epochs, arguments.joint_epochs)
    if not arguments.page_only:
        run_all(steps, arguments.work_dir)
    shown = [step.replace(str(Path(arguments.media_root).resolve()), "VIDEOS") for step in steps]
    RESULTS_FILE.write_text(page(shown, arguments.work_dir, arguments.title), encoding="utf-8")


if __name__ == "__main__":
    main()
