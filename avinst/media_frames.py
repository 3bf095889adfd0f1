"""The frame of each wanted moment of a video, decoded by plan or in full, rendered as a JPEG.

Both ways take `VideoUnits` and give shots in the order of the moments, with None between them as a sign of life.
"""

import bisect
import dataclasses
import heapq
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from avinst.frames import encode_jpeg, scaled_size, to_square
from avinst.media_plan import REORDERED_FRAMES, Plan, PlanError, Run, Unit
from avinst.media_types import DECODE, DecodeLimits, MediaError
from avinst.spec import DatasetSpec

Render = Callable[[Any], bytes]
# Scaling and conversion to RGB in one: four times faster than one after the other. Where a picture becomes smaller
# the filter grows with the factor, so that nothing aliases; the flags give the same pixels on every processor.
_SCALING = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.BITEXACT


@dataclasses.dataclass(frozen=True)
class Shot:
    """The frame of one moment.

    Attributes:
        number: of the moment.
        jpeg: None where no frame is shown at the moment.
        stamp: the frame's time stamp.
        due_stamp: the time stamp of the frame that ought to be shown; later where that one is damaged.
    """

    number: int
    jpeg: bytes | None = None
    stamp: int = 0
    due_stamp: int = 0


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


def planned_shots(
    units: VideoUnits, codec: Any, moment: Callable[[int], int], first: int, render: Render
) -> Iterator[Shot | None]:
    """Decodes only what the moments need; bit for bit what `all_shots` gives.

    Raises:
        PlanError: the stream is damaged, or its time stamps or keyframes are not to be relied on; use `all_shots`.
    """
    plan = Plan(moment, first)
    wanted: set[int] = set()
    entry: int | None = None  # time stamp of the keyframe that decoding has begun at, until it comes out
    # These give no frame that lacks others, and begin at frames that are none of their own (intra refresh) too.
    tells_itself = codec.name in ("h264", "hevc")
    jpegs: dict[int, bytes] = {}

    def take(frames: list[Any]) -> None:
        nonlocal entry
        for frame in frames:
            if frame.pts is None:
                raise PlanError("a frame without a time stamp of its own")
            if frame.pts == entry and frame.key_frame:
                entry = None
            if frame.pts in wanted:
                if entry is not None:
                    # Of an AVI without its index, for one, every packet is said to be a keyframe.
                    raise PlanError("what the file calls a keyframe is none")
                wanted.discard(frame.pts)
                jpegs[frame.pts] = render(frame)

    def flush() -> None:
        take(_decode(codec, None))
        codec.flush_buffers()
        if wanted:
            raise PlanError("a frame does not come out of the decoder")

    def decode(runs: list[Run]) -> None:
        nonlocal entry
        for run in runs:
            if run.restarts:
                flush()
                entry = run.units[0].pts if run.units[0].is_shown and not tells_itself else None
            for unit in run.units:
                if unit.is_wanted:
                    wanted.add(unit.pts)
                codec.skip_frame = "DEFAULT" if unit.is_wanted else "NONREF"
                for packet in unit.packets:
                    take(_decode(codec, packet))

    def answered() -> Iterator[Shot]:
        while plan.answers:
            number, stamp = plan.answers[0]
            if stamp is None:
                yield Shot(number)
            elif stamp in jpegs:
                for passed in [known for known in jpegs if known < stamp]:
                    del jpegs[passed]
                yield Shot(number, jpegs[stamp], stamp, stamp)
            else:
                return
            plan.answers.popleft()

    for unit in units:
        decode(plan.add(unit))
        yield from answered()
        yield None
    decode(plan.finish(units.end or 0))
    flush()
    yield from answered()
    if plan.answers:
        raise PlanError("a frame is missing")


def all_shots(
    units: VideoUnits, codec: Any, moment: Callable[[int], int], first: int, render: Render, by_rank: bool
) -> Iterator[Shot | None]:
    """Decodes every frame: the definition of what a moment's frame is, and the way for damaged streams.

    Args:
        units: the stream's packets.
        codec: its codec context.
        moment: `moment(i)` is the i-th wanted moment as a time stamp.
        first: number of the first wanted moment.
        render: makes the JPEG of a frame.
        by_rank: whether time stamps count packets instead of saying when a frame is shown, so that the k-th
            frame that comes out has the k-th lowest one.
    """
    number, next_moment = first, moment(first)
    shown: Any = None
    shown_stamp, shown_jpeg = 0, b""
    due: list[int] = []  # time stamps of the packets, ascending
    ranks: list[int] = []
    clock = _Clock(units)
    most_held = 1 if codec.name == "mpeg4" else REORDERED_FRAMES  # frames that the decoder holds back

    def shot() -> Shot:
        nonlocal shown_jpeg, number, next_moment
        position = max(0, bisect.bisect_right(due, next_moment) - 1)
        del due[:position]
        number, next_moment = number + 1, moment(number + 1)
        if shown is None:
            return Shot(number - 1)
        shown_jpeg = shown_jpeg or render(shown)
        return Shot(number - 1, shown_jpeg, shown_stamp, due[0] if due else shown_stamp)

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
            bisect.insort(due, unit.pts)
            heapq.heappush(ranks, unit.pts)
        for frame in frames_of(unit):
            stamp = heapq.heappop(ranks) if by_rank and ranks else frame.pts
            stamp = clock.time_of(stamp)
            if stamp is None:
                continue
            if shown is not None and stamp <= shown_stamp:
                if shown_stamp - stamp > REORDERED_FRAMES * units.usual_duration:
                    units.overtaken += units.usual_duration
                continue
            while next_moment < stamp:
                yield shot()
            shown, shown_stamp, shown_jpeg = frame, stamp, b""
        if not by_rank:
            ranks.clear()
        elif len(ranks) > most_held:
            forget(unit)  # no frame comes of it: the last one stands still
        yield None
    while shown is not None and next_moment < (units.end or 0):
        yield shot()


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


def _decode(codec: Any, packet: Any) -> list[Any]:
    try:
        return list(codec.decode(packet))
    except av.error.MemoryError:
        raise
    except av.FFmpegError as error:
        raise PlanError(f"a damaged packet ({error})") from error


def renderer(spec: DatasetSpec, sample_aspect: Fraction | None) -> Render:
    """Makes the JPEG of a decoded frame: upright, at the dataset's size.

    Args:
        spec: the frame's size and fit.
        sample_aspect: width of the video's pixels over their height, as stored; None where it is not said.
    """
    aspect = float(sample_aspect) if sample_aspect else 1.0
    aspect = aspect if 0.1 <= aspect <= 10.0 else 1.0  # absurd ones are damage, and would ask for huge pictures

    reformatter = VideoReformatter()

    def render(frame: Any) -> bytes:
        turns = round(frame.rotation / 90) % 4
        if turns % 2:
            height, width = scaled_size(frame.height, frame.width, spec, 1 / aspect)
        else:
            width, height = scaled_size(frame.width, frame.height, spec, aspect)
        try:
            # One thread: setting up a pool of them costs more than the conversion.
            rgb = reformatter.reformat(
                frame, width=width, height=height, format="rgb24", interpolation=_SCALING, threads=1
            )
        except av.error.MemoryError:
            raise
        except (av.FFmpegError, ValueError) as error:
            raise MediaError(DECODE, "unknown_pixels", f"no conversion to RGB from {frame.format.name}") from error
        return encode_jpeg(to_square(np.rot90(rgb.to_ndarray(), turns), spec), spec)

    return render
