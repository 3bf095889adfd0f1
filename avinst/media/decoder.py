"""Decoding in a child process, so that no file can crash, hang or exhaust the process that asks for it."""

import math
import os
from collections.abc import Iterator
from typing import Self

from avinst.media import decoder_messages as messages
from avinst.media.child_process import ChildProcess
from avinst.media.types import DECODE, DecodeLimits, Loss, MediaError, Segment
from avinst.spec import DatasetSpec

STARTS_PER_FILE = 3  # a child that something else kills before it has begun a file is replaced
FILES_PER_CHILD = 1000  # so that slow leaks in the libraries never add up to a file's refusal


class Decoder:
    """One decoder child, replaced whenever a file has crashed it, hung it or met a limit.

    Use it in a `with` block, from one thread. The child starts at the first file, in 0.4 s.

    Attributes:
        limits: what one file may cost.
    """

    child_module = "avinst.media.decoder_child"

    def __init__(self, limits: DecodeLimits = DecodeLimits()) -> None:  # noqa: B008  # frozen
        self.limits = limits
        self._child: ChildProcess | None = None
        self._asked = 0  # number of the last request: an older answer that is still being read is void
        self._busy = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the child; the decoder can be used again."""
        if self._child:
            self._child.kill()
        self._child, self._busy = None, False

    def decode(
        self, path: str, spec: DatasetSpec, start_seconds: float = 0.0, end_seconds: float = math.inf
    ) -> Iterator[Segment | Loss]:
        """Decodes as `avinst.media.segments.decode_segments` does, in the child.

        Only the time in which the caller waits for the child counts against the limits.

        Raises:
            MediaError: as `decode_segments`, and `crashed`, `timed_out`, `out_of_memory`; what came before is
                good.
            ChildStartError: the child cannot be started at all.
        """
        self._asked += 1
        asked = self._asked
        try:
            child = self._ask(messages.request(os.fspath(path), spec, start_seconds, end_seconds))
            wait_seconds = granted = self.limits.wall_seconds(0.0)
            while True:
                fields, raw, wait_seconds = child.receive(wait_seconds)
                kind = fields.get("kind")
                if kind == "done":
                    break
                if kind == "granted":
                    wait_seconds += float(fields["wall_seconds"]) - granted
                    granted = float(fields["wall_seconds"])
                    continue
                yield messages.parse_part(fields, raw)
                if self._asked != asked or self._child is not child:
                    raise RuntimeError(
                        "the decoder has been closed or given another file; read one file at a time"
                    )
            self._busy = False
        except MediaError as error:
            # An error that the child itself has told ends its answer; after a lack of memory a fresh one is safer.
            self._busy = error.reason in ("crashed", "timed_out", "out_of_memory")
            raise
        except messages.ProtocolError as error:
            raise MediaError(DECODE, "crashed", f"the decoder process talks nonsense: {error}") from error
        finally:
            if self._busy and self._asked == asked:
                self.close()

    def _ask(self, request: bytes) -> ChildProcess:
        """The child that has accepted the request; one that has died since its last file is replaced."""
        if self._busy or (self._child and self._child.files >= FILES_PER_CHILD):
            self.close()
        for starts_left in reversed(range(STARTS_PER_FILE)):
            child = self._child = self._child or ChildProcess(self.child_module, self.limits)
            self._busy = True
            try:
                child.ask(request)
            except MediaError:
                self.close()
                if not starts_left:
                    raise
            else:
                break
        return child
