"""What interruptions change in a training, against the noise between seeds.

    python benchmarks/interruption.py --data_dir=DATASET --work_dir=WORK

Trains with several seeds; trains the first seed once more, killed in every stage and told to end once; writes its
section of docs/benchmarks.md. Runs that are done are kept in the work directory.
"""

import argparse
import json
import os
import shlex
import signal
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
from measuring import machine_line, table, write_section

from trainer.run import load_model

AVINST = Path(sys.executable).with_name("avinst")
METRICS = {
    "hit_at_1": "Hit@1",
    "hit_at_3": "Hit@3",
    "f1_macro": "F1 (macro)",
    "map": "mAP",
    "log_loss": "log loss",
}
FLAGS = (
    "--scheme=independent --audio_backbone=small_cnn --visual_backbone=small_cnn --epochs=10 --fusion_epochs=10"
)
# What is seen on stderr, and the signal that is sent then; one after the other, each to a new process.
MOMENTS = [
    ("audio, epoch 1/10", signal.SIGKILL),
    ("audio, epoch 7/10", signal.SIGTERM),
    ("visual, epoch 5/10", signal.SIGKILL),
    ("visual, BatchNorm statistics", signal.SIGKILL),
    ("fusion, epoch 4/10", signal.SIGKILL),
]


def train(data_dir: str, run_dir: Path, seed: int, until: str = "", number: int = 0) -> int:
    """Runs the command to its end, or sends it the signal when its output holds the words; returns its status."""
    command = [
        AVINST,
        "train",
        f"--data_dir={data_dir}",
        f"--run_dir={run_dir}",
        f"--seed={seed}",
        *shlex.split(FLAGS),
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            sys.stderr.write(line)
            if until and until in line:
                os.kill(process.pid, number)
                until = ""
    return process.returncode


def metrics(run_dir: Path) -> dict[str, float]:
    """Those of the test split by recording."""
    subprocess.run(
        [AVINST, "evaluate", f"--run_dir={run_dir}", "--noaudit"], check=True, stdout=subprocess.DEVNULL
    )
    found = json.loads((run_dir / "metrics.json").read_text())["test"]["recording"]
    return {name: float(found[name]["value"]) for name in METRICS}


def greatest_difference(one: Path, other: Path) -> float:
    """Of any weight of the finished networks."""
    pairs = zip(*(load_model(str(path / "model.keras")).get_weights() for path in (one, other)), strict=True)
    return max(float(np.abs(a - b).max()) for a, b in pairs)


def main() -> None:
    """Trains, compares, writes the section."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data_dir", required=True)
    parser.add_argument("--work_dir", required=True, type=Path)
    parser.add_argument("--seeds", type=int, default=4)
    arguments = parser.parse_args()
    runs = [arguments.work_dir / f"seed{seed}" for seed in range(arguments.seeds)]
    for seed, run_dir in enumerate(runs):
        train(arguments.data_dir, run_dir, seed)
    broken = arguments.work_dir / "interrupted"
    ended = arguments.work_dir / "statuses.json"
    statuses = json.loads(ended.read_text()) if ended.exists() else []
    for moment in MOMENTS[len(statuses) :]:
        statuses.append(train(arguments.data_dir, broken, 0, *moment))
        ended.write_text(json.dumps(statuses))
    if train(arguments.data_dir, broken, 0):
        raise RuntimeError("the last rerun failed")
    reached = [metrics(run_dir) for run_dir in runs]
    reached_broken = metrics(broken)
    rows = [
        [
            title,
            f"{reached[0][name]:.4f}",
            f"{reached_broken[name] - reached[0][name]:+.4f}",
            f"{statistics.stdev(values[name] for values in reached):.4f}",
        ]
        for name, title in METRICS.items()
    ]
    difference, seeds = greatest_difference(runs[0], broken), greatest_difference(runs[0], runs[1])
    text = (
        "## Interrupted trainings\n\n"
        f"`python benchmarks/interruption.py --data_dir=DATASET --work_dir=WORK`: `avinst train {FLAGS}`, one run "
        "killed (`kill -9`) or told to end "
        f"(SIGTERM) {len(MOMENTS)} times in its three stages (status {', '.join(map(str, statuses))}), started "
        f"again, against the undisturbed one of the same seed, and against {len(runs)} seeds. Test split, by "
        "recording.\n\n"
        + table(["metric", "undisturbed", "interrupted: difference", "between seeds: standard deviation"], rows)
        + f"\nGreatest difference of a weight: {difference:.3g} interrupted, {seeds:.3g} between two seeds.\n\n"
        f"{machine_line()}\n"
    )
    write_section("interruption", text)
    print(text)


if __name__ == "__main__":
    main()
