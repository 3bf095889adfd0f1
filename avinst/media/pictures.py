"""The picture of each segment: planned decoding, and full decoding where the plan does not hold."""

import math
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from avinst.media.container import MediaFile
from avinst.media.frames import Shot, all_shots, planned_shots, renderer
from avinst.media.plan import PlanError
from avinst.media.timed_frames import VideoUnits, counts_packets
from avinst.media.types import DecodeLimits
from avinst.spec import DatasetSpec

# Start times are rounded to it: a frame that lies no more than that after the middle is shown at the middle.
_MICROSECOND = Fraction(1, 10**6)
# How far before a moment decoding begins anew when the plan did not hold.
_LEAD_SECONDS = 10


class Pictures:
    """Gives the frame that is shown at the middle of each segment, in order."""

    def __init__(
        self,
        file: MediaFile,
        spec: DatasetSpec,
        start: Fraction,
        limits: DecodeLimits = DecodeLimits(),  # noqa: B008  # frozen
        planned: bool = True,
    ) -> None:
        """Prepares to read.

        Args:
            file: the open file.
            spec: length of a segment, size of a frame.
            start: media time of the beginning of segment 0, seconds.
            limits: bounds the rate of the frames.
            planned: whether to decode only what is needed; the result is the same.
        """
        self._file, self._spec, self._start, self._limits = file, spec, start, limits
        self._length = Fraction(spec.segment_seconds)
        self._ahead: deque[Shot] = deque()
        self._made = 0  # shots made so far
        self._from_seconds = file.from_seconds
        self._stream, packets = file.read("video")
        self._units, self._shots = self._decode(packets, planned)

    def shot(self, number: int) -> Shot | None:
        """The frame of a segment's middle; each number once and in order.

        Returns:
            None from the end of the picture on; a shot without JPEG before the first frame.
        """
        while self._made <= number and self._advance():
            pass
        while self._ahead and self._ahead[0].number < number:
            self._ahead.popleft()
        return self._ahead.popleft() if self._ahead else None

    def reaches(self, seconds: float) -> bool:
        """Whether a frame is shown until a media time or later; reads on as far as needed."""
        while self.end_seconds < seconds and self._advance():
            pass
        return self.end_seconds >= seconds

    @property
    def end_seconds(self) -> float:
        """Media time at which the last frame read so far ceases to be shown; 0 before the first."""
        return 0.0 if self._units.end is None else self.seconds(self._units.end)

    @property
    def overtaken_seconds(self) -> float:
        """Time of frames that were left out, for they came after frames that are shown later."""
        return float(self._units.overtaken * self._stream.time_base)

    def seconds(self, stamp: int) -> float:
        """Media time of a time stamp of the stream."""
        return float(stamp * self._stream.time_base - self._file.zero)

    def _advance(self) -> bool:
        """One step of the decoder; False at the end."""
        try:
            shot = next(self._shots)
        except StopIteration:
            return False
        except PlanError:
            self._start_over()
            return True
        if shot is not None:
            if shot.jpeg is None and self._from_seconds > 0:
                self._start_over()  # the seek has landed too late
                return True
            self._ahead.append(shot)
            self._made = shot.number + 1
        return True

    def _start_over(self) -> None:
        """Goes on in full: from a little before the next moment, or at last from the very beginning."""
        begin = max(0.0, float(self._start + self._made * self._length) - _LEAD_SECONDS)
        self._from_seconds = begin if self._from_seconds != begin else 0.0
        self._stream, packets = self._file.read_again("video", self._from_seconds)
        self._units, self._shots = self._decode(packets, planned=False)

    def _decode(self, packets: Iterator[Any], planned: bool) -> tuple[VideoUnits, Iterator[Shot | None]]:
        stream, codec = self._stream, self._stream.codec_context
        units = VideoUnits(packets, stream, self._limits)
        render = renderer(self._spec, stream.sample_aspect_ratio)
        middle = self._start + self._file.zero + self._length / 2 + _MICROSECOND

        def moment(number: int) -> int:
            return math.floor((middle + number * self._length) / stream.time_base)

        by_rank = counts_packets(self._file.format_name, codec)
        if planned and not by_rank:
            return units, planned_shots(units, codec, moment, self._made, render)
        return units, all_shots(units, codec, moment, self._made, render, by_rank)
