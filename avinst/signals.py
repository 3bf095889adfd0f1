"""What SIGTERM and Ctrl-C do; they end most commands by an exception: temporary files go, one line says why."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from types import FrameType

from avinst.errors import Interrupted

NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}
SIGNALS = tuple(NAMES)


@contextlib.contextmanager
def signals_handled(
    handler: Callable[[int, FrameType | None], None], signals: Iterable[signal.Signals] = SIGNALS
) -> Iterator[None]:
    """Within, the signals call the handler; afterwards they do what they did before.

    Outside of the main thread, where handlers cannot be set, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in signals}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Within, SIGINT and SIGTERM raise `Interrupted` at once.

    For all that writes a file whole or not at all: nothing of what was there is lost. Work that would lose
    something sets handlers of its own. A signal that is ignored, as under nohup, stays so. Outside of the main
    thread it does nothing.
    """

    def end(number: int, frame: FrameType | None) -> None:
        raise Interrupted(number, f"ended by {NAMES[signal.Signals(number)]}; nothing was lost, run it again")

    heeded = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    with signals_handled(end, heeded):
        yield
