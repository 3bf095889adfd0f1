"""Progress of long work: one line that is rewritten on a terminal, plain lines now and then elsewhere."""

import sys
import time
from typing import TextIO

_TERMINAL_SECONDS = 0.2
_PLAIN_SECONDS = 15.0
# Of the process, as stderr is.
_is_shown = True


def show_progress(show: bool = True) -> None:
    """Shows or hides, from now on, progress and remarks on stderr; errors are raised as ever.

    Args:
        show: False for a notebook that is to stay short.
    """
    global _is_shown
    _is_shown = show


class Progress:
    """Counts items and shows count, rate and time left on stderr.

    Thread-safe enough for a counter that only one thread advances.
    """

    def __init__(self, what: str, total: int | None = None, stream: TextIO | None = None) -> None:
        self._what, self._total = what, total
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._start = self._shown = time.monotonic()
        self._done = 0
        self._skipped = 0

    def skip(self, count: int) -> None:
        """Counts items that were done by an earlier run: they say nothing about the rate."""
        self._skipped += count
        self._done += count

    def update(self, done: int, note: str = "") -> None:
        """Sets the count of items done; shows it if it is time to."""
        self._done = done
        now = time.monotonic()
        if now - self._shown >= (_TERMINAL_SECONDS if self._terminal else _PLAIN_SECONDS):
            self._shown = now
            self._show(self._line(now, note))

    def advance(self, count: int = 1, note: str = "") -> None:
        """Adds to the count of items done."""
        self.update(self._done + count, note)

    def finish(self, done: int | None = None, note: str = "") -> None:
        """Shows the last line, with the count of items done if it is given, and ends it."""
        self._done = self._done if done is None else done
        self._show(self._line(time.monotonic(), note))
        if self._terminal and _is_shown:
            self._stream.write("\n")

    def _line(self, now: float, note: str) -> str:
        elapsed = max(now - self._start, 1e-9)
        rate = (self._done - self._skipped) / elapsed
        of_total = f"/{self._total}" if self._total is not None else ""
        parts = [
            f"{self._what}: {self._done}{of_total}",
            f"{rate:.1f}/s",
            f"{format_seconds(elapsed)} so far",
        ]
        if self._total is not None and 0 < self._done < self._total and rate > 0:
            parts.append(f"{format_seconds((self._total - self._done) / rate)} left")
        return ", ".join([*parts, note] if note else parts)

    def _show(self, line: str) -> None:
        if not _is_shown:
            return
        self._stream.write(f"\r\x1b[K{line}" if self._terminal else f"{line}\n")
        self._stream.flush()


def tell(line: str) -> None:
    """Writes a line for the user to stderr, where the progress is shown too."""
    if _is_shown:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def format_bytes(count: float) -> str:
    """An amount of data as people write it: 512 bytes, 3.4 kB, 12.0 MB, 1.50 GB."""
    if count < 1000:
        return f"{count:.0f} bytes"
    for factor, unit in ((1e3, "kB"), (1e6, "MB")):
        if count < 999.95 * factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count / 1e9:.2f} GB"


def format_seconds(seconds: float) -> str:
    """A duration as people write it: 7.2 s, 3 min 05 s, 2 h 10 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
