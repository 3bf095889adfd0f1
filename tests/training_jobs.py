"""Small trainings of `avinst train` for tests: runs that a signal ends at a moment, and what a run came to."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

from trainer.run import load_model

REPOSITORY = Path(__file__).parent.parent


class Trainings:
    """Runs the command in forked children."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, *arguments: str, output: Path, at: str | None = None, signal: int = 0) -> int:
        """The command's status, negative where a signal ended it; its output is appended to the file."""
        job = {"arguments": arguments, "output": str(output), "at": at, "signal": int(signal)}
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def trainings(**environment: str) -> Iterator[Trainings]:
    """Starts the process that forks, with more environment variables if wanted."""
    command = [sys.executable, str(REPOSITORY / "tests" / "training_child.py")]
    variables = {**os.environ, "PYTHONPATH": str(REPOSITORY), **environment}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=variables) as process:
        yield Trainings(process)
        process.stdin.close()


def weights(run_dir: Path, model: str = "model.keras") -> dict[str, np.ndarray]:
    """All weights of a finished model by their paths."""
    return {weight.path: weight.numpy() for weight in load_model(str(run_dir / model)).weights}


def curves(run_dir: Path) -> dict[str, dict[int, float]]:
    """All scalars in a run's logs: 'audio/validation/epoch/loss' to epoch to value, the last one where two are."""
    found: dict[str, dict[int, float]] = {}
    logs = run_dir / "logs"
    for folder in sorted({file.parent for file in logs.rglob("*tfevents*")}):
        events = EventAccumulator(str(folder), size_guidance={"tensors": 0}).Reload()
        for tag in events.Tags()["tensors"]:
            if tag.startswith("epoch/"):
                name = f"{folder.relative_to(logs)}/{tag}"
                found[name] = {
                    event.step: float(tensor_util.make_ndarray(event.tensor_proto))
                    for event in events.Tensors(tag)
                }
    return found
