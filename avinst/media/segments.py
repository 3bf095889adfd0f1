"""Media files to segments: a second of sound and the frame shown at its middle, placed by their time stamps.

What a segment is:
- Media time 0 is the file's start time as FFmpeg defines it: the earliest start of any of its picture or sound
  streams. Sound and picture keep their own places after it, so a stream that starts late stays late.
- Segment i covers [start + i * length, start + (i + 1) * length), where start is `start_seconds` and the length
  is the spec's. Its picture is the last frame whose time is not after its middle.
- The file ends where the longer of sound and picture ends. A last part that is shorter than a segment is none;
  being short by at most 0.1 s does not count (encoders cut and pad by their frame lengths). If the whole file
  or the part asked for is shorter than that, it is a MediaError, `too_short`.
- Silence is data: zeros stand where the sound starts late, has a gap, or ends within a segment.
- A segment is a Loss where its middle lies before the first frame or after the last (`no_picture`), where the
  sound has ended before it or within its first 0.1 s (`no_sound`), where neither any sound nor a new frame
  falls in it (`gap`), and where its sound or its frame could not be decoded (`damaged`).
- Of more than 100 losses in a row for one reason, the rest is one Loss without a number.
- What comes at a time that the file has passed already is left out; from a segment's length on it is one Loss,
  `times_repeat`: transport streams that were joined end to end.
- If a file holds fewer segments than its head says, the missing ones are one Loss, `truncated`.
- Several streams of a kind: the one marked as default, else the first. Cover art is no picture.

Sound is mixed down to mono with weights that add up to 1 (libswresample's), without clipping, and resampled.
All is read in one pass, however long the file: memory does not grow with its length.
"""

import contextlib
import itertools
import math
from collections.abc import Callable, Iterator
from fractions import Fraction

from avinst.media.container import MediaFile
from avinst.media.frames import Shot
from avinst.media.pictures import Pictures
from avinst.media.sound import Sound
from avinst.media.types import DECODE, SEGMENT, DecodeLimits, Loss, MediaError, Segment
from avinst.spec import DatasetSpec

__all__ = ["DecodeLimits", "Loss", "MediaError", "Segment", "decode_segments"]

SLACK_SECONDS = 0.1
LOSSES_IN_A_ROW = 100
# From here on, a file is entered by seeking; before, it is read from its beginning.
SEEK_SECONDS = 10


def decode_segments(
    path: str,
    spec: DatasetSpec,
    start_seconds: float = 0.0,
    end_seconds: float = math.inf,
    limits: DecodeLimits = DecodeLimits(),  # noqa: B008  # frozen
    *,
    announce: Callable[[float], None] | None = None,
    planned: bool = True,
) -> Iterator[Segment | Loss]:
    """Decodes the segments of a file one after the other.

    Args:
        path: a local file, by its name; never read as a URL or a pattern.
        spec: rates and sizes.
        start_seconds: media time at which segment 0 begins.
        end_seconds: media time beyond which no segment reaches.
        limits: what the file may hold. Wall time and memory are limited by `avinst.media.decoder` alone.
        announce: called once with the length of what will be decoded, seconds, as far as it is known.
        planned: decode only what the wanted frames need. The result is the same without, later.

    Raises:
        MediaError: the file gives nothing, or nothing more.
    """
    start_seconds = max(0.0, start_seconds)
    # Two seconds earlier for the sound's decoder; the picture's begins at a keyframe before that by itself.
    seek = float(math.floor(start_seconds) - 2) if start_seconds >= SEEK_SECONDS else 0.0
    try:
        with contextlib.closing(MediaFile(path, limits, seek)) as file:
            part_seconds = min(file.declared_seconds or 0.0, end_seconds) - start_seconds
            _check_duration(part_seconds, limits)
            if announce:
                announce(max(0.0, part_seconds))
            yield from _summarised(_Part(file, spec, start_seconds, end_seconds, limits, planned).segments())
    except MemoryError as error:
        raise MediaError(DECODE, "out_of_memory", "decoding takes more memory than there is") from error


