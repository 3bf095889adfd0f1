"""Temporary files that a killed process could not delete: found by their names, deleted at the next start."""

import os

from avinst import paths


def clear_leftovers(folder: str) -> None:
    """Deletes temporary files and directories of processes that no longer live; call it before writing there.

    One that bears the number of this process is deleted too: in containers every process gets the same numbers.
    Those on a cloud file system stay, for their processes may live on another machine.
    """
    if paths.is_remote(folder):
        return
    for name in paths.list_directory(folder):
        match = paths.TEMPORARY_NAME.fullmatch(name)
        if match and (int(match[1]) == os.getpid() or not _lives(int(match[1]))):
            paths.remove(paths.join(folder, name))


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)  # signal 0 asks only
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # somebody else's
        return True
    return True
