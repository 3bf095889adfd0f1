"""Decoding in a child process, so that no file can crash, hang or exhaust the process that asks for it."""

import math
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from typing import IO, Any, Self

from avinst import decoder_messages as messages
from avinst.errors import UserError
from avinst.media_types import DECODE, OPEN, DecodeLimits, Loss, MediaError, Segment
from avinst.spec import DatasetSpec

START_SECONDS = 120.0  # a child starts in 0.4 s; this is for machines that are far overloaded
STARTS_PER_FILE = 3  # a child that something else kills before it has begun a file is replaced
FILES_PER_CHILD = 1000  # so that slow leaks in the libraries never add up to a file's refusal


class DecoderStartError(UserError):
    """The child does not even start: the installation is broken, not a file."""


class Decoder:
    """One decoder child, replaced whenever a file has crashed it, hung it or met a limit.

    Use it in a `with` block, from one thread. The child starts at the first file, in 0.4 s.

    Attributes:
        limits: what one file may cost.
    """

    child_module = "avinst.decoder_child"

    def __init__(self, limits: DecodeLimits = DecodeLimits()) -> None:  # noqa: B008  # frozen
        self.limits = limits
        self._child: _Child | None = None
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
        """Decodes as `avinst.media.decode_segments` does, in the child.

        Only the time in which the caller waits for the child counts against the limits.

        Raises:
            MediaError: as `decode_segments`, and `crashed`, `timed_out`, `out_of_memory`; what came before is
                good.
            DecoderStartError: the child cannot be started at all.
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

    def _ask(self, request: bytes) -> "_Child":
        """The child that has accepted the request; one that has died since its last file is replaced."""
        if self._busy or (self._child and self._child.files >= FILES_PER_CHILD):
            self.close()
        for starts_left in reversed(range(STARTS_PER_FILE)):
            child = self._child = self._child or _Child(self.child_module, self.limits)
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


class _Child:
    """The process with its two pipes."""

    def __init__(self, module: str, limits: DecodeLimits) -> None:
        self.files = 0
        self._killed, self._owner = False, threading.get_ident()
        # One thread a child: the job runs one child a core. -P: no module is taken from the working directory.
        settings = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
        # Else glibc keeps what FFmpeg frees while it builds the index of a long file: 10 MB for 2 hours.
        settings["MALLOC_MMAP_THRESHOLD_"] = str(2**20)
        command = [sys.executable, "-P", "-m", module, messages.limits_argument(limits)]
        with tempfile.TemporaryFile() as complaints:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env={**os.environ, **settings},
                bufsize=0,
            )
            try:
                self.receive(START_SECONDS)
            except (MediaError, messages.ProtocolError) as error:
                self.kill()
                complaints.seek(0)
                last = complaints.read().decode(errors="replace").strip().rpartition("\n")[2]
                advice = "avinst doctor checks the installation, --memory_bytes must leave room for the libraries"
                raise DecoderStartError(f"{module} does not start: {error}; {last}; {advice}") from error

    def kill(self) -> None:
        self._killed = True
        self._process.kill()
        self._process.wait()
        if threading.get_ident() != self._owner:
            return  # its thread may just be reading: a descriptor that is closed may be another file's at once
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def ask(self, request: bytes) -> None:
        """Hands over a request and waits until the child has accepted it.

        Raises:
            MediaError: `crashed` or `timed_out`.
            ProtocolError: the answer makes no sense.
        """
        self.files += 1
        self._send(request)
        fields, _, _ = self.receive(START_SECONDS)
        if fields.get("kind") != "accepted":
            raise messages.ProtocolError(f"a message of kind {fields.get('kind')!r}")

    def _send(self, request: bytes) -> None:
        view = memoryview(request)
        try:
            while view:
                view = view[_pipe(self._process.stdin).write(view) or 0 :]
        except BrokenPipeError as error:
            raise self._crash() from error

    def receive(self, wait_seconds: float) -> tuple[dict[str, Any], bytes, float]:
        """The next message, and what is left of the time.

        Raises:
            MediaError: `crashed` or `timed_out`.
            ProtocolError: the message makes no sense.
        """
        left = wait_seconds
        output = _pipe(self._process.stdout).fileno()
        poll = select.poll()
        poll.register(output, select.POLLIN)

        def read(count: int) -> bytes:
            nonlocal left
            data = bytearray()
            while len(data) < count:
                began = time.monotonic()
                ready = poll.poll(max(0.0, left) * 1000)
                left -= time.monotonic() - began
                if not ready:
                    raise MediaError(DECODE, "timed_out", "decoding takes longer than allowed for its length")
                piece = os.read(output, count - len(data))
                if not piece:
                    raise self._crash()
                data += piece
            return bytes(data)

        fields, raw = messages.unpack(read)
        return fields, raw, left

    def _crash(self) -> MediaError:
        if self._killed:  # by another thread, as when a job is stopped: no fault of the file
            raise RuntimeError("the decoder was closed while it decoded")
        try:
            status = self._process.wait(5)
        except subprocess.TimeoutExpired:
            return MediaError(DECODE, "crashed", "the decoder process closed its pipe")
        if -status == signal.SIGPROF:
            return MediaError(
                DECODE, "timed_out", "decoding takes more processor time than allowed for its length"
            )
        how = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        return MediaError(DECODE if self.files else OPEN, "crashed", f"the decoder process ended with {how}")


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise RuntimeError("no pipe")  # Popen was told to make them
    return pipe
