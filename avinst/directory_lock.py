"""Keeps two commands from writing to one directory, or lets one wait for the other."""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from avinst import paths
from avinst.errors import UserError
from avinst.progress import tell


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


@contextlib.contextmanager
def waiting_lock(file: str, waits_for: str) -> Iterator[bool]:
    """Holds a lock on a file, which ends with the process however that ends; waits while another process holds it.

    Args:
        file: local, in a directory that is there; made if need be, and left there. A file and not the directory:
            that, NFS would lock for this machine alone.
        waits_for: told where it waits.

    Yields:
        Whether the lock is held: some file systems know none, and somebody else's file cannot be locked.
    """
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT, 0o666)
    except OSError:
        yield False
        return
    try:
        yield _waited(descriptor, waits_for)
    finally:
        os.close(descriptor)


def _waited(descriptor: int, waits_for: str) -> bool:
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell(waits_for)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:
        return False
    return True
