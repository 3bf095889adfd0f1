"""Ctrl-C and SIGTERM end a job at once: what is on the disk is always good to go on from."""

import contextlib
import os
from collections.abc import Iterator
from types import FrameType

from avinst.signals import signals_handled
from avinst.temporary_folders import remove_temporary_folders


@contextlib.contextmanager
def ending_at_once(message: str) -> Iterator[None]:
    """Ends the process at the first SIGINT or SIGTERM, with one line on stderr and the shell's exit status.

    An exception would have to unwind a runner whose threads are still at work: minutes of waiting, and a traceback
    for every decoder that is closed under its shard. Shards are renamed when they are whole, and decoders end when
    their parent does; only the copies of files that were fetched have to be taken away.

    Outside of the main thread it does nothing.
    """

    def end(number: int, frame: FrameType | None) -> None:
        os.write(2, f"\n{message}\n".encode() if os.isatty(2) else f"{message}\n".encode())
        remove_temporary_folders()
        os._exit(128 + number)

    with signals_handled(end):
        yield
