"""What decoding gives and what it may cost; plain data, importable without FFmpeg."""

import dataclasses

import numpy as np

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


@dataclasses.dataclass(frozen=True)
class DecodeLimits:
    """What one file may cost before it is given up; generous for real recordings, deadly for bombs.

    Attributes:
        max_pixels: largest picture, width times height; 8192 x 4320 by default.
        max_frames_per_second: largest rate of pictures.
        max_duration_seconds: longest part that is decoded of one file, seconds.
        max_file_bytes: largest file.
        wall_seconds_per_media_second: time allowed for a second of media.
        min_wall_seconds: time allowed for any file, however short.
        memory_bytes: address space of the decoder's process, libraries included (0.3 GB of it).
    """

    max_pixels: int = 8192 * 4320
    max_frames_per_second: float = 300.0
    max_duration_seconds: float = 6 * 3600.0
    max_file_bytes: int = 64 * 2**30
    wall_seconds_per_media_second: float = 4.0
    min_wall_seconds: float = 60.0
    memory_bytes: int = 4 * 2**30
