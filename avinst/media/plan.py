"""Which packets of a video must be decoded for the frames that are wanted, and which can be left out.

Worked out while packets come in, so that memory stays flat however long the video or its groups of pictures are:
- a frame is needed only if it is the last one whose time is not after a wanted moment;
- for it, the decoder needs its group of pictures from the keyframe on, and of that only what other frames use;
- what lies between the last wanted frame of a group and the next keyframe is never decoded.
Time stamps here are integers in the stream's own unit. This file knows nothing of FFmpeg.
"""

import bisect
import dataclasses
from collections import deque
from collections.abc import Callable
from typing import Any

# H.264 and HEVC let at most 16 frames be sent before one that is shown earlier: once 17 later time stamps
# have been seen, no earlier one can follow.
REORDERED_FRAMES = 17
# So many packets without a wanted one are decoded instead of being held (a decoder that is kept up to date
# needs no memory): an hour of one endless group of pictures must not pile up.
MAX_HELD_PACKETS = 1000
# A false time stamp can lie years ahead. The full decode answers one moment at a time, as far as it is asked;
# here all that lie before the stamp are answered at once.
MAX_ANSWERS = 10_000


class PlanError(Exception):
    """The packets are not as planning needs them; the video must be decoded in full."""


@dataclasses.dataclass
class Unit:
    """What makes one frame: a packet, and its second field where the fields come apart.

    Attributes:
        pts: presentation time stamp.
        is_keyframe: decoding can begin here.
        is_shown: whether a frame comes of it; false for those that an edit list cuts off, and hidden ones.
        packets: the packets themselves.
        is_wanted: set by the plan.
    """

    pts: int
    is_keyframe: bool
    is_shown: bool
    packets: list[Any]
    is_wanted: bool = False


@dataclasses.dataclass(frozen=True)
class Run:
    """Units to be decoded in this order; `restarts` says that others before them were left out."""

    units: list[Unit]
    restarts: bool


class Plan:
    """Takes units in decoding order; gives runs to decode, and which time stamp is the frame of which moment.

    Attributes:
        answers: (number of a moment, its frame's time stamp, or None before the first frame), in order.
    """

    def __init__(self, moment: Callable[[int], int], first: int = 0) -> None:
        """`moment(i)`, growing with i, is the i-th wanted moment; planning begins with number `first`."""
        self.answers: deque[tuple[int, int | None]] = deque()
        self._moment, self._next, self._next_moment = moment, first, moment(first)
        self._held: list[Unit] = []  # not yet decoded, in decoding order
        self._stamps: list[int] = []  # shown and not yet passed over, ascending
        self._settled: int | None = None  # all time stamps up to this one are known
        self._wanted_held = 0
        self._left_out = False  # whether units were dropped since the last run

    def add(self, unit: Unit) -> list[Run]:
        """Takes the next unit; gives what must be decoded now, mostly nothing.

        Raises:
            PlanError: a time stamp came later than any order of frames allows, or is far ahead of all others.
        """
        if unit.is_shown:
            if self._settled is not None and unit.pts <= self._settled:
                raise PlanError("time stamps run backwards")
            bisect.insort(self._stamps, unit.pts)
        self._held.append(unit)
        if len(self._stamps) <= REORDERED_FRAMES:
            return []
        self._settled = self._stamps[-REORDERED_FRAMES]
        while self._next_moment < self._settled:
            self._answer()
        del self._stamps[: bisect.bisect_right(self._stamps, self._settled) - 1]
        if self._wanted_held or unit.is_keyframe or len(self._held) > MAX_HELD_PACKETS:
            return self._cut(self._count_settled())
        return []

    def finish(self, end: int) -> list[Run]:
        """No unit follows; moments from `end` on have no frame. Raises PlanError as `add` does."""
        while self._stamps and self._next_moment < end:
            self._answer()
        return self._cut(len(self._held))

    def _answer(self) -> None:
        position = bisect.bisect_right(self._stamps, self._next_moment) - 1
        chosen = None if position < 0 else self._stamps[position]
        if len(self.answers) >= MAX_ANSWERS:
            raise PlanError("a time stamp far ahead of the one before")
        self.answers.append((self._next, chosen))
        self._next, self._next_moment = self._next + 1, self._moment(self._next + 1)
        if chosen is None:
            return
        del self._stamps[:position]
        for unit in self._held:
            if unit.is_shown and unit.pts == chosen and not unit.is_wanted:
                unit.is_wanted = True
                self._wanted_held += 1

    def _count_settled(self) -> int:
        """Units at the head of those held of which it is known whether they are wanted."""
        for count, unit in enumerate(self._held):
            if unit.is_shown and self._settled is not None and unit.pts >= self._settled:
                return count
        return len(self._held)

    def _cut(self, settled: int) -> list[Run]:
        """Takes the runs that end in wanted units out of the settled head; lets go of what nobody needs."""
        runs: list[Run] = []
        done = 0
        for number in range(settled):
            if not self._held[number].is_wanted:
                continue
            start = self._start_of_run(done, number)
            if runs and start == done:
                runs[-1].units.extend(self._held[start : number + 1])
            else:
                restarts = self._left_out or start > done
                runs.append(Run(self._held[start : number + 1], restarts))
            self._left_out, done = False, number + 1
        self._wanted_held -= sum(unit.is_wanted for run in runs for unit in run.units)
        if not runs and settled > MAX_HELD_PACKETS:
            runs, done = [Run(self._held[:settled], self._left_out)], settled
            self._left_out = False
        del self._held[:done]
        if not self._wanted_held:
            self._let_go(settled - done)
        return runs

    def _start_of_run(self, earliest: int, wanted: int) -> int:
        """The keyframe from which to decode, or `earliest`, where the decoder stands."""
        start = self._keyframe_before(earliest, wanted)
        if start > earliest and self._is_open(start):
            # Frames that follow the keyframe refer to the group before it too.
            start = self._keyframe_before(earliest, start - 1)
        return start

    def _keyframe_before(self, earliest: int, number: int) -> int:
        while number > earliest and not self._held[number].is_keyframe:
            number -= 1
        return number

    def _is_open(self, keyframe: int) -> bool:
        """Whether frames that are sent after the keyframe are shown before it."""
        for unit in self._held[keyframe + 1 :]:
            if unit.pts < self._held[keyframe].pts:
                return True
            if unit.is_keyframe:
                return False
        return False

    def _let_go(self, settled: int) -> None:
        """Drops what no later frame can need: all before the last keyframe but one."""
        keyframes = [number for number in range(settled) if self._held[number].is_keyframe]
        if len(keyframes) > 1 and keyframes[-2] > 0:
            del self._held[: keyframes[-2]]
            self._left_out = True
