"""What a synthetic performance looks like: an instrument that moves with its melody before a backdrop."""

import dataclasses
import functools
import math
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from avinst.synthesis.backdrop import draw_shape, paint_backdrop
from avinst.synthesis.drawing import Color, Gesture, Palette, Pen, Placement, shade
from avinst.synthesis.drawing_strings import draw_guitar, draw_harp, draw_violin
from avinst.synthesis.drawing_struck import draw_drum_kit, draw_piano, draw_xylophone
from avinst.synthesis.drawing_winds import draw_accordion, draw_flute, draw_saxophone, draw_trumpet
from avinst.synthesis.sound import VOICES, Performance

_OVERSAMPLING = 2  # drawn so many times as large and averaged: smooth edges
_STRIKE_SECONDS = 0.1  # in which a strike falls to 1/e
_DRUM_KEYS = (35, 51)

DRAWINGS: dict[str, Callable[[Pen, Palette, Gesture], None]] = {
    "violin": draw_violin,
    "flute": draw_flute,
    "trumpet": draw_trumpet,
    "piano": draw_piano,
    "guitar": draw_guitar,
    "drum_kit": draw_drum_kit,
    "accordion": draw_accordion,
    "harp": draw_harp,
    "saxophone": draw_saxophone,
    "xylophone": draw_xylophone,
}

# Shared by all instruments: a colour must not give the label away.
_BODIES: tuple[Color, ...] = (
    (150, 82, 36),
    (196, 128, 62),
    (108, 52, 30),
    (214, 170, 72),
    (192, 196, 204),
    (38, 38, 44),
    (170, 36, 40),
    (36, 74, 140),
    (40, 116, 84),
    (232, 226, 210),
    (120, 60, 130),
)
_TRIMS: tuple[Color, ...] = ((218, 182, 86), (200, 204, 212), (236, 230, 214), (150, 110, 60), (224, 120, 60))


@dataclasses.dataclass(frozen=True)
class Motion:
    """A slow drift about a mean placement; lengths relative to the picture's height, angles in radians."""

    x: float
    y: float
    scale: float
    tilt: float
    mirrored: bool
    drift: float
    sway: float
    zoom: float
    rate_hz: float
    phase: float

    def at(self, seconds: float, width: int, height: int) -> Placement:
        """Where the instrument is at a moment, in pixels of a picture of width x height."""
        angle = 2 * math.pi * self.rate_hz * seconds + self.phase
        return Placement(
            x=width * self.x + height * self.drift * math.cos(angle),
            y=height * (self.y + 0.6 * self.drift * math.sin(1.7 * angle)),
            scale=height * self.scale * (1 + self.zoom * math.sin(0.8 * angle)),
            tilt=self.tilt + self.sway * math.sin(1.3 * angle),
            mirrored=self.mirrored,
        )


