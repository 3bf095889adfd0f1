"""The pictures of a video from one moment to another, upright, each with the time at which it is shown."""

import dataclasses
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from av.video.reformatter import VideoReformatter

from analysis.explained.canvas import CanvasSize
from avinst.media.container import MediaFile
from avinst.media.timed_frames import TimedFrame, VideoUnits, counts_packets, timed_frames
from avinst.media.types import DecodeLimits
from avinst.media.upright import is_on_its_side, pixel_aspect, upright_rgb


@dataclasses.dataclass(frozen=True)
class Moving:
    """A picture and how long it is shown.

    Attributes:
        frame: av.VideoFrame, as it was decoded.
        stamp: when it begins to be shown: in the stream's time base, 0 at the beginning of the part.
        duration: how long it is shown, the same.
    """

    frame: Any
    stamp: int
    duration: int


class PictureStream:
    """Decodes a part of a file's picture.

    Attributes:
        time_base: unit of the time stamps.
        rate: usual number of frames a second; None where the file does not say.
    """

    def __init__(
        self,
        file: MediaFile,
        packets: Iterator[Any],
        stream: Any,
        limits: DecodeLimits,
        start_seconds: Fraction,
        end_seconds: float,
    ) -> None:
        """Prepares to read.

        Args:
            file: the open file.
            packets: of its picture.
            stream: the stream that they are of.
            limits: bounds the rate of the frames.
            start_seconds: media time at which the part begins.
            end_seconds: media time at which it ends.
        """
        self.time_base, self.rate = stream.time_base, stream.average_rate
        self._units = VideoUnits(packets, stream, limits)
        codec = stream.codec_context
        self._frames = timed_frames(self._units, codec, counts_packets(file.format_name, codec))
        self._aspect = pixel_aspect(stream.sample_aspect_ratio)
        self._origin = round((file.zero + start_seconds) / stream.time_base)
        length = end_seconds - float(start_seconds)
        self._length = None if length == float("inf") else round(Fraction(length) / stream.time_base)
        self._reformatter = VideoReformatter()

    def read(self) -> Iterator[Moving | None]:
        """Each picture that is shown in the part, the one that is there when it begins included.

        None between them as a sign of life.
        """
        held: TimedFrame | None = None
        for timed in self._frames:
            if timed is None:
                yield None
                continue
            if held is not None:
                yield from self._moving(held, timed.stamp)
            held = timed
            if self._length is not None and held.stamp - self._origin >= self._length:
                return
        if held is not None:
            yield from self._moving(held, max(self._units.end or 0, held.stamp + 1))

    def canvas_size(self, frame: Any) -> CanvasSize:
        """The canvas on which the picture is shown."""
        width, height = frame.width * self._aspect, float(frame.height)
        return CanvasSize.of_picture(*((height, width) if is_on_its_side(frame) else (width, height)))

    def upright(self, frame: Any, size: CanvasSize) -> Any:
        """The frame as uint8 [picture_height, picture_width, 3], RGB."""
        width, height = size.picture_width, size.picture_height
        if is_on_its_side(frame):
            width, height = height, width
        return upright_rgb(frame, width, height, self._reformatter)

    def _moving(self, timed: TimedFrame, end_stamp: int) -> Iterator[Moving]:
        begin, end = timed.stamp - self._origin, end_stamp - self._origin
        if self._length is not None:
            end = min(end, self._length)
        if end > max(0, begin):
            yield Moving(timed.frame, max(0, begin), end - max(0, begin))
