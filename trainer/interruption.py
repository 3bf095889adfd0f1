"""SIGTERM and Ctrl-C end a training at once while nothing would be lost, else after the step, when it is saved.

Signals belong to the process, so what has come is kept here and not in an object.
"""

import contextlib
from collections.abc import Iterator
from types import FrameType

from avinst.errors import Interrupted
from avinst.signals import signals_handled

_wanted: Interrupted | None = None
_holding = False


@contextlib.contextmanager
def handled(message: str) -> Iterator[None]:
    """Within, SIGINT and SIGTERM raise `Interrupted` with this message, at once or when `release` is called.

    Outside of the main thread it sets no handlers.
    """
    global _wanted, _holding

    def end(number: int, frame: FrameType | None) -> None:
        global _wanted
        # The second one comes from somebody who cannot wait for what is held.
        first = _wanted is None
        _wanted = Interrupted(number, message)
        if not (_holding and first):
            raise _wanted

    _wanted, _holding = None, False
    try:
        with signals_handled(end):
            yield
    finally:
        _wanted, _holding = None, False


def hold() -> None:
    """From now on something would be lost: a signal is only noted."""
    global _holding
    _holding = True


def wanted() -> bool:
    """Whether a signal has come."""
    return _wanted is not None


def release() -> None:
    """What was held is saved: raises `Interrupted` if a signal has come, and lets the next one raise at once."""
    global _holding
    _holding = False
    if _wanted is not None:
        raise _wanted


def forget() -> None:
    """Nothing is held any more, saved or not: for the end of the work that held it."""
    global _holding
    _holding = False
