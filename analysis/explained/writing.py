"""Writes an explained video: pictures drawn anew, each at its own time, beside the sound of the source."""

import contextlib
import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter

from analysis.explained.canvas import Canvas, CanvasSize, Page
from analysis.explained.pictures import Moving, PictureStream
from analysis.explained.sound import sound_track
from avinst.machine import available_cores
from avinst.media.container import MediaFile
from avinst.media.segments import SEEK_SECONDS
from avinst.media.types import DECODE, DecodeLimits, MediaError

# Frames in the order in which they are shown (no B-frames): their times need no edit list, players seek quickly.
_ENCODERS = {
    "libx264": {"preset": "veryfast", "crf": "20", "bf": "0"},
    "mpeg4": {"qscale": "3", "bf": "0"},  # where this build of FFmpeg has no x264
}
# The index in front, and a late start told more finely than in milliseconds, the default.
_CONTAINER = {"movflags": "+faststart", "movie_timescale": "90000"}
_MOST_THREADS = 8  # each takes address space, of which the child has little
_TOLD_SECONDS = 0.5

AskForPage = Callable[[float, CanvasSize], Page]


def write_explained(
    path: str,
    output: str,
    start_seconds: float,
    end_seconds: float,
    limits: DecodeLimits,
    page_at: AskForPage,
    tell: Callable[[float], None],
) -> dict[str, Any]:
    """Draws every picture of a part of a video anew and puts the sound beside it.

    The picture's times are kept to the tick, a variable frame rate too; it is turned and mirrored as by a player.

    Args:
        path: a local media file.
        output: a local file to write, MP4.
        start_seconds: media time at which the part begins; 0 in the output.
        end_seconds: media time at which it ends.
        limits: what the file may hold.
        page_at: gives the page of a media time.
        tell: is called now and then with the media time that is done.

    Returns:
        `frames`, how many; `picture_seconds` and `sound_seconds`, where they end; `sound`, what became of it, in
        words; `video_codec`.

    Raises:
        MediaError: the file gives no picture, or no more.
    """
    start = Fraction(start_seconds).limit_denominator(10**6)
    seek = float(math.floor(start_seconds) - 2) if start_seconds >= SEEK_SECONDS else 0.0
    for from_seconds in (seek, 0.0):
        with contextlib.closing(MediaFile(path, limits, from_seconds)) as file:
            stream, packets = file.read("video")
            pictures = PictureStream(file, packets, stream, limits, start, end_seconds)
            moving = pictures.read()
            first = _first(moving, lambda: tell(start_seconds))
            if from_seconds and (first is None or first.stamp > 0):
                continue  # the seek has landed too late
            if first is None:
                raise MediaError(DECODE, "no_picture", "no picture of the part that was asked for can be decoded")
            with av.open(f"file:{output}", "w", format="mp4", options=_CONTAINER) as container:
                drawing = _Drawing(container, pictures, first.frame, start, page_at)
                stream, packets = file.read("audio")
                sound = sound_track(packets, stream, container, file.zero, start, end_seconds)
                told = 0.0
                for picture in _with_first(first, moving):
                    if picture:
                        drawing.add(picture)
                    while sound.seconds < drawing.seconds and sound.step():
                        pass
                    if drawing.seconds - told >= _TOLD_SECONDS or not picture:
                        told = drawing.seconds
                        tell(start_seconds + told)
                drawing.finish()
                while sound.step():
                    tell(start_seconds + drawing.seconds)
            return {
                "frames": drawing.frames,
                "picture_seconds": drawing.seconds,
                "sound_seconds": sound.end_seconds,
                "sound": sound.how,
                "video_codec": drawing.codec_name,
            }
    raise AssertionError("the second way begins at 0")


class _Drawing:
    """The picture track.

    Attributes:
        frames: how many were written.
        seconds: time of the output up to which it is written.
        codec_name: of the encoder.
    """

    def __init__(
        self, container: Any, pictures: PictureStream, first: Any, start: Fraction, page_at: AskForPage
    ) -> None:
        self.frames, self.seconds = 0, 0.0
        self._container, self._pictures, self._page_at = container, pictures, page_at
        self._start = float(start)
        self._size = pictures.canvas_size(first)
        self._canvas = Canvas(self._size)
        self._durations: dict[int, int] = {}
        self._page = page_at(self._start, self._size)
        self.codec_name = next(name for name in _ENCODERS if name in av.codecs_available)
        rate = pictures.rate if pictures.rate and 1 <= pictures.rate <= 300 else 25
        self._stream = container.add_stream(self.codec_name, rate=rate, options=_ENCODERS[self.codec_name])
        self._stream.width = self._size.width
        self._stream.height = self._size.picture_height + len(self._page.panel)
        self._stream.pix_fmt = "yuv420p"
        codec = self._stream.codec_context
        codec.time_base = pictures.time_base
        codec.thread_count = min(available_cores(), _MOST_THREADS)
        # Said in so many words: players guess by the size, and would shift the colours.
        codec.colorspace, codec.color_range = Colorspace.ITU709, ColorRange.MPEG
        codec.color_primaries, codec.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        self._to_yuv = VideoReformatter()

    def add(self, picture: Moving) -> None:
        """Draws and encodes a picture."""
        unit = self._pictures.time_base
        seconds = self._start + float(picture.stamp * unit)
        if not self._page.holds(seconds):
            self._page = self._page_at(seconds, self._size)
        canvas = self._canvas.draw(self._pictures.upright(picture.frame, self._size), self._page, seconds)
        self._encode(canvas, picture)
        self.frames += 1
        self.seconds = float((picture.stamp + picture.duration) * unit)

    def finish(self) -> None:
        """Writes what the encoder still holds."""
        self._write(self._stream.encode(None))

    def _encode(self, canvas: np.ndarray, picture: Moving) -> None:
        frame = self._to_yuv.reformat(
            av.VideoFrame.from_ndarray(canvas, format="rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )
        frame.time_base, frame.pts = self._pictures.time_base, picture.stamp
        self._durations[picture.stamp] = picture.duration
        self._write(self._stream.encode(frame))

    def _write(self, packets: list[Any]) -> None:
        for packet in packets:
            # The encoder knows no durations; the last frame's is not told by the time of a next one.
            packet.duration = self._durations.pop(packet.pts, packet.duration)
            self._container.mux(packet)


def _first(moving: Iterator[Moving | None], sign: Callable[[], None]) -> Moving | None:
    """The first picture; until it comes, which may be hours of media later, each sign of life is passed on."""
    for picture in moving:
        if picture:
            return picture
        sign()
    return None


def _with_first(first: Moving, rest: Iterator[Moving | None]) -> Iterator[Moving | None]:
    yield first
    yield from rest
