"""The doctor looks at the places that the user names: room, rights, the file system, who is at work, the cloud."""

import contextlib
import fcntl
import importlib.util
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from avinst import paths
from avinst.checks.finding import Finding, Plans, note, ok, wrong
from avinst.nearest import file_hint

_LOW_DISK_BYTES = 2e9
_OLD_SECONDS = 3600.0  # a file that is being written is younger
_MOUNTS = Path("/proc/self/mounts")
_NETWORK = {
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "fuse.sshfs",
    "fuse.gcsfuse",
    "fuse.s3fs",
    "9p",
    "lustre",
    "ceph",
}
_IN_MEMORY = {"tmpfs", "ramfs"}
_MOST_FOLDERS = 2000  # to be quick in a home directory too


def check_writing(plans: Plans) -> list[Finding]:
    """Whether --output_dir can be written to, or can be made where it is not there yet."""
    folder = plans.output_dir
    if paths.is_remote(folder):
        return []
    there = _there(folder)
    try:
        with tempfile.NamedTemporaryFile(dir=there, prefix=".avinst-doctor-"):
            does = "can be written to" if there == folder else f"is not there yet and can be made, in {there}"
            return ok("writing", f"{folder} {does}")
    except OSError as error:
        where = folder if there == folder else f"{folder} cannot be made in {there}"
        text = f"{where}: {error.strerror}; choose another --output_dir or change its permissions"
        return wrong("writing", text)


def check_disk(plans: Plans) -> list[Finding]:
    """Whether there is room in --output_dir."""
    folder = _there(plans.output_dir)
    if not _is_local_folder(folder):
        return []
    free = shutil.disk_usage(folder).free
    if free < _LOW_DISK_BYTES:
        text = f"{free / 1e9:.1f} GB free in {folder}; a segment takes about 40 kB, a run about 500 MB: make room"
        return wrong("disk", text)
    return ok("disk", f"{free / 1e9:.1f} GB free in {folder}")


def check_file_system(plans: Plans) -> list[Finding]:
    """Whether --output_dir lies in memory, on a network drive, or where big and small letters are one."""
    folder = _there(plans.output_dir)
    if not _is_local_folder(folder):
        return []
    findings = []
    kind = _file_system(folder)
    if kind in _IN_MEMORY:
        findings += note(
            "file system", f"{folder} is in memory ({kind}): it uses up memory and is gone after a restart"
        )
    if kind in _NETWORK:
        text = f"{folder} is on a network drive ({kind}): locks may not hold there, and training reads slowly"
        findings += note("file system", f"{text}; --cache=disk keeps a local copy")
    if _ignores_case(folder):
        text = f"{folder} takes big and small letters for the same: labels must differ in more than that"
        findings += note("file system", text)
    return findings


def check_at_work(plans: Plans) -> list[Finding]:
    """Whether another avinst holds one of the directories."""
    findings = []
    for folder in _local_folders(plans):
        if _is_locked(folder):
            text = f"another avinst is at work in {folder}; wait for it, or end it (ps -ef | grep avinst)"
            findings += note("at work", text)
    return findings


def check_leftovers(plans: Plans) -> list[Finding]:
    """Whether killed commands left temporary files in one of the directories."""
    findings = []
    for folder in _local_folders(plans):
        left = _leftovers(folder)
        if left:
            text = (
                f"{len(left)} temporary files of commands that were killed, such as {left[0]}; they may be deleted"
            )
            findings += note("leftovers", text)
    return findings


def check_cloud(plans: Plans) -> list[Finding]:
    """Whether a gs:// place can be reached: package, credentials, bucket."""
    remote = [place for place in (plans.output_dir, plans.data_dir, plans.run_dir) if paths.is_remote(place)]
    if not remote:
        return []
    findings = []
    if not _has_cloud_package():
        findings += note(
            "cloud", "the package for Google Cloud is missing (Dataflow needs it); pip install 'avinst[gcp]'"
        )
    named = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    default = Path("~/.config/gcloud/application_default_credentials.json").expanduser()
    if named and not Path(named).exists():
        text = f"GOOGLE_APPLICATION_CREDENTIALS={named}: there is no such file{file_hint(named)}"
        return [*findings, *wrong("credentials", f"{text}; correct or unset it")]
    if not named and not default.exists():
        text = (
            "none on this machine; gcloud auth application-default login, unless the machine is one of the cloud's"
        )
        findings += note("credentials", text)
    for place in remote:
        findings += _reached(place)
    return findings


def _there(folder: str) -> str:
    """The directory, or of one that is not made yet the nearest one above it that is there."""
    # os.path: what lies below a directory that may not be entered counts as not there, as it does for os.mkdir.
    if paths.is_remote(folder) or os.path.exists(folder):  # noqa: PTH110
        return folder
    return str(next(above for above in Path(folder).absolute().parents if os.path.exists(above)))  # noqa: PTH110


def _local_folders(plans: Plans) -> list[str]:
    """The directories of the plans that are there, each once."""
    named = (plans.output_dir, plans.data_dir, plans.run_dir)
    return [folder for folder in dict.fromkeys(named) if _is_local_folder(folder)]


def _is_local_folder(folder: str) -> bool:
    return bool(folder) and not paths.is_remote(folder) and os.path.isdir(folder)  # noqa: PTH112


def _has_cloud_package() -> bool:
    try:
        return importlib.util.find_spec("google.cloud.storage") is not None
    except ModuleNotFoundError:
        return False


def _reached(place: str) -> list[Finding]:
    try:
        paths.exists(place)
    except Exception as error:  # noqa: BLE001  # of TensorFlow's many types; that it fails is what is looked for
        text = f"{place} cannot be reached ({type(error).__name__}: {str(error)[:200]})"
        return wrong("cloud", f"{text}; check the bucket's name, the credentials and the network")
    return ok("cloud", f"{place} can be reached")


def _file_system(folder: str) -> str:
    """The kind of the file system, as /proc/self/mounts calls it; empty where that cannot be known."""
    if not _MOUNTS.exists():
        return ""
    real, best = Path(folder).resolve(), ("", "")
    for line in _MOUNTS.read_text().splitlines():
        _device, point, kind, *_rest = line.split()
        point = point.replace("\\040", " ")
        if real.is_relative_to(point) and len(point) >= len(best[0]):
            best = (point, kind)
    return best[1]


def _ignores_case(folder: str) -> bool:
    with contextlib.suppress(OSError), tempfile.NamedTemporaryFile(dir=folder, prefix=".avinst-Doctor-") as file:
        return Path(file.name.replace(".avinst-Doctor-", ".avinst-dOCTOR-")).exists()
    return False


def _is_locked(folder: str) -> bool:
    """Whether somebody holds the lock of `avinst.directory_lock`; it ends with its process, so none is stale."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    finally:
        os.close(descriptor)
    return False


def _leftovers(folder: str, now: Callable[[], float] = time.time) -> list[str]:
    found = []
    for count, (above, folders, files) in enumerate(os.walk(folder)):
        folders[:] = [name for name in folders if not name.startswith(".") or paths.TEMPORARY_NAME.fullmatch(name)]
        for name in (*folders, *files):
            file = Path(above, name)
            if paths.TEMPORARY_NAME.fullmatch(name) and now() - file.lstat().st_mtime > _OLD_SECONDS:
                found.append(str(file))
        if count > _MOST_FOLDERS:
            break
    return sorted(found)
