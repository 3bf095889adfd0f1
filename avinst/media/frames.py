"""The frame of each wanted moment of a video, decoded by plan or in full, rendered as a JPEG.

Both ways take `VideoUnits` and give shots in the order of the moments, with None between them as a sign of life.
"""

import bisect
import dataclasses
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import av
from av.video.reformatter import VideoReformatter

from avinst.frames import encode_jpeg, scaled_size, to_square
from avinst.media.plan import Plan, PlanError, Run
from avinst.media.timed_frames import VideoUnits, timed_frames
from avinst.media.upright import is_on_its_side, pixel_aspect, upright_rgb
from avinst.spec import DatasetSpec

Render = Callable[[Any], bytes]


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
        by_rank: as `avinst.media.timed_frames.timed_frames` has it.
    """
    number, next_moment = first, moment(first)
    shown: Any = None
    shown_stamp, shown_jpeg = 0, b""
    due: list[int] = []  # time stamps of the packets, ascending

    def shot() -> Shot:
        nonlocal shown_jpeg, number, next_moment
        position = max(0, bisect.bisect_right(due, next_moment) - 1)
        del due[:position]
        number, next_moment = number + 1, moment(number + 1)
        if shown is None:
            return Shot(number - 1)
        shown_jpeg = shown_jpeg or render(shown)
        return Shot(number - 1, shown_jpeg, shown_stamp, due[0] if due else shown_stamp)

    for timed in timed_frames(units, codec, by_rank, due):
        if timed is None:
            yield None
            continue
        while next_moment < timed.stamp:
            yield shot()
        shown, shown_stamp, shown_jpeg = timed.frame, timed.stamp, b""
    while shown is not None and next_moment < (units.end or 0):
        yield shot()


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
    aspect = pixel_aspect(sample_aspect)
    reformatter = VideoReformatter()

    def render(frame: Any) -> bytes:
        if is_on_its_side(frame):
            height, width = scaled_size(frame.height, frame.width, spec, 1 / aspect)
        else:
            width, height = scaled_size(frame.width, frame.height, spec, aspect)
        return encode_jpeg(to_square(upright_rgb(frame, width, height, reformatter), spec), spec)

    return render
