"""Files, local or on a cloud file system: reading and atomic writing.

Local paths need nothing but Python; TensorFlow's file systems (gs:// and others) are imported on first use.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from avinst.errors import UserError
from avinst.quiet import import_tensorflow_quietly
from avinst.temporary_folders import temporary_folder

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*)://")
# What functions for users take: a path as text, local or remote, or a `pathlib.Path`.
StrPath = str | os.PathLike[str]
# What `replacing` calls its files; the number is that of the process.
TEMPORARY_NAME = re.compile(r"\.tmp-(\d+)-[0-9a-f]{8}-.+")
ALLOWED_SCHEMES = ("gs", "s3", "hdfs")


def is_remote(path: str) -> bool:
    """Whether the path names a file system by a scheme, such as gs://."""
    return _SCHEME.match(path) is not None


def check_scheme(path: str) -> str:
    """The path unchanged; raises UserError where its scheme is none that avinst reads."""
    match = _SCHEME.match(path)
    if match and match.group(1).lower() not in ALLOWED_SCHEMES:
        allowed = ", ".join(f"{scheme}://" for scheme in ALLOWED_SCHEMES)
        raise UserError(f"{path!r}: {match.group(1)}:// is not allowed; use a local path or {allowed}")
    return path


def join(root: str, *parts: str) -> str:
    """Joins like os.path.join; the result of a remote root keeps forward slashes."""
    if is_remote(root):
        return "/".join([root.rstrip("/"), *parts])
    return os.path.join(root, *parts)  # noqa: PTH118  # strings all the way: pathlib spoils gs://


def without_last_slash(path: str) -> str:
    """A directory's path without the slash at its end, which the completion of shells puts there."""
    stripped = path.rstrip("/")
    return stripped if stripped and is_remote(stripped) == is_remote(path) else path


def absolute(path: str) -> str:
    """A local path from the root of the file system on, whatever the working directory; a remote one unchanged."""
    return path if is_remote(path) else str(Path(path).absolute())


class RemoteFileError(OSError):
    """A file on a cloud file system that is not there or may not be read; other troubles pass."""


