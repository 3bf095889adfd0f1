"""Temporary folders for copies of files, known to the process: one that ends at once takes them away before."""

import contextlib
import shutil
import tempfile
import threading
from collections.abc import Iterator

_there: set[str] = set()
_ending = False


@contextlib.contextmanager
def temporary_folder() -> Iterator[str]:
    """Yields a new local directory, which is deleted with what is in it at the end of the body.

    After `remove_temporary_folders` no thread comes into the body or out of it.
    """
    with tempfile.TemporaryDirectory(prefix="avinst-") as folder:
        _there.add(folder)
        _stay_if_ending(folder)
        try:
            yield folder
        finally:
            # A decoder whose file was taken away says that the file is bad: no record may come to hold that.
            _stay_if_ending(folder)
            _there.discard(folder)


def remove_temporary_folders() -> None:
    """Deletes all that threads of this process still use; call it only to end the process right afterwards."""
    global _ending
    _ending = True
    for folder in tuple(_there):
        shutil.rmtree(folder, ignore_errors=True)


def _stay_if_ending(folder: str) -> None:
    if _ending:
        shutil.rmtree(folder, ignore_errors=True)
        threading.Event().wait()
