"""A work directory of commands, each run once: a benchmark of hours is interrupted and goes on."""

import json
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from avinst.progress import format_seconds

BENCHMARKS = Path(__file__).parent


class Work:
    """The work directory, the commands that are done there, and the seconds that each took."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._times = folder, folder / "times.json"
        self.seconds: dict[str, float] = json.loads(self._times.read_text()) if self._times.exists() else {}
        self._done = folder / "done.txt"

    def do(self, command: str) -> None:
        """Runs `avinst ...` or `python benchmarks/....py ...` in the directory, if it is not done yet.

        The time that an interrupted one took is kept and added to.

        Raises:
            SystemExit: it failed; what was done stays done.
        """
        if self._done.exists() and command in self._done.read_text().splitlines():
            return
        print(f"$ {command}", flush=True)
        began = time.monotonic()
        try:
            status = subprocess.run(_arguments(command), cwd=self.folder, check=False).returncode
        finally:
            self.seconds[command] = self.seconds.get(command, 0.0) + time.monotonic() - began
            self._times.write_text(json.dumps(self.seconds, indent=2))
        if status:
            raise SystemExit(f"status {status} of: {command}\nthe same command goes on here once that is mended")
        with self._done.open("a") as file:
            file.write(f"{command}\n")
        print(f"took {format_seconds(self.seconds[command])}", flush=True)

    def read(self, *parts: str) -> Any:
        """A JSON file below the directory; empty where there is none yet."""
        file = self.folder.joinpath(*parts)
        return json.loads(file.read_text()) if file.exists() else {}


def _arguments(command: str) -> list[str]:
    """As it is started: by this Python, and a script of the benchmarks by its place."""
    program, *rest = shlex.split(command)
    if program == "avinst":
        return [str(Path(sys.executable).with_name("avinst")), *rest]
    return [sys.executable, str(BENCHMARKS / Path(rest[0]).name), *rest[1:]]
