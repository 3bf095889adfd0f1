"""Writing sound and pictures as an MP4 file: H.264 and AAC."""

from collections.abc import Iterable
from fractions import Fraction

import av
import numpy as np

from avinst.errors import UserError

_CODECS = ("libx264", "aac")
_SAMPLES_A_FRAME = 1024  # of AAC


def check_encoders() -> None:
    """Raises UserError where PyAV was built without one of the encoders."""
    missing = [codec for codec in _CODECS if codec not in av.codecs_available]
    if missing:
        raise UserError(f"PyAV has no encoder {missing[0]}; install the wheel: pip install --only-binary=:all: av")


def write_mp4(
    path: str, frames: Iterable[np.ndarray], frames_per_second: int, sound: np.ndarray, sample_rate_hz: int
) -> None:
    """Writes a video; equal input gives equal bytes.

    Args:
        path: of the file, whatever its name ends in.
        frames: uint8 [height, width, 3], RGB, both sides even, all of one size.
        frames_per_second: frame i is shown from i / frames_per_second seconds on.
        sound: float32 [samples] in [-1, 1], mono, from second 0 on.
        sample_rate_hz: of the sound.
    """
    with av.open(path, "w", format="mp4", options={"movflags": "faststart"}) as container:
        video = container.add_stream("libx264", rate=frames_per_second)
        video.pix_fmt = "yuv420p"
        # The bytes must depend neither on the number of cores nor on what the memory held before: what x264's
        # macroblock tree is made of reads memory that nobody has written to.
        video.options = {"preset": "veryfast", "crf": "20", "threads": "1", "mbtree": "0"}
        audio = container.add_stream("aac", rate=sample_rate_hz, layout="mono")
        audio.bit_rate = 96_000
        audio.options = {"aac_coder": "fast"}  # the other search takes longer than the picture
        for index, frame in enumerate(frames):
            if index == 0:
                video.height, video.width = frame.shape[:2]
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            picture.pts, picture.time_base = index, Fraction(1, frames_per_second)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        for first in range(0, len(sound), _SAMPLES_A_FRAME):
            block = np.ascontiguousarray(sound[None, first : first + _SAMPLES_A_FRAME], np.float32)
            samples = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
            samples.sample_rate, samples.pts = sample_rate_hz, first
            samples.time_base = Fraction(1, sample_rate_hz)
            container.mux(audio.encode(samples))
        container.mux(audio.encode(None))
