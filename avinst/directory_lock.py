"""Keeps two commands from writing to one directory."""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from avinst import paths
from avinst.errors import UserError


@contextlib.contextmanager
def only_writer(directory: str, command: str, flag: str) -> Iterator[None]:
    """Makes the directory and holds a lock on it, which ends with the process however that ends.

    Cloud file systems, and others that know no locks, are written to without one.

    Args:
        directory: to be written to.
        command: avinst's command that writes, for the message.
        flag: its flag that names the directory, for the message; empty: no flag leads elsewhere.

    Raises:
        UserError: another process holds it.
    """
    paths.make_directory(directory)
    if paths.is_remote(directory):
        yield
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            _lock(descriptor, f"another avinst {command} is at work in {directory!r}", flag)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, found: str, flag: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        other = f" or give another --{flag}" if flag else ""
        raise UserError(f"{found}; wait for it{other}") from error
