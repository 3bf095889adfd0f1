"""What the benchmarks share: the cost of a command, medians with their spread, sections of docs/benchmarks.md."""

import dataclasses
import os
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from avinst.machine import available_cores
from avinst.versions import ffmpeg_versions, package_versions

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
_HEAD = (
    "# Benchmarks\n\nEach section is written by the command that it names, all of them by `python "
    "benchmarks/everything.py --media_root=VIDEOS --work_dir=WORK`; do not edit.\n"
)


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a command took, its children included.

    Attributes:
        cpu_seconds: user and system time.
        wall_seconds: from start to end.
    """

    cpu_seconds: float
    wall_seconds: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.cpu_seconds + other.cpu_seconds, self.wall_seconds + other.wall_seconds)

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.cpu_seconds - other.cpu_seconds, self.wall_seconds - other.wall_seconds)


def cost_of(command: Sequence[str | Path], environment: dict[str, str] | None = None) -> Cost:
    """Runs a command to its end.

    Raises:
        RuntimeError: it failed; with the end of what it printed.
    """
    with tempfile.TemporaryFile() as output:
        began = time.monotonic()
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - began
        if process.returncode:
            output.seek(0)
            raise RuntimeError(f"{command}: {output.read().decode(errors='replace')[-2000:]}")
    return Cost(usage.ru_utime + usage.ru_stime, wall)


def spread(values: Sequence[float], unit: str = "") -> str:
    """The median, and the lowest and the highest where there are several."""
    text = f"{statistics.median(values):.2f}{unit}"
    return text if len(values) == 1 else f"{text} ({min(values):.2f} to {max(values):.2f})"


def ratios(values: Sequence[float], references: Sequence[float]) -> list[float]:
    """Turn by turn: what ran at the same time had the same machine."""
    return [value / reference for value, reference in zip(values, references, strict=True)]


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def machine_line() -> str:
    """What the figures depend on: cores and versions."""
    packages = package_versions()
    names = [name for name in ("avinst", "python", "tensorflow", "keras", "apache-beam", "av") if name in packages]
    ffmpeg = ffmpeg_versions()
    versions = {**{name: packages[name] for name in names}, **ffmpeg}
    return f"{available_cores()} cores; " + ", ".join(f"{name} {version}" for name, version in versions.items())


def write_section(name: str, text: str) -> None:
    """Puts a section of docs/benchmarks.md in the place of the one of that name."""
    page = PAGE.read_text() if PAGE.exists() else _HEAD
    section = f"<!-- {name} -->\n{text.strip()}\n<!-- end of {name} -->\n"
    found = re.compile(rf"<!-- {name} -->\n.*?<!-- end of {name} -->\n", re.DOTALL)
    if found.search(page):
        page = found.sub(lambda _: section, page)
    else:
        page += "\n" + section
    PAGE.write_text(page)


def measure_parts(
    name: str,
    head: str,
    parts: Mapping[str, tuple[str, Callable[[], str]]],
    only: str | None = None,
    tell: Callable[[str, str], None] = write_section,
) -> None:
    """Measures all parts of a benchmark, or one, and tells of each as soon as it is there.

    Args:
        name: of the section that the parts belong to.
        head: its text.
        parts: name to title and what measures it and gives its text.
        only: name of the part; all of them without one.
        tell: is given the name and the text of a section.
    """
    tell(name, head)
    for part, (title, measure) in parts.items():
        if only in (None, part):
            text = f"### {title}\n\n{measure()}"
            print(text, flush=True)
            tell(f"{name}: {part}", text)
