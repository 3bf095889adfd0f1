"""A pen that draws shapes in an instrument's own coordinates and knows the box that they fill."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from PIL import ImageDraw

Color = tuple[int, int, int]
Points = Sequence[tuple[float, float]]

OUTLINE_UNITS = 0.025
_CIRCLE = [(math.cos(step * math.pi / 10), math.sin(step * math.pi / 10)) for step in range(20)]


@dataclasses.dataclass(frozen=True)
class Palette:
    """An instrument's colours: body, trim (metal or bindings), dark (fittings) and light (keys, skins)."""

    body: Color
    trim: Color
    dark: Color
    light: Color


@dataclasses.dataclass(frozen=True)
class Gesture:
    """What the player does at one moment; drawn instruments move by it.

    Attributes:
        stroke: 0 to 1, there during one note and back during the next, as a bow goes.
        strike: 1 at a note's onset, falling towards 0 within a quarter of a second.
        height: 0 to 1, the note's place in the instrument's range.
    """

    stroke: float
    strike: float
    height: float


@dataclasses.dataclass(frozen=True)
class Placement:
    """Where an instrument is: centre in pixels, pixels a unit, tilt in radians, mirrored or not."""

    x: float
    y: float
    scale: float
    tilt: float
    mirrored: bool


class Pen:
    """Draws in units about the instrument's centre, x to the right and y down; an instrument spans about -1 to 1.

    Without an `ImageDraw` nothing is drawn, and only the box is found.
    """

    def __init__(self, draw: ImageDraw.ImageDraw | None, placement: Placement) -> None:
        self._draw = draw
        cos, sin = math.cos(placement.tilt), math.sin(placement.tilt)
        mirror = -1.0 if placement.mirrored else 1.0
        self._x_from = (placement.scale * mirror * cos, placement.scale * mirror * sin, placement.x)
        self._y_from = (-placement.scale * sin, placement.scale * cos, placement.y)
        self._scale = placement.scale
        self._box = (math.inf, math.inf, -math.inf, -math.inf)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of all that was drawn, pixels."""
        return self._box

    def polygon(self, points: Points, fill: Color, outline: Color | None = None) -> None:
        """A filled polygon; the outline is a darker tone of the filling unless one is given."""
        edge = outline or shade(fill, 0.55)
        placed = self._place(points, OUTLINE_UNITS)
        if self._draw:
            self._draw.polygon(placed, fill=fill)
            self._draw.line([*placed, placed[0]], fill=edge, width=self._pixels(OUTLINE_UNITS), joint="curve")

    def rectangle(self, left: float, top: float, right: float, bottom: float, fill: Color) -> None:
        """A filled rectangle."""
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], fill)

    def ellipse(self, x: float, y: float, radius_x: float, radius_y: float, fill: Color) -> None:
        """A filled ellipse."""
        self.polygon([(x + radius_x * cos, y + radius_y * sin) for cos, sin in _CIRCLE], fill)

    def line(self, points: Points, color: Color, width: float = 0.02) -> None:
        """A line of `width` units with round joints."""
        placed = self._place(points, width)
        if self._draw:
            self._draw.line(placed, fill=color, width=self._pixels(width), joint="curve")

    def tube(self, points: Points, color: Color, width: float) -> None:
        """A round tube: a line with a dark rim and a highlight."""
        self.line(points, shade(color, 0.55), width + 2 * OUTLINE_UNITS)
        self.line(points, color, width)
        self.line([(x - 0.15 * width, y - 0.2 * width) for x, y in points], shade(color, 1.35), width / 4)

    def _place(self, points: Points, width: float) -> list[tuple[float, float]]:
        # Plain Python: for a handful of points NumPy takes three times as long.
        (xx, xy, x0), (yx, yy, y0) = self._x_from, self._y_from
        placed = [(xx * x + xy * y + x0, yx * x + yy * y + y0) for x, y in points]
        margin = self._pixels(width) / 2 + 1
        left, top, right, bottom = self._box
        self._box = (
            min(left, min(x for x, _ in placed) - margin),
            min(top, min(y for _, y in placed) - margin),
            max(right, max(x for x, _ in placed) + margin),
            max(bottom, max(y for _, y in placed) + margin),
        )
        return placed

    def _pixels(self, units: float) -> int:
        return max(1, round(units * self._scale))


def shade(color: Color, factor: float) -> Color:
    """Darker for a factor below 1, lighter above."""
    red, green, blue = (max(0, min(255, round(channel * factor))) for channel in color)
    return (red, green, blue)


def smooth(points: Points, steps: int = 5) -> list[tuple[float, float]]:
    """A closed curve through the points (Catmull-Rom), `steps` points for each."""
    corners = np.asarray(points, np.float64)
    before, after, beyond = np.roll(corners, 1, 0), np.roll(corners, -1, 0), np.roll(corners, -2, 0)
    t = (np.arange(steps) / steps)[None, :, None]
    p0, p1, p2, p3 = (a[:, None, :] for a in (before, corners, after, beyond))
    curve = 0.5 * (
        2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )
    return [(x, y) for x, y in curve.reshape(-1, 2).tolist()]


def arc(
    x: float, y: float, radius_x: float, radius_y: float, start: float, end: float
) -> list[tuple[float, float]]:
    """Points of an ellipse's arc, angles in degrees, clockwise from the right as seen on the screen."""
    angles = np.radians(np.linspace(start, end, 12))
    return [(x + radius_x * math.cos(a), y + radius_y * math.sin(a)) for a in angles]