class _Part:
    """The part of a file that was asked for, while it is decoded."""

    def __init__(
        self,
        file: MediaFile,
        spec: DatasetSpec,
        start_seconds: float,
        end_seconds: float,
        limits: DecodeLimits,
        planned: bool,
    ) -> None:
        self._file, self._spec, self._limits = file, spec, limits
        self._start, self._end = start_seconds, end_seconds
        # Exact in decimals: 0.1 is meant where a double says 0.1000000000000000055.
        self._exact_start = Fraction(start_seconds).limit_denominator(10**6)
        self._origin = max(0, math.floor(start_seconds) - 1)
        stream, packets = file.read("audio")
        self._sound = Sound(packets, stream, file.zero, self._origin, spec.sample_rate_hz)
        self._pictures = Pictures(file, spec, self._exact_start, limits, planned)

    def segments(self) -> Iterator[Segment | Loss]:
        number = 0
        while self._holds(number):
            _check_duration(self._time(number) - self._start, self._limits)
            yield self._segment(number)
            number += 1
        end = max(0.0, self._sound.end_seconds or 0.0, self._pictures.end_seconds)
        if self._promised() > number:
            detail = f"the file's head promises {self._file.declared_seconds:.2f} s, it holds {end:.2f} s"
            if not number:
                raise MediaError(DECODE, "truncated", detail)
            yield Loss(None, SEGMENT, "truncated", detail)
        if not number:
            asked, takes = self._end - self._start, self._spec.segment_seconds
            there = f"{max(0.0, end - self._start):.2f} s"
            length = f"{asked:.2f} s were asked for" if asked < takes else there
            detail = f"{length}, a segment takes {takes:g} s"
            raise MediaError(SEGMENT, "too_short", detail)
        overtaken = max(self._sound.overtaken_seconds, self._pictures.overtaken_seconds)
        if overtaken >= self._spec.segment_seconds:
            detail = f"{overtaken:.2f} s of it lie at times that the file was at before; was it joined end to end?"
            yield Loss(None, SEGMENT, "times_repeat", detail)

    def _time(self, number: int) -> float:
        """Media time at which a segment begins, seconds."""
        return self._start + number * self._spec.segment_seconds

    def _holds(self, number: int) -> bool:
        end = self._time(number + 1)
        if end > self._end + 1e-6:
            return False
        return self._sound.reaches(end - SLACK_SECONDS) or self._pictures.reaches(end - SLACK_SECONDS)

    def _promised(self) -> int:
        """Segments that the file's own head makes one expect."""
        # Some containers (Matroska) count the time before the first stream's start as part of their length.
        declared = (self._file.declared_seconds or 0.0) - max(0.0, float(self._file.zero))
        end = min(self._end + 1e-6, declared + SLACK_SECONDS)
        return max(0, math.floor((end - self._start) / self._spec.segment_seconds))

    def _segment(self, number: int) -> Segment | Loss:
        start, end = self._time(number), self._time(number + 1)
        rate = self._spec.sample_rate_hz
        first = round((self._exact_start - self._origin + number * Fraction(self._spec.segment_seconds)) * rate)
        waveform = self._sound.read(first, self._spec.segment_samples)
        shot = self._pictures.shot(number)
        lost = self._why_lost(shot, start, end)
        if lost or shot is None or shot.jpeg is None:
            reason, detail = lost or ("no_picture", "")
            return Loss(number, SEGMENT, reason, f"{start:.2f} to {end:.2f} s: {detail}")
        return Segment(number, start, waveform, shot.jpeg)

    def _why_lost(self, shot: Shot | None, start: float, end: float) -> tuple[str, str] | None:
        middle = (start + end) / 2
        if shot is None:
            ended = self._pictures.end_seconds
            if ended > middle:
                return "damaged", "its frame could not be decoded"
            return "no_picture", f"the picture has ended at {ended:.2f} s"
        if shot.jpeg is None:
            return "no_picture", "the picture has not begun"
        if self._sound.end_seconds is not None and self._sound.end_seconds < start + SLACK_SECONDS:
            return "no_sound", f"the sound has ended at {self._sound.end_seconds:.2f} s"
        is_silent = self._sound.covered_seconds(start, end) == 0.0
        if is_silent and any(start <= time < end for time in self._sound.bad_packets):
            return "damaged", "its sound could not be decoded"
        shown, due = self._pictures.seconds(shot.stamp), self._pictures.seconds(shot.due_stamp)
        if due - shown > end - start:
            return "damaged", f"its frame could not be decoded; the last good one is of {shown:.2f} s"
        if is_silent and shown < start:
            return "gap", "there is neither sound nor a new frame in it"
        return None


def _summarised(parts: Iterator[Segment | Loss]) -> Iterator[Segment | Loss]:
    """Long rows of one loss end in one that stands for the rest: a false time stamp can skip hours."""
    reason, row, last = "", 0, 0
    for part in itertools.chain(parts, [None]):
        is_more = isinstance(part, Loss) and part.segment is not None and part.reason == reason
        if not is_more and row > LOSSES_IN_A_ROW:
            more = row - LOSSES_IN_A_ROW
            yield Loss(None, SEGMENT, reason, f"{more} more segments in a row, up to number {last}")
        row = row + 1 if is_more else 1
        if isinstance(part, Loss):
            reason, last = part.reason, part.segment or 0
        else:
            reason = ""
        if part is not None and row <= LOSSES_IN_A_ROW:
            yield part


def _check_duration(seconds: float, limits: DecodeLimits) -> None:
    if seconds > limits.max_duration_seconds:
        detail = f"{seconds:.0f} s of media; {limits.max_duration_seconds:.0f} s are allowed"
        raise MediaError(DECODE, "too_long", detail)
