"""A child process in which FFmpeg works on files of unknown origin: the parent's end of its two pipes.

The child's end is `child_end`; what they say to each other is packed by `decoder_messages`.
"""

import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from typing import IO, Any

from avinst.errors import UserError
from avinst.media import decoder_messages as messages
from avinst.media.types import DECODE, OPEN, DecodeLimits, MediaError

START_SECONDS = 120.0  # a child starts in 0.4 s; this is for machines that are far overloaded


class ChildStartError(UserError):
    """The child does not even start: the installation is broken, not a file."""


class ChildProcess:
    """The process with its two pipes, for one thread.

    Attributes:
        files: requests that it was given.
    """

    def __init__(self, module: str, limits: DecodeLimits) -> None:
        """Starts `python -P -m module LIMITS` and waits until it is ready.

        Raises:
            ChildStartError: it does not get ready.
        """
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
                raise ChildStartError(f"{module} does not start: {error}; {last}; {advice}") from error

    def kill(self) -> None:
        """Ends the process at once; may be called from any thread."""
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
        self.send(request)
        fields, _, _ = self.receive(START_SECONDS)
        if fields.get("kind") != "accepted":
            raise messages.ProtocolError(f"a message of kind {fields.get('kind')!r}")

    def send(self, message: bytes) -> None:
        """Writes a message; raises MediaError, `crashed`, where nobody reads."""
        view = memoryview(message)
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
