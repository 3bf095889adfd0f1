"""All frames of a video in the order in which they are shown, each with its time stamp."""

import bisect
import dataclasses
import heapq
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av

from avinst.media.plan import REORDERED_FRAMES, Unit
from avinst.media.types import DECODE, DecodeLimits, MediaError


@dataclasses.dataclass(frozen=True)
class TimedFrame:
    """A decoded frame.

    Attributes:
        stamp: when it begins to be shown, in the stream's time base.
        frame: av.VideoFrame.
    """

    stamp: int
    frame: Any


class VideoUnits:
    """The packets of a video stream, put together to units.

    Attributes:
        end: time stamp at which the last frame seen so far ceases to be shown; None before the first.
        spacing: time from packet to packet where several share a time stamp.
        overtaken: time, in the stream's unit, of frames left out for they came after frames of a far later time.
    """

    def __init__(self, packets: Iterator[Any], stream: Any, limits: DecodeLimits) -> None:
        self.end: int | None = None
        self.overtaken = 0
        self._packets, self._limits = packets, limits
        rate = stream.average_rate
        self.usual_duration = round(1 / (rate * stream.time_base)) if rate else 0
        self._unit_seconds = float(stream.time_base)
        self.spacing = Fraction(self.usual_duration)
        self._has_hidden = stream.codec_context.name == "vp8"

    def __iter__(self) -> Iterator[Unit]:
        unit: Unit | None = None
        count, least, most = 0, None, 0
        for packet in self._packets:
            if unit and (packet.pts is None or packet.pts == unit.pts):
                unit.packets.append(packet)  # the second field
                continue
            if unit:
                self._measure(unit, packet)
                yield unit
            stamp = packet.pts if packet.pts is not None else packet.dts or 0
            is_shown = packet.pts is not None and not packet.is_discard and not self._is_hidden(packet)
            unit = Unit(stamp, packet.is_keyframe, is_shown, [packet])
            if not is_shown:
                continue
            count, least, most = count + 1, min(stamp, stamp if least is None else least), max(stamp, most)
            self._check_rate(count, most - least)
            end = stamp + (packet.duration or self.usual_duration)
            self.end = end if self.end is None else max(self.end, end)
        if unit:
            yield unit

    def _measure(self, unit: Unit, following: Any) -> None:
        begin, end = unit.packets[0].dts, following.dts
        if len(unit.packets) > 1 and begin is not None and end is not None and end > begin:
            self.spacing = Fraction(end - begin, len(unit.packets))

    def _is_hidden(self, packet: Any) -> bool:
        """VP8 sends frames that are never shown, to be referred to, in packets of their own."""
        return self._has_hidden and not memoryview(packet)[0] & 0x10

    def _check_rate(self, count: int, span: int) -> None:
        most = self._limits.max_frames_per_second
        if count > most * (span * self._unit_seconds + 1.0):
            raise MediaError(DECODE, "too_many_frames", f"more than {most:g} pictures a second")


def timed_frames(
    units: VideoUnits, codec: Any, by_rank: bool, due: list[int] | None = None
) -> Iterator[TimedFrame | None]:
    """Decodes every frame; damaged packets give none, and frames that come late are left out.

    Args:
        units: the stream's packets.
        codec: its codec context.
        by_rank: whether time stamps count packets instead of saying when a frame is shown, so that the k-th
            frame that comes out has the k-th lowest one.
        due: receives the time stamps of the packets as they are read, ascending.

    Yields:
        Frames, their stamps rising; None after each unit, as a sign of life.
    """
    last: int | None = None
    ranks: list[int] = []
    clock = _Clock(units)
    most_held = 1 if codec.name == "mpeg4" else REORDERED_FRAMES  # frames that the decoder holds back

    def frames_of(unit: Unit | None) -> Iterator[Any]:
        try:
            for packet in unit.packets if unit else [None]:
                yield from codec.decode(packet)
        except av.error.MemoryError:
            raise
        except av.FFmpegError:
            forget(unit)

    def forget(unit: Unit | None) -> None:
        if unit and unit.pts in ranks:
            ranks.remove(unit.pts)
            heapq.heapify(ranks)

    def with_end() -> Iterator[Unit | None]:
        yield from units
        yield None

    for unit in with_end():
        if unit and unit.is_shown:
            if due is not None:
                bisect.insort(due, unit.pts)
            heapq.heappush(ranks, unit.pts)
        for frame in frames_of(unit):
            stamp = heapq.heappop(ranks) if by_rank and ranks else frame.pts
            stamp = clock.time_of(stamp)
            if stamp is None:
                continue
            if last is not None and stamp <= last:
                if last - stamp > REORDERED_FRAMES * units.usual_duration:
                    units.overtaken += units.usual_duration
                continue
            last = stamp
            yield TimedFrame(stamp, frame)
        if not by_rank:
            ranks.clear()
        elif len(ranks) > most_held:
            forget(unit)  # no frame comes of it: the last one stands still
        yield None


def counts_packets(format_name: str, codec: Any) -> bool:
    """Whether time stamps count packets instead of saying when a frame is shown (`by_rank` above).

    AVI stores no presentation times, and FFmpeg reads none in MXF; it makes them up, wrongly for frames that
    these codecs reorder (MPEG-4: where two frames share a packet, as DivX and XviD pack them).
    """
    reordering = codec.name in ("h264", "hevc", "mpeg4") and bool(codec.has_b_frames)
    return format_name in ("avi", "mxf") and reordering


class _Clock:
    """Times for frames without: transport streams may put several pictures behind one time stamp."""

    def __init__(self, units: VideoUnits) -> None:
        self._units = units
        self._stamp: int | None = None
        self._since = 0

    def time_of(self, stamp: int | None) -> int | None:
        """The time of the next frame that came out of the decoder; made up from the one before if it has none."""
        self._since += 1
        if stamp is None:
            return None if self._stamp is None else self._stamp + round(self._since * self._units.spacing)
        self._stamp, self._since = stamp, 0
        return stamp
