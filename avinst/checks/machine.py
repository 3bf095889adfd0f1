"""The doctor looks at what this machine gives a process: memory, cores, temporary space, clock, language."""

import locale
import os
import resource
import shutil
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from avinst.checks.finding import Finding, Plans, note, ok, wrong
from avinst.machine import available_cores

_CGROUP = Path("/sys/fs/cgroup")
# Of cgroup 2 and of cgroup 1, whichever the system has.
_MEMORY_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")
_SHARED_MEMORY = Path("/dev/shm")
_LOW_MEMORY_BYTES = 4e9
_LOW_SHARED_BYTES = 256e6
_LOW_TEMPORARY_BYTES = 1e9
_LOW_FILES = 1024
# No release of avinst is older; certificates of cloud services are not valid yet on a machine that thinks so.
_RELEASED = time.mktime((2025, 1, 1, 0, 0, 0, 0, 0, 0))
_FUTURE = time.mktime((2100, 1, 1, 0, 0, 0, 0, 0, 0))


def check_memory(_: Plans) -> list[Finding]:
    """Whether there is memory enough to train, with the limit of a container in mind."""
    machine = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    limit = _container_memory()
    memory = min(machine, limit or machine)
    of = f" (this container's limit; the machine has {machine / 1e9:.1f} GB)" if limit and limit < machine else ""
    if memory < _LOW_MEMORY_BYTES:
        advice = "; what is killed without a word ran out of it: train with a smaller --batch_size"
        return note("memory", f"{memory / 1e9:.1f} GB{of}{advice}")
    return ok("memory", f"{memory / 1e9:.1f} GB{of}")


def check_cores(_: Plans) -> list[Finding]:
    """Whether a container has less CPU than the number of cores that it sees."""
    allowed = _container_cores()
    cores = available_cores()
    if allowed is None or allowed >= cores - 0.5:
        return []
    workers = max(1, round(allowed))
    text = f"this container may use {allowed:g} of the {cores} cores that it sees; prepare and predict with"
    return note("CPU", f"{text} --workers={workers}")


def check_shared_memory(_: Plans) -> list[Finding]:
    """Whether /dev/shm is as small as Docker makes it, which crashes trainings on several GPUs."""
    if not _SHARED_MEMORY.exists():
        return []
    size = shutil.disk_usage(_SHARED_MEMORY).total
    if size >= _LOW_SHARED_BYTES:
        return []
    text = f"{_SHARED_MEMORY} holds {size / 1e6:.0f} MB; for several GPUs start the container with --shm-size=1g"
    return note("shared memory", text)


def check_open_files(_: Plans) -> list[Finding]:
    """Whether few files may be open at once, which ends trainings on datasets of many shards."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= _LOW_FILES:
        return []
    return note(
        "open files", f"at most {soft} at once, and a dataset has hundreds of shards; ulimit -n 4096 before avinst"
    )


def check_temporary_space(_: Plans) -> list[Finding]:
    """Whether temporary files can be written, and have room."""
    try:
        with tempfile.NamedTemporaryFile(prefix="avinst-doctor-") as file:
            folder = str(Path(file.name).parent)
            free = shutil.disk_usage(folder).free
    except OSError as error:
        return wrong("temporary", f"no temporary file can be written ({error}); set TMPDIR to a folder with room")
    if free < _LOW_TEMPORARY_BYTES:
        return note("temporary", f"{free / 1e9:.1f} GB free in {folder}; set TMPDIR to a folder with more room")
    named = os.environ.get("TMPDIR")
    if named and not os.access(named, os.W_OK):
        return note(
            "temporary", f"TMPDIR={named} cannot be written to, so {folder} is used; set it to one that can"
        )
    return []


def check_language(_: Plans) -> list[Finding]:
    """Whether names of files and labels beyond ASCII can be read and printed."""
    encodings = {locale.getpreferredencoding(False), sys.getfilesystemencoding()}
    odd = sorted(name for name in encodings if name.lower().replace("-", "") != "utf8")
    if not odd:
        return []
    return note(
        "language",
        f"the locale's encoding is {odd[0]}, not UTF-8: names with accents may fail; export LANG=C.UTF-8",
    )


def check_clock(_: Plans) -> list[Finding]:
    """Whether the clock is right enough for the certificates of cloud services."""
    now = time.time()
    if _RELEASED < now < _FUTURE:
        return []
    day = time.strftime("%Y-%m-%d", time.gmtime(now))
    return wrong("clock", f"says {day}; cloud storage and downloads refuse that: set the clock")


def check_proxy(_: Plans) -> list[Finding]:
    """Whether a proxy stands between this machine and the downloads."""
    proxies = {scheme: url for scheme, url in urllib.request.getproxies().items() if scheme in ("http", "https")}
    if not proxies:
        return []
    scheme = sorted(proxies)[-1]
    text = f"{scheme} goes through a proxy ({scheme}_proxy is set); if downloads or gs:// fail, look there first"
    return note("network", text)


def check_keras_home(_: Plans) -> list[Finding]:
    """Whether Keras can keep downloaded ImageNet weights."""
    home = Path(os.environ.get("KERAS_HOME") or Path("~/.keras").expanduser())
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    if there.is_dir() and os.access(there, os.W_OK):
        return []
    text = f"{home} cannot be written to, so --visual_weights=imagenet is downloaded anew each time or fails"
    return note("Keras home", f"{text}; set KERAS_HOME to a folder that can")


def _container_memory() -> float | None:
    for name in _MEMORY_LIMITS:
        file = _CGROUP / name
        if file.exists():
            text = file.read_text().strip()
            return None if text == "max" else float(text)
    return None


def _container_cores() -> float | None:
    file = _CGROUP / "cpu.max"
    if file.exists():
        quota, period = file.read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    quota_file, period_file = (_CGROUP / "cpu" / f"cpu.cfs_{name}_us" for name in ("quota", "period"))
    if quota_file.exists() and period_file.exists():
        microseconds = int(quota_file.read_text())
        return None if microseconds < 0 else microseconds / int(period_file.read_text())
    return None
