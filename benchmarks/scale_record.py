"""What docs/scale.md is computed from: benchmarks/scale_measured.json, an entry a measurement."""

import datetime
import json
import shlex
import sys
from pathlib import Path
from typing import Any

from measuring import machine_line

_NAMES = {"--data_dir": "DATASET", "--work_dir": "WORK"}
MEASURED = Path(__file__).with_name("scale_measured.json")


def load() -> dict[str, Any]:
    """All entries by name."""
    return dict(json.loads(MEASURED.read_text())) if MEASURED.exists() else {}


def record(name: str, values: dict[str, Any]) -> None:
    """Puts an entry in the place of the one of that name, with the command, the day and the machine."""
    command = shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *_without_places(sys.argv[1:])])
    entry = {"command": command, "day": datetime.date.today().isoformat(), "machine": machine_line(), **values}
    MEASURED.write_text(json.dumps({**load(), name: entry}, indent=1, sort_keys=True) + "\n")
    print(json.dumps({name: entry}, indent=1))


def _without_places(arguments: list[str]) -> list[str]:
    """Directories are this machine's: their names stand for them."""
    shown = []
    for argument in arguments:
        flag = argument.partition("=")[0]
        shown.append(f"{flag}={_NAMES[flag]}" if flag in _NAMES else argument)
    return shown
