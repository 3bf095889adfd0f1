"""Small jobs of `prepare` for tests: videos, the command in a process of its own, a dataset's digests."""

import hashlib
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from media_factory import tone, write_media

from avinst.spec import DatasetSpec
from beam_pipelines.preparing import PrepareConfig

SPEC = DatasetSpec(frame_size=32)
REPOSITORY = Path(__file__).parent.parent


def write_videos(root: Path, count: int, seconds: float = 1.2) -> Path:
    """Videos of two labels, a text file and a missing file; returns the manifest."""
    root.mkdir(parents=True, exist_ok=True)
    rows = ["video_path,label"]
    for number in range(count):
        write_media(root / f"{number}.mp4", seconds=seconds, sound=tone(220.0 + 20 * number, seconds))
        rows.append(f"{number}.mp4,{('drum', 'flute')[number % 2]}")
    (root / "text.mp4").write_text("no video at all")
    rows += ["text.mp4,drum", "missing.mp4,flute"]
    manifest = root / "manifest.csv"
    manifest.write_text("\n".join(rows) + "\n")
    return manifest


def job(manifest: Path, data_dir: Path | str, **changes: object) -> PrepareConfig:
    """One video a shard, about, so that there is much to be interrupted and to be divided."""
    values: dict[str, object] = {"videos_per_shard": 1, "max_reject_rate": 0.5, **changes}
    return PrepareConfig(manifest=str(manifest), data_dir=str(data_dir), **values)  # type: ignore[arg-type]


def digests(data_dir: Path | str) -> dict[str, str]:
    """Relative path to sha256, of every file of a dataset directory."""
    return {
        str(file.relative_to(data_dir)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(Path(data_dir).rglob("*"))
        if file.is_file()
    }


def start_command(config: PrepareConfig, *flags: str) -> subprocess.Popen[str]:
    """`python -m beam_pipelines.prepare` as `job` has it."""
    return start_module(
        "beam_pipelines.prepare",
        f"--manifest={config.manifest}",
        f"--data_dir={config.data_dir}",
        f"--videos_per_shard={config.videos_per_shard}",
        f"--max_reject_rate={config.max_reject_rate}",
        f"--frame_size={SPEC.frame_size}",
        *flags,
    )


def start_module(module: str, *flags: str) -> subprocess.Popen[str]:
    """A command in a process of its own, leading a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *flags],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_until(condition: Callable[[], object], seconds: float = 60.0, poll_seconds: float = 0.02) -> bool:
    """Whether the condition came true in time; the time is for machines that are far overloaded."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(poll_seconds)
    return True


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children_of(pid: int) -> list[int]:
    """The processes that a process has started and that still are."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = Path(folder, "stat").read_text().rpartition(")")[2].split()[1]
            except (FileNotFoundError, ProcessLookupError):
                continue  # ended meanwhile
            if int(parent) == pid:
                found.append(int(folder.name))
    return found