@dataclasses.dataclass(frozen=True)
class Scene:
    """A performance's picture; all of it is decided by its fields.

    Attributes:
        performance: whose notes move the player's gesture.
        width: pixels.
        height: pixels.
        palette: the instrument's colours.
        motion: the instrument's way through the picture.
        backdrop_seed: decides the background.
        distractor_seed: decides a second moving object, which is no instrument; negative for none.
    """

    performance: Performance
    width: int
    height: int
    palette: Palette
    motion: Motion
    backdrop_seed: int
    distractor_seed: int

    def frame(self, seconds: float, with_instrument: bool = True) -> np.ndarray:
        """The picture at a moment: uint8 [height, width, 3], RGB."""
        canvas = self._backdrop.copy()
        draw = ImageDraw.Draw(canvas)
        if self.distractor_seed >= 0:
            self._draw_distractor(draw, seconds)
        if with_instrument:
            self._draw_instrument(draw, seconds)
        return np.asarray(canvas.reduce(_OVERSAMPLING))

    def box(self, seconds: float) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the drawn instrument at a moment, relative to width and height, 0 to 1."""
        left, top, right, bottom = self._draw_instrument(None, seconds)
        width, height = self.width * _OVERSAMPLING, self.height * _OVERSAMPLING

        def relative(pixels: float, size: int) -> float:
            return min(max(pixels / size, 0.0), 1.0)

        return (relative(left, width), relative(top, height), relative(right, width), relative(bottom, height))

    def gesture(self, seconds: float) -> Gesture:
        """What the player does at a moment."""
        notes = self.performance.notes
        sounding = [index for index, note in enumerate(notes) if note.start_seconds <= seconds]
        if not sounding:
            return Gesture(stroke=0.0, strike=0.0, height=0.5)
        index = sounding[-1]
        note = notes[index]
        end = notes[index + 1].start_seconds if index + 1 < len(notes) else self.performance.seconds
        since = seconds - note.start_seconds
        progress = min(since / max(end - note.start_seconds, 1e-6), 1.0)
        voice = VOICES[self.performance.instrument]
        lowest, highest = _DRUM_KEYS if voice.drums else (voice.lowest, voice.highest)
        return Gesture(
            stroke=progress if index % 2 == 0 else 1 - progress,
            strike=math.exp(-since / _STRIKE_SECONDS),
            height=(note.pitch - lowest) / (highest - lowest),
        )

    @functools.cached_property
    def _backdrop(self) -> Image.Image:
        rng = np.random.default_rng(self.backdrop_seed)
        return paint_backdrop(self.width * _OVERSAMPLING, self.height * _OVERSAMPLING, rng)

    def _draw_instrument(
        self, draw: ImageDraw.ImageDraw | None, seconds: float
    ) -> tuple[float, float, float, float]:
        placement = self.motion.at(seconds, self.width * _OVERSAMPLING, self.height * _OVERSAMPLING)
        pen = Pen(draw, placement)
        DRAWINGS[self.performance.instrument](pen, self.palette, self.gesture(seconds))
        return pen.box

    def _draw_distractor(self, draw: ImageDraw.ImageDraw, seconds: float) -> None:
        rng = np.random.default_rng(self.distractor_seed)  # anew each time: the same shape, elsewhere
        width, height = self.width * _OVERSAMPLING, self.height * _OVERSAMPLING
        x, y = rng.uniform(0.1, 0.9, size=2)
        speed_x, speed_y = rng.uniform(-0.15, 0.15, size=2)
        size = height * rng.uniform(0.12, 0.28)
        draw_shape(draw, width * (x + speed_x * seconds), height * (y + speed_y * seconds), size, rng)


def random_scene(performance: Performance, width: int, height: int, rng: np.random.Generator) -> Scene:
    """A scene for a performance; all that is left open is decided by `rng`."""
    body = _jittered(_BODIES[rng.integers(len(_BODIES))], rng)
    palette = Palette(
        body=body,
        trim=_jittered(_TRIMS[rng.integers(len(_TRIMS))], rng),
        dark=_jittered((44, 34, 30), rng, 20),
        light=_jittered((236, 232, 218), rng, 18),
    )
    motion = Motion(
        x=rng.uniform(0.2, 0.8),
        y=rng.uniform(0.3, 0.7),
        scale=rng.uniform(0.26, 0.46),
        tilt=rng.normal(0, 0.3),
        mirrored=bool(rng.random() < 0.3),
        drift=rng.uniform(0.01, 0.08),
        sway=rng.uniform(0.0, 0.15),
        zoom=rng.uniform(0.0, 0.1),
        rate_hz=rng.uniform(0.2, 0.6),
        phase=rng.uniform(0, 2 * math.pi),
    )
    backdrop_seed, distractor_seed = rng.integers(2**31, size=2).tolist()
    return Scene(
        performance, width, height, palette, motion, backdrop_seed, distractor_seed if rng.random() < 0.4 else -1
    )


def _jittered(color: Color, rng: np.random.Generator, spread: int = 25) -> Color:
    red, green, blue = (np.array(color) + rng.integers(-spread, spread + 1, size=3)).tolist()
    return shade((red, green, blue), 1.0)  # clipped to 0..255
