"""Paths that other people wrote, held below the folder that they are relative to."""

import functools
from pathlib import Path, PurePosixPath

from avinst import paths
from avinst.errors import UserError


def relative_below(root: str, path: str) -> str:
    """The path of a file relative to `root`, checked to lie below it.

    Args:
        root: a local directory or one on a cloud file system.
        path: relative to the root, or absolute (or with the root's scheme) and below it.

    Raises:
        UserError: the path holds NUL, is elsewhere, or leaves the root by `..`, another scheme or a link.
    """
    if "\0" in path:
        raise UserError(f"path {path!r} holds a NUL character; remove it")
    outside = UserError(f"path {path!r} is not below the media root {root!r}")
    if paths.is_remote(root) or paths.is_remote(path):
        prefix = paths.check_scheme(root).rstrip("/") + "/"
        if paths.is_remote(path) and not paths.check_scheme(path).startswith(prefix):
            raise outside
        path = path.removeprefix(prefix).lstrip("/")
    elif Path(path).is_absolute():
        if not Path(path).is_relative_to(Path(root).absolute()):
            raise outside
        path = str(Path(path).relative_to(Path(root).absolute()))
    if ".." in PurePosixPath(path).parts:
        raise UserError(f"path {path!r} leaves the media root by '..'; give a path below {root!r}")
    try:
        below = stays_below(root, path)
    except OSError as error:
        raise UserError(f"path {path!r} cannot be looked at: {error.strerror}; rename it") from error
    if not below:
        raise UserError(f"path {path!r} is a link out of the media root {root!r}; put a copy in its place")
    return str(PurePosixPath(path))


def stays_below(root: str, path: str) -> bool:
    """Whether the file of a relative path really lies below the root, all links followed."""
    return paths.is_remote(root) or _real(Path(root, path)).is_relative_to(_resolved(Path(root).absolute()))


def _real(file: Path) -> Path:
    """Where a file really lies; the folders of a manifest's many rows are looked up once."""
    try:
        return file.resolve() if file.is_symlink() else _resolved(file.parent.absolute()) / file.name
    except RuntimeError:  # a link that leads to itself; it lies here, and nothing can be read through it
        return file.absolute()


@functools.lru_cache(maxsize=10_000)
def _resolved(folder: Path) -> Path:
    """Of an absolute path: what a relative one means changes with the working directory."""
    return folder.resolve()
