"""The child's end of the pipes of `child_process`: what every process that runs FFmpeg begins with."""

import os
import resource
import select
import signal
import threading

from avinst.media.types import DecodeLimits


def claim_stdout() -> int:
    """Keeps stdout for messages alone: what a library prints goes with stderr."""
    answers = os.dup(1)
    os.dup2(2, 1)
    return answers


def guard(limits: DecodeLimits) -> None:
    """Limits the process's memory, lets its parent alone end it, and ends it with its parent."""
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number in (signal.SIGINT, signal.SIGTERM):  # they go to the whole group; the parent ends this child
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    """Ends this process when the other end of stdin is gone, also while FFmpeg works or hangs."""
    poll = select.poll()
    poll.register(0, 0)  # no events asked for: only hang-up and errors are told
    poll.poll()
    os._exit(0)


def send(answers: int, message: bytes) -> None:
    """Writes a whole message to the descriptor that `claim_stdout` gave."""
    view = memoryview(message)
    while view:
        view = view[os.write(answers, view) :]


def read_exactly(count: int) -> bytes:
    """So many bytes from stdin; raises EOFError where the parent has closed it."""
    data = b""
    while len(data) < count:
        piece = os.read(0, count - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data
