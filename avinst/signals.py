"""SIGTERM and Ctrl-C end a command by an exception: temporary files go, and one line says what has come."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from avinst.errors import Interrupted

NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Within, SIGINT and SIGTERM raise `Interrupted` at once.

    For all that writes a file whole or not at all: nothing of what was there is lost. Work that would lose
    something sets handlers of its own. A signal that is ignored, as under nohup, stays so. Outside of the main
    thread, where handlers cannot be set, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise Interrupted(number, f"ended by {NAMES[signal.Signals(number)]}; nothing was lost, run it again")

    before = {number: signal.getsignal(number) for number in NAMES}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
