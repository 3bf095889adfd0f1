"""Videos for the benchmarks: 360p H.264 with stereo AAC, as heavy to decode as what people upload.

A large textured picture under a camera that pans and shakes, with things that move over it and the grain of a
sensor: flat synthetic pictures would decode several times faster than real ones.
"""

import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

WIDTH, HEIGHT, FRAMES_PER_SECOND = 640, 360, 30
SAMPLE_RATE_HZ = 44_100
_GROUP = 250  # frames between keyframes: x264's default
_GRAIN = 2.0  # standard deviation, of 255
_THINGS = 3


def write_recordings(folder: Path, count: int, seconds: int) -> list[Path]:
    """Videos with different pictures and sounds; those of an earlier run are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:03d}.mp4" for number in range(count)]
    for number, path in enumerate(paths):
        if not path.exists():
            write_recording(path, seconds, number)
    return paths


def write_recording(path: Path, seconds: int, seed: int) -> None:
    """One video; the file appears when it is whole."""
    generator = np.random.default_rng(seed)
    partial = path.with_suffix(".part")
    with av.open(str(partial), "w", format="mp4", options={"movflags": "faststart"}) as container:
        video = container.add_stream("libx264", rate=FRAMES_PER_SECOND)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.options = {"preset": "medium", "crf": "23", "g": str(_GROUP)}
        audio = container.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="stereo")
        audio.bit_rate = 128_000
        scene = _Scene(generator)
        for second in range(seconds):
            for number in range(second * FRAMES_PER_SECOND, (second + 1) * FRAMES_PER_SECOND):
                frame = av.VideoFrame.from_ndarray(scene.picture(number), format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_SECOND)
                container.mux(video.encode(frame))
            _encode_sound(container, audio, generator, second)
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    partial.rename(path)


def repeat_recording(source: Path, target: Path, times: int) -> None:
    """Joins a file to itself without encoding it again: a recording of hours in seconds."""
    if not target.exists():
        partial = target.with_suffix(".part.mp4")
        loop = ["-stream_loop", str(times - 1), "-i", source, "-c", "copy", "-movflags", "faststart", partial]
        subprocess.run(["ffmpeg", "-v", "error", "-y", *loop], check=True, stdin=subprocess.DEVNULL)
        partial.rename(target)


class _Scene:
    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator
        self._backdrop = _texture(generator, 2 * HEIGHT, 2 * WIDTH)
        self._things = [_texture(generator, 90, 120) for _ in range(_THINGS)]
        self._grain = generator.normal(0.0, _GRAIN, (HEIGHT + 64, WIDTH + 64, 1)).astype(np.float32)
        self._phases = generator.uniform(0, 2 * np.pi, (_THINGS + 1, 2))
        self._speeds = generator.uniform(0.2, 1.0, (_THINGS + 1, 2))

    def picture(self, number: int) -> np.ndarray:
        """uint8 [height, width, 3]."""
        seconds = number / FRAMES_PER_SECOND
        top, left = self._place(0, seconds, HEIGHT - 8, WIDTH - 8)
        top, left = top + self._generator.integers(0, 2), left + self._generator.integers(0, 2)  # held by hand
        picture = self._backdrop[top : top + HEIGHT, left : left + WIDTH].copy()
        for index, thing in enumerate(self._things, 1):
            height, width = thing.shape[:2]
            top, left = self._place(index, seconds, HEIGHT - height, WIDTH - width)
            picture[top : top + height, left : left + width] = thing
        top, left = self._generator.integers(0, 64, 2)
        picture += self._grain[top : top + HEIGHT, left : left + WIDTH]
        return np.clip(picture, 0, 255).astype(np.uint8)

    def _place(self, index: int, seconds: float, rows: int, columns: int) -> tuple[int, int]:
        turn = np.sin(self._speeds[index] * seconds + self._phases[index]) / 2 + 0.5
        return int(turn[0] * rows), int(turn[1] * columns)


def _texture(generator: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Noise whose amplitude falls with the spatial frequency as in photographs; [height, width, 3]."""
    frequencies = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequencies[0, 0] = 1.0
    planes = []
    for _ in range(4):
        phases = generator.uniform(0, 2 * np.pi, frequencies.shape)
        plane = np.fft.irfft2(np.exp(1j * phases) / frequencies**1.3, (height, width))
        planes.append((plane - plane.mean()) / plane.std())
    grey, *colours = planes
    return np.stack([127 + 45 * grey + 20 * colour for colour in colours], -1).astype(np.float32)


def _encode_sound(container: av.container.OutputContainer, stream: av.stream.Stream, generator, second) -> None:
    """One second: a chord that changes every second, with noise."""
    time = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    notes = generator.choice([220.0, 247.5, 293.3, 330.0, 371.3, 440.0], 3, replace=False)
    chord = sum(np.sin(2 * np.pi * hz * time * part) / part for hz in notes for part in (1, 2, 3, 4))
    sound = 0.1 * chord * np.exp(-2 * time) + generator.normal(0, 0.01, (2, len(time)))
    frame = av.AudioFrame.from_ndarray(sound.astype(np.float32), format="fltp", layout="stereo")
    frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, second * SAMPLE_RATE_HZ
    frame.time_base = Fraction(1, SAMPLE_RATE_HZ)
    container.mux(stream.encode(frame))