@contextlib.contextmanager
def _file_errors(path: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        import tensorflow as tf

        if isinstance(error, tf.errors.NotFoundError | tf.errors.PermissionDeniedError):
            what = "not found" if isinstance(error, tf.errors.NotFoundError) else "permission denied"
            raise RemoteFileError(0, what, path) from error
        raise


def _gfile() -> Any:
    import_tensorflow_quietly()
    import tensorflow as tf

    return tf.io.gfile


def exists(path: str) -> bool:
    """Whether a file or directory is there."""
    if not is_remote(path):
        return Path(path).exists()
    with _file_errors(path):
        return bool(_gfile().exists(path))


def is_directory(path: str) -> bool:
    """Whether the path is a directory."""
    if not is_remote(path):
        return Path(path).is_dir()
    # TensorFlow's says no whatever the trouble is; to look whether anything is there tells of it.
    return bool(_gfile().isdir(path)) or (exists(path) and False)


def size(path: str) -> int:
    """Bytes of a file; -1 where there is none."""
    if not exists(path):
        return -1
    if not is_remote(path):
        return Path(path).stat().st_size
    with _file_errors(path):
        return int(_gfile().stat(path).length)


def list_directory(path: str) -> list[str]:
    """Names in a directory, sorted; empty where there is none."""
    if not is_directory(path):
        return []
    if is_remote(path):
        return sorted(name.rstrip("/") for name in _gfile().listdir(path))
    return sorted(entry.name for entry in Path(path).iterdir())


def make_directory(path: str) -> None:
    """Makes a directory and those above it.

    Raises:
        UserError: something else is in its place, or it may not be written.
    """
    if is_remote(path):
        _gfile().makedirs(path)
        return
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the directory {path!r}: {error.strerror}; choose another one") from error


def check_writable(path: str) -> None:
    """Raises UserError where a local directory, there or yet to be made, could not be written to."""
    if is_remote(path):
        return
    there = next(folder for folder in (Path(path).absolute(), *Path(path).absolute().parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        what = "may not be written to" if there.is_dir() else "is a file"
        raise UserError(f"cannot write to {path!r}: {str(there)!r} {what}; choose another directory")


def check_file_writable(path: str) -> None:
    """Raises UserError where a local file could not be written: there is no such directory, or it is closed."""
    if is_remote(path):
        return
    folder = Path(path).absolute().parent
    if Path(path).is_dir():
        raise UserError(f"cannot write {path!r}: it is a directory; give the name of a file")
    if not folder.is_dir():
        raise UserError(f"cannot write {path!r}: there is no directory {str(folder)!r}; make it first")
    check_writable(str(folder))


def read_bytes(path: str) -> bytes:
    """The whole file."""
    if is_remote(path):
        with _gfile().GFile(path, "rb") as file:
            return bytes(file.read())
    return Path(path).read_bytes()


def read_part(path: str, offset: int, size: int) -> bytes:
    """`size` bytes of a file from `offset` on; on a cloud file system only these are fetched."""
    with _file_errors(path), _gfile().GFile(path, "rb") if is_remote(path) else Path(path).open("rb") as file:
        file.seek(offset)
        return bytes(file.read(size))


def read_text(path: str) -> str:
    """The whole file, UTF-8; a byte order mark is taken off."""
    return read_bytes(path).decode("utf-8-sig")


def write_bytes(path: str, content: bytes) -> None:
    """Writes under a temporary name and renames: a reader sees the whole file or none."""
    with replacing(path) as temporary:
        if is_remote(temporary):
            with _gfile().GFile(temporary, "wb") as file:
                file.write(content)
        else:
            Path(temporary).write_bytes(content)


def write_text(path: str, text: str) -> None:
    """Writes UTF-8 text as `write_bytes` does."""
    write_bytes(path, text.encode())


@contextlib.contextmanager
def replacing(path: str) -> Iterator[str]:
    """Yields a temporary name beside `path`; renames it to `path` on success, deletes it on failure."""
    path = without_last_slash(path)  # else the temporary name would lie in the directory to be replaced
    folder, _, name = path.rpartition("/")
    temporary = f".tmp-{os.getpid()}-{os.urandom(4).hex()}-{name}"
    if folder or path.startswith("/"):
        temporary = f"{folder}/{temporary}"
    try:
        yield temporary
        rename(temporary, path)
    except BaseException:
        if exists(temporary):
            remove(temporary)
        raise


@contextlib.contextmanager
def writing_locally(path: str) -> Iterator[str]:
    """Yields a local file name to write to, for writers that know no cloud; the file appears whole."""
    with replacing(path) as temporary:
        if not is_remote(path):
            yield temporary
            return
        with temporary_folder() as folder:
            local = str(Path(folder, "file"))
            yield local
            _gfile().copy(local, temporary)


def rename(source: str, target: str) -> None:
    """Renames a file; one that is at the target is replaced in one step."""
    if is_remote(source):
        _gfile().rename(source, target, overwrite=True)
    else:
        Path(source).replace(target)


def copy(source: str, target: str) -> None:
    """Copies a file under a temporary name and renames: a reader sees the whole copy or none."""
    with replacing(target) as temporary:
        if is_remote(source) or is_remote(target):
            _gfile().copy(source, temporary)
        else:
            shutil.copyfile(source, temporary)


def remove(path: str) -> None:
    """Deletes a file or a directory with what is in it."""
    if is_remote(path):
        (_gfile().rmtree if _gfile().isdir(path) else _gfile().remove)(path)
    elif Path(path).is_dir():
        shutil.rmtree(path)
    else:
        Path(path).unlink()


@contextlib.contextmanager
def local_copy(path: str) -> Iterator[str]:
    """Yields a local path of the file: itself where it is local, else a copy that is deleted afterwards."""
    if not is_remote(path):
        yield path
        return
    with temporary_folder() as folder:
        copy = str(Path(folder, "media" + PurePosixPath(path).suffix))
        with _file_errors(path):
            _gfile().copy(path, copy)
        yield copy
