"""The decoder's child process: reads requests from stdin, answers on stdout, dies with its parent.

It holds what must not take a job down with it: FFmpeg at work on files of unknown origin. It never imports
TensorFlow. Started as `python -P -m avinst.media.decoder_child LIMITS` (`avinst.media.decoder`).
"""

import gc
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

from avinst.media import decoder_messages as messages
from avinst.media.child_end import claim_stdout, guard, read_exactly, send
from avinst.media.segments import decode_segments
from avinst.media.types import OPEN, DecodeLimits, Loss, Segment
from avinst.spec import DatasetSpec

Decode = Callable[..., Iterator[Segment | Loss]]


def serve(decode: Decode, limits: DecodeLimits) -> None:
    """Answers requests until the parent closes the pipe."""
    answers = claim_stdout()
    guard(limits)
    send(answers, messages.pack({"kind": "ready"}))
    while True:
        try:
            fields, _ = messages.unpack(read_exactly)
        except EOFError:
            return
        send(answers, messages.pack({"kind": "accepted"}))  # from here on a death is the file's fault
        # The kernel ends a decoder that spins, even where Python never gets to run again.
        signal.setitimer(signal.ITIMER_PROF, limits.wall_seconds(0.0))
        for answer in _answers(decode, *messages.parse_request(fields), limits):
            send(answers, answer)
        signal.setitimer(signal.ITIMER_PROF, 0)
        gc.collect()


def _answers(
    decode: Decode, path: str, spec: DatasetSpec, start: float, end: float, limits: DecodeLimits
) -> Iterator[bytes]:
    granted = limits.wall_seconds(0.0)
    grants: list[bytes] = []

    def announce(media_seconds: float) -> None:
        """Grants the time that so much media may take, where that is more than before."""
        nonlocal granted
        seconds = limits.wall_seconds(media_seconds)
        if seconds > granted:
            left, _ = signal.getitimer(signal.ITIMER_PROF)
            signal.setitimer(signal.ITIMER_PROF, left + seconds - granted)
            grants.append(messages.pack({"kind": "granted", "wall_seconds": seconds}))
            granted = seconds

    try:
        for part in decode(path, spec, start, end, limits, announce=announce):
            if isinstance(part, Segment):
                announce((part.index + 1) * spec.segment_seconds)  # the head may have told less, or nothing
            yield from grants
            grants.clear()
            yield messages.pack_part(part)
    except Exception as error:  # noqa: BLE001  # whatever it is costs this file only
        yield messages.pack_failure(error, limits, OPEN, "unreadable")
    else:
        yield messages.pack({"kind": "done"})


def main(argv: list[str], decode: Any = decode_segments) -> None:
    """Runs the child; `argv` holds the limits."""
    serve(decode, messages.parse_limits(argv[1]))


if __name__ == "__main__":
    main(sys.argv)
