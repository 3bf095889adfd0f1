"""Opening a media file, and nothing but that file: formats, streams, limits, the time origin.

The file is opened here and given to FFmpeg as a descriptor, so its name is never read as a URL or an option;
with the protocol list closed to all but `fd`, what the file says cannot make FFmpeg open another one. Formats
that are lists of other files (playlists, concat scripts) are not on the list of formats.
"""

import contextlib
import math
import os
import re
import stat
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
from av.stream import Discard, Disposition

from avinst.media.types import OPEN, DecodeLimits, MediaError, check_file_bytes
from avinst.media.waiting import WaitingPackets

FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,mxf,dv"
_CLOCK_TIME = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")


class MediaFile:
    """An open file with its chosen picture and sound streams.

    Attributes:
        zero: the file's own start on the clock of its time stamps, seconds; media time counts from it.
        declared_seconds: length that the file claims to have, seconds; None where it does not say.
        from_seconds: media time from which its packets are read.
        format_name: FFmpeg's name of the container format.
    """

    def __init__(self, path: str, limits: DecodeLimits, from_seconds: float = 0.0) -> None:
        """Opens the file; its packets will be read from a moment on, or from somewhat earlier.

        Raises:
            MediaError: it is no media file, lacks a stream, or is beyond a limit.
        """
        self._path, self._limits, self.from_seconds = path, limits, from_seconds
        self._container = _open(path, limits)
        self._opened = [self._container]
        try:
            if not any(stream.type in ("video", "audio") for stream in self._container.streams):
                raise MediaError(OPEN, "not_media", "the file's head names neither picture nor sound")
            self._streams = {kind: _choose(self._container, kind) for kind in ("video", "audio")}
            _check_pixels(self._streams["video"].codec_context, limits)
        except BaseException:
            self._container.close()
            raise
        self.zero = _start_seconds(self._container)
        self.format_name = self._container.format.name
        self.declared_seconds = self._declared_seconds()
        self._demuxed: Iterator[Any] | None = None
        self._waiting = {stream.index: WaitingPackets() for stream in self._streams.values()}

    def _declared_seconds(self) -> float | None:
        video = self._streams["video"]
        if self.format_name == "avi" and video.frames and video.average_rate:
            return float(
                video.frames / video.average_rate
            )  # of a cut AVI, FFmpeg gives what is left as its length
        ends = [end for end in map(_end_seconds, self._streams.values()) if end is not None]
        if len(ends) == len(self._streams) < len(self._container.streams):
            # The whole file's length may be that of subtitles or of another sound.
            return max(ends) - (0.0 if "matroska" in self.format_name else float(self.zero))
        duration = self._container.duration
        return duration / av.time_base if duration and duration > 0 else None

    def close(self) -> None:
        """Closes all that is open."""
        for container in self._opened:
            container.close()

    def read(self, kind: str) -> tuple[Any, Iterator[Any]]:
        """The `video` or `audio` stream and its packets; the two may be read at different paces.

        The packets end where the file ends or cannot be read further.
        """
        if self._demuxed is None:
            self._demuxed = self._demux(self._container, list(self._streams.values()), self.from_seconds)
        return self._streams[kind], self._shared_packets(kind)

    def read_again(self, kind: str, from_seconds: float) -> tuple[Any, Iterator[Any]]:
        """The same from another moment on, by a demuxer of its own; it replaces what `read` gave."""
        index = self._streams[kind].index
        self._waiting.pop(index, None)
        container = _open(self._path, self._limits)
        self._opened.append(container)
        for stream in container.streams:
            if stream.index != index:
                stream.discard = Discard.all
        stream = container.streams[index]
        return stream, self._demux(container, [stream], from_seconds)

    def _shared_packets(self, kind: str) -> Iterator[Any]:
        own = self._waiting[self._streams[kind].index]
        while self._demuxed is not None:
            yield from own.take()
            if own.is_full:
                break
            packet = next(self._demuxed, None)
            if packet is None:
                return
            if packet.stream_index in self._waiting:
                self._waiting[packet.stream_index].add(packet)
        _, packets = self.read_again(kind, self.from_seconds)
        yield from own.after_taken(packets)

    def _demux(self, container: Any, streams: list[Any], from_seconds: float) -> Iterator[Any]:
        if from_seconds > 0:
            # A format that cannot seek is read from its beginning.
            with contextlib.suppress(av.FFmpegError):
                container.seek(math.floor((from_seconds + float(self.zero)) * av.time_base))
        for stream in streams:
            # The job runs one child a core: threads here would only cost.
            stream.codec_context.thread_type = "NONE"
            stream.codec_context.options = {"max_pixels": str(self._limits.max_pixels)}
        try:
            for packet in container.demux(streams):
                if packet.size:
                    yield packet
        except av.error.MemoryError:
            raise
        except av.FFmpegError:
            return  # the rest is unreadable; what is missing is found by comparing lengths
        except IndexError:
            return  # PyAV stumbles at the end of a file in which further streams have turned up


