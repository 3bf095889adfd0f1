"""Media files to segments: a second of sound and the frame shown at its middle."""

import math
from collections.abc import Callable, Iterator

import av
import numpy as np

from avinst.frames import encode_jpeg, fit_frame
from avinst.media_types import DECODE, OPEN, SEGMENT, DecodeLimits, Loss, MediaError, Segment
from avinst.spec import DatasetSpec

__all__ = ["DecodeLimits", "Loss", "MediaError", "Segment", "decode_segments"]


def decode_segments(
    path: str,
    spec: DatasetSpec,
    start_seconds: float = 0.0,
    end_seconds: float = math.inf,
    limits: DecodeLimits = DecodeLimits(),  # noqa: B008  # frozen
    *,
    announce: Callable[[float], None] | None = None,
) -> Iterator[Segment | Loss]:
    """Decodes the segments of a file one after the other.

    Raises:
        MediaError: the file gives nothing.
    """
    try:
        container = av.open("file:" + path)
    except av.FFmpegError as error:
        raise MediaError(OPEN, "not_media", f"no known media format ({error.strerror})") from error
    with container:
        if not container.streams.video:
            raise MediaError(OPEN, "no_video_stream", "the file has no picture")
        if not container.streams.audio:
            raise MediaError(OPEN, "no_audio_stream", "the file has no sound")
        rate = spec.sample_rate_hz
        resampler = av.AudioResampler("flt", "mono", rate)
        sound, pictures = [np.zeros(0, np.float32)], []
        zero = (container.start_time or 0) / 1e6
        video = container.streams.video[0]
        for packet in container.demux(video, container.streams.audio[0]):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue
            for frame in frames:
                if isinstance(frame, av.VideoFrame):
                    pictures.append((frame.time - zero, frame))
                elif isinstance(frame, av.AudioFrame):
                    sound += [out.to_ndarray()[0] for out in resampler.resample(frame)]
        waveform = np.concatenate(sound)[round(start_seconds * rate) :]
        count = int(min(len(waveform) / rate, end_seconds - start_seconds) / spec.segment_seconds + 0.1)
        if not count or not pictures:
            raise MediaError(DECODE, "too_short", "less than one segment")
        waveform = np.clip(np.pad(waveform, (0, rate)), -1, 1)
        for index in range(count):
            start = start_seconds + index * spec.segment_seconds
            shown = [frame for time, frame in pictures if time <= start + spec.segment_seconds / 2]
            if not shown:
                yield Loss(index, SEGMENT, "no_picture", "no frame yet")
                continue
            jpeg = encode_jpeg(fit_frame(shown[-1].to_ndarray(format="rgb24"), spec), spec)
            first = index * spec.segment_samples
            yield Segment(index, start, waveform[first : first + spec.segment_samples], jpeg)
