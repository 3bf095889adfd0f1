"""Keeps two trainings from writing to one run directory."""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from avinst import paths
from avinst.errors import UserError


@contextlib.contextmanager
def only_training(run_dir: str) -> Iterator[None]:
    """Makes the directory and holds a lock on it, which ends with the process however that ends.

    Cloud file systems, and others that know no locks, are written to without one.

    Raises:
        UserError: another process holds it.
    """
    paths.make_directory(run_dir)
    if paths.is_remote(run_dir):
        yield
        return
    descriptor = os.open(run_dir, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            _lock(descriptor, run_dir)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, run_dir: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        message = f"another avinst train is at work in {run_dir!r}; wait for it or give another --run_dir"
        raise UserError(message) from error