def _open(path: str, limits: DecodeLimits) -> Any:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise MediaError(OPEN, "missing", f"no such file: {path!r}") from error
    except (OSError, ValueError) as error:
        raise MediaError(OPEN, "unreadable", f"{path!r} cannot be opened: {error}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise MediaError(OPEN, "not_a_file", f"{path!r} is a directory or a device, not a file")
        if status.st_size == 0:
            raise MediaError(OPEN, "empty", "the file has no content")
        check_file_bytes(status.st_size, limits)
        options = {
            "fd": str(descriptor),
            "protocol_whitelist": "fd",
            "format_whitelist": FORMATS,
            "max_pixels": str(limits.max_pixels),
        }
        return av.open("fd:", options=options, metadata_errors="replace")
    except av.error.MemoryError:
        raise
    except av.FFmpegError as error:
        detail = f"no media file of a known kind, or one without a readable head ({error.strerror})"
        raise MediaError(OPEN, "not_media", detail) from error
    finally:
        os.close(descriptor)  # FFmpeg has its own copy


def _choose(container: Any, kind: str) -> Any:
    """The stream that a player would choose: the default one, else the first; cover art is no video."""
    streams = [stream for stream in container.streams if stream.type == kind]
    shown = [stream for stream in streams if not stream.disposition & Disposition.attached_pic]
    if not shown:
        what = "picture" if kind == "video" else "sound"
        cover = "; its one picture is cover art" if streams else ""
        raise MediaError(OPEN, f"no_{kind}_stream", f"the file has no {what}{cover}")
    readable = [stream for stream in shown if stream.codec_context is not None]
    if not readable:
        raise MediaError(OPEN, f"unknown_{kind}_codec", f"there is no decoder for the file's {kind} stream")

    def preference(stream: Any) -> tuple[bool, bool, bool]:
        flags = stream.disposition
        return (
            not flags & Disposition.timed_thumbnails and not flags & Disposition.still_image,
            not flags & (Disposition.hearing_impaired | Disposition.visual_impaired | Disposition.comment),
            bool(flags & Disposition.default),
        )

    return max(readable, key=preference)  # of equals, the first


def _check_pixels(codec: Any, limits: DecodeLimits) -> None:
    if codec.width * codec.height > limits.max_pixels:
        size = f"{codec.width} x {codec.height}"
        raise MediaError(OPEN, "too_many_pixels", f"pictures of {size}; {limits.max_pixels} pixels are allowed")


def _end_seconds(stream: Any) -> float | None:
    """Where a stream ends by its own account, on the clock of its time stamps; None where it does not say."""
    if stream.duration:
        return float(((stream.start_time or 0) + stream.duration) * stream.time_base)
    # Matroska's muxers note it in a tag: 00:01:02.345000000.
    tag = next((text for name, text in stream.metadata.items() if name.startswith("DURATION")), "")
    match = _CLOCK_TIME.fullmatch(tag.strip("\0"))
    return (
        sum(float(part) * unit for part, unit in zip(match.groups(), (3600, 60, 1), strict=True))
        if match
        else None
    )


def _start_seconds(container: Any) -> Fraction:
    """FFmpeg's start time: the earliest start of any picture or sound stream."""
    if container.start_time is not None:
        return Fraction(container.start_time, av.time_base)
    starts = [
        stream.start_time * stream.time_base for stream in container.streams if stream.start_time is not None
    ]
    return min(starts, default=Fraction(0))
