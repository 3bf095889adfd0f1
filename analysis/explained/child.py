"""The child process that draws an explained video: FFmpeg at work on a file of unknown origin, without TensorFlow.

Started as `python -P -m analysis.explained.child LIMITS` (`analysis.explained.video`). It is asked once: for each
page that it comes to it asks the parent, and it says how far it is.
"""

import math
import sys
from typing import Any

from analysis.explained.canvas import CanvasSize, Page
from analysis.explained.writing import write_explained
from avinst.media import decoder_messages as messages
from avinst.media.child_end import claim_stdout, guard, read_exactly, send
from avinst.media.types import DECODE, DecodeLimits


def main(argv: list[str]) -> None:
    """Runs the child; `argv` holds the limits."""
    limits = messages.parse_limits(argv[1])
    answers = claim_stdout()
    guard(limits)
    send(answers, messages.pack({"kind": "ready"}))
    request, _ = messages.unpack(read_exactly)
    send(answers, messages.pack({"kind": "accepted"}))
    send(answers, _answer(request, limits, answers))


def _answer(request: dict[str, Any], limits: DecodeLimits, answers: int) -> bytes:
    def page_at(seconds: float, size: CanvasSize) -> Page:
        send(answers, messages.pack({"kind": "page", "seconds": seconds, **vars(size)}))
        return Page.from_fields(*messages.unpack(read_exactly))

    def tell(seconds: float) -> None:
        send(answers, messages.pack({"kind": "progress", "seconds": seconds}))

    end = math.inf if request["end_seconds"] is None else request["end_seconds"]
    try:
        done = write_explained(
            request["path"], request["output"], request["start_seconds"], end, limits, page_at, tell
        )
    except Exception as error:  # noqa: BLE001  # whatever it is, it is told in one line
        return messages.pack_failure(error, limits, DECODE, "unwritable")
    return messages.pack({"kind": "done", **done})


if __name__ == "__main__":
    main(sys.argv)
