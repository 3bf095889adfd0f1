"""Media files for tests, made with PyAV: pictures that tell their number, sounds with clicks at known times."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

Picture = Callable[[int, float], np.ndarray]  # (number, seconds) -> uint8 [height, width, 3]


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What a file holds. Times are presentation times in seconds, before any offset of the container's.

    Attributes:
        seconds: length of the picture.
        fps: pictures a second, unless `frame_times` says when each is shown.
        picture: makes a picture from its number and its time; None for a file without picture.
        sound: float32 [channels, samples] in [-1, 1]; None for a file without sound.
        video_start, audio_start: where each stream begins.
        time_base: of the video's time stamps; 1 / fps for containers that count pictures (AVI).
        video_filter: the pixel format that the encoder takes.
    """

    seconds: float = 3.0
    fps: Fraction = Fraction(25)
    size: tuple[int, int] = (96, 64)  # width, height
    frame_times: Sequence[float] | None = None
    picture: Picture | None = None
    sound: np.ndarray | None = None
    no_picture: bool = False
    no_sound: bool = False
    video_start: float = 0.0
    audio_start: float = 0.0
    video_codec: str = "libx264"
    audio_codec: str = "aac"
    pixel_format: str = "yuv420p"
    rate: int = 44_100
    layout: str = "mono"
    time_base: Fraction = Fraction(1, 90_000)
    video_options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    audio_options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    container_options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    format: str | None = None
    sample_aspect: Fraction | None = None


def numbered_picture(number: int, size: tuple[int, int] = (96, 64)) -> np.ndarray:
    """A picture with texture in which 16 blocks spell the number in binary; uint8 [height, width, 3]."""
    width, height = size
    rows, columns = np.mgrid[0:height, 0:width]
    texture = (64 + 60 * np.sin(0.2 * rows + 0.3 * number) * np.cos(0.15 * columns - 0.2 * number)).astype(
        np.uint8
    )
    picture = np.stack([texture, np.roll(texture, 7, 1), np.roll(texture, 3, 0)], -1)
    for bit in range(16):
        left, right = bit * width // 16, (bit + 1) * width // 16
        picture[: height // 3, left:right] = 230 if number >> bit & 1 else 20
    return picture


def read_number(picture: np.ndarray) -> int:
    """The number in a `numbered_picture` of any size, after any lossy codec."""
    height, width = picture.shape[:2]
    row = picture[height // 6, :, 1].astype(int)
    return sum(1 << bit for bit in range(16) if row[(2 * bit + 1) * width // 32] > 125)


def flash_picture(times: Sequence[float], size: tuple[int, int] = (96, 64), length: float = 0.2) -> Picture:
    """Black pictures that are white for `length` seconds from each of the times on."""

    def picture(number: int, seconds: float) -> np.ndarray:
        white = any(time - 1e-6 <= seconds < time + length - 1e-6 for time in times)
        return np.full((size[1], size[0], 3), 235 if white else 16, np.uint8)

    return picture


def clicks(times: Sequence[float], seconds: float, rate: int = 44_100, channels: int = 1) -> np.ndarray:
    """Silence with a click of one millisecond at each time; float32 [channels, samples]."""
    sound = np.zeros((channels, round(seconds * rate)), np.float32)
    for time in times:
        first = round(time * rate)
        sound[:, first : first + max(1, rate // 1000)] = 0.9
    return sound


def tone(hz: float, seconds: float, rate: int = 44_100, channels: int = 1, level: float = 0.5) -> np.ndarray:
    """A sine; float32 [channels, samples]."""
    wave = level * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)
    return np.tile(wave.astype(np.float32), (channels, 1))


def write_media(path: Path | str, recipe: Recipe = Recipe(), **changes: object) -> str:  # frozen
    """Writes a file as the recipe says, with the changes given; returns its path."""
    recipe = dataclasses.replace(recipe, **changes)  # type: ignore[arg-type]
    with av.open(str(path), "w", format=recipe.format, options=dict(recipe.container_options)) as container:
        video = None if recipe.no_picture else _VideoTrack(container, recipe)
        audio = None if recipe.no_sound else _AudioTrack(container, recipe)
        # Turn by turn, so that the muxer need not hold one stream back for the other.
        tracks = [track for track in (video, audio) if track]
        while tracks:
            track = min(tracks, key=lambda track: track.seconds)
            if not track.step():
                tracks.remove(track)
    return str(path)


class _VideoTrack:
    def __init__(self, container: av.container.OutputContainer, recipe: Recipe) -> None:
        self._container, self._recipe = container, recipe
        count = round(recipe.seconds * recipe.fps)
        self._times = recipe.frame_times or [float(number / recipe.fps) for number in range(count)]
        self._picture = recipe.picture or (lambda number, _: numbered_picture(number, recipe.size))
        self._number = 0
        stream = container.add_stream(recipe.video_codec, rate=recipe.fps, options=dict(recipe.video_options))
        stream.width, stream.height = recipe.size
        stream.pix_fmt = recipe.pixel_format
        stream.codec_context.time_base = recipe.time_base
        if recipe.sample_aspect:
            stream.codec_context.sample_aspect_ratio = recipe.sample_aspect
        self._stream = stream

    @property
    def seconds(self) -> float:
        return self._recipe.video_start + self._times[min(self._number, len(self._times) - 1)]

    def step(self) -> bool:
        if self._number >= len(self._times):
            self._container.mux(self._stream.encode(None))
            return False
        time = self._times[self._number]
        frame = av.VideoFrame.from_ndarray(self._picture(self._number, time), format="rgb24")
        frame = frame.reformat(format=self._recipe.pixel_format)
        frame.time_base = self._recipe.time_base
        frame.pts = round(
            (Fraction(time).limit_denominator(10**6) + Fraction(self._recipe.video_start)) / frame.time_base
        )
        self._container.mux(self._stream.encode(frame))
        self._number += 1
        return True


class _AudioTrack:
    SAMPLES = 1024

    def __init__(self, container: av.container.OutputContainer, recipe: Recipe) -> None:
        self._container, self._recipe = container, recipe
        stream = container.add_stream(
            recipe.audio_codec, rate=recipe.rate, layout=recipe.layout, options=dict(recipe.audio_options)
        )
        channels = len(stream.codec_context.layout.channels)
        sound = tone(440.0, recipe.seconds, recipe.rate, channels) if recipe.sound is None else recipe.sound
        self._sound, self._stream, self._first = sound.astype(np.float32), stream, 0
        self._resampler = av.AudioResampler(
            format=stream.codec_context.format.name, layout=recipe.layout, rate=recipe.rate
        )
        self._frame_samples = stream.codec_context.frame_size or self.SAMPLES

    @property
    def seconds(self) -> float:
        return self._recipe.audio_start + self._first / self._recipe.rate

    def step(self) -> bool:
        if self._first >= self._sound.shape[1]:
            self._container.mux(self._stream.encode(None))
            return False
        block = np.ascontiguousarray(self._sound[:, self._first : self._first + self.SAMPLES])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=self._recipe.layout)
        frame.sample_rate = self._recipe.rate
        frame.time_base = Fraction(1, self._recipe.rate)
        frame.pts = round(self._recipe.audio_start * self._recipe.rate) + self._first
        for converted in self._resampler.resample(frame):
            self._container.mux(self._stream.encode(converted))
        self._first += self.SAMPLES
        return True
