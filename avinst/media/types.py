"""What decoding gives and what it may cost; plain data, importable without FFmpeg."""

import dataclasses
from typing import Any

import numpy as np

from avinst.errors import UserError
from avinst.progress import format_bytes

# Where in the work a part was lost.
OPEN, DECODE, SEGMENT = "open", "decode", "segment"


@dataclasses.dataclass(frozen=True)
class Segment:
    """One segment of a recording.

    Attributes:
        index: number of the segment, from 0 at the start of the part that was asked for.
        start_seconds: where it begins in the media's own time, seconds.
        waveform: float32 [segment_samples], mono, in [-1, 1].
        jpeg: the frame shown at the segment's middle, RGB, frame_size x frame_size.
    """

    index: int
    start_seconds: float
    waveform: np.ndarray
    jpeg: bytes


@dataclasses.dataclass(frozen=True)
class Loss:
    """A part of a file that gave no example; the rest of the file goes on.

    Attributes:
        segment: the segment's number, or None where the loss is not of one segment alone.
        stage: `open`, `decode` or `segment`.
        reason: a short stable name, such as `no_picture` or `truncated`.
        detail: a sentence for a person.
    """

    segment: int | None
    stage: str
    reason: str
    detail: str


class MediaError(Exception):
    """A file that gives nothing, or nothing from here on.

    Attributes:
        stage: `open`, `decode` or `segment`.
        reason: a short stable name, such as `not_media` or `timed_out`.
        detail: a sentence for a person.
    """

    def __init__(self, stage: str, reason: str, detail: str) -> None:
        super().__init__(stage, reason, detail)
        self.stage, self.reason, self.detail = stage, reason, detail

    def __str__(self) -> str:
        return f"{self.reason} ({self.stage}): {self.detail}"


MAX_INTEGER = 2**63 - 1  # of FFmpeg's options and of the kernel's limits
MAX_WALL_SECONDS = 1e6  # 11 days; poll() counts milliseconds in 32 bits

# Rejects that other limits, or a machine with more memory, could make good.
LIMIT_REASONS = frozenset(
    {"crashed", "out_of_memory", "timed_out", "too_large", "too_long", "too_many_frames", "too_many_pixels"}
)


def _limit(default: float, help_text: str) -> Any:
    return dataclasses.field(default=default, metadata={"help": help_text})


@dataclasses.dataclass(frozen=True)
class DecodeLimits:
    """What one file may cost before it is given up; generous for real recordings, deadly for bombs.

    docs/api.md tells what each limit means; in the code it is the metadata `help`, also the flag's.
    """

    max_pixels: int = _limit(8192 * 4320, "largest picture, width times height")
    max_frames_per_second: float = _limit(300.0, "largest rate of pictures")
    max_duration_seconds: float = _limit(6 * 3600.0, "longest part that is decoded of one file, seconds")
    max_file_bytes: int = _limit(64 * 2**30, "largest file")
    wall_seconds_per_media_second: float = _limit(4.0, "time allowed for a second of media")
    min_wall_seconds: float = _limit(60.0, "time allowed for any file, however short")
    memory_bytes: int = _limit(4 * 2**30, "address space of the decoder's process, libraries (0.3 GB) included")

    def __post_init__(self) -> None:
        """Raises UserError for a limit that no file could keep, and for one that cannot be passed on."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not value > 0:
                raise UserError(f"--{field.name}={value}: expected more than 0")
            if isinstance(value, int) and value > MAX_INTEGER:
                raise UserError(f"--{field.name}={value}: expected at most {MAX_INTEGER}")

    def wall_seconds(self, media_seconds: float) -> float:
        """Time that media of this length may take; no more than timers can count."""
        seconds = max(self.min_wall_seconds, media_seconds * self.wall_seconds_per_media_second)
        return min(seconds, MAX_WALL_SECONDS)


def check_file_bytes(count: int, limits: DecodeLimits) -> None:
    """Raises MediaError, `too_large`, for a file of more bytes than allowed."""
    if count > limits.max_file_bytes:
        found, allowed = format_bytes(count), format_bytes(limits.max_file_bytes)
        if found == allowed:
            found, allowed = f"{count} bytes", f"{limits.max_file_bytes} bytes"
        detail = f"{found}; {allowed} are allowed"
        raise MediaError(OPEN, "too_large", detail)
