"""Drawings of string instruments: violin, guitar, harp."""

import math

from avinst.synthesis.drawing import Gesture, Palette, Pen, shade, smooth

# Right half of a body with waist, from the neck down; mirrored for the left half.
_VIOLIN_HALF = [(0.08, -0.12), (0.28, -0.06), (0.3, 0.12), (0.2, 0.26), (0.2, 0.38), (0.37, 0.55), (0.36, 0.8)]
_GUITAR_HALF = [(0.1, -0.2), (0.36, -0.14), (0.4, 0.1), (0.31, 0.28), (0.48, 0.5), (0.48, 0.78), (0.28, 0.96)]


def _symmetric(half: list[tuple[float, float]], bottom: float) -> list[tuple[float, float]]:
    return smooth([*half, (0.0, bottom), *((-x, y) for x, y in reversed(half))])


_VIOLIN_BODY = _symmetric(_VIOLIN_HALF, 0.93)
_GUITAR_BODY = _symmetric(_GUITAR_HALF, 1.0)


def draw_violin(pen: Pen, colors: Palette, gesture: Gesture) -> None:
    """A violin with its bow; the bow goes there and back with the notes."""
    pen.polygon(_VIOLIN_BODY, colors.body)
    pen.polygon([(x * 0.8, 0.41 + (y - 0.41) * 0.84) for x, y in _VIOLIN_BODY], shade(colors.body, 1.2))
    for side in (-1, 1):  # f-holes
        hole = [(side * 0.13, 0.24), (side * 0.17, 0.3), (side * 0.14, 0.42), (side * 0.18, 0.48)]
        pen.line(hole, colors.dark, 0.035)
    pen.polygon([(-0.05, -0.8), (0.05, -0.8), (0.08, 0.22), (-0.08, 0.22)], colors.dark)  # fingerboard
    pen.polygon([(-0.05, 0.56), (0.05, 0.56), (0.09, 0.82), (-0.09, 0.82)], colors.dark)  # tailpiece
    pen.ellipse(0.0, -0.93, 0.1, 0.1, colors.body)  # scroll
    pen.ellipse(0.0, -0.93, 0.04, 0.04, colors.dark)
    for peg in (-0.84, -0.76):
        pen.line([(-0.16, peg), (0.16, peg + 0.03)], colors.dark, 0.05)
    pen.rectangle(-0.13, 0.4, 0.13, 0.44, colors.light)  # bridge
    for string in (-0.045, -0.015, 0.015, 0.045):
        pen.line([(string, -0.78), (string * 1.3, 0.6)], colors.light, 0.012)
    shift = 0.9 * (gesture.stroke - 0.5)
    pen.line([(-0.8 + shift, 0.42), (0.8 + shift, 0.2)], colors.light, 0.035)
    pen.line([(-0.8 + shift, 0.36), (0.0 + shift, 0.28), (0.82 + shift, 0.14)], shade(colors.body, 0.7), 0.045)
    pen.rectangle(-0.86 + shift, 0.34, -0.7 + shift, 0.44, colors.dark)


def draw_guitar(pen: Pen, colors: Palette, gesture: Gesture) -> None:
    """A guitar with frets and sound hole; a pick strums across the strings."""
    pen.polygon(_GUITAR_BODY, colors.body)
    pen.polygon([(x * 0.86, 0.4 + (y - 0.4) * 0.88) for x, y in _GUITAR_BODY], shade(colors.body, 1.25))
    pen.ellipse(0.0, 0.26, 0.19, 0.19, colors.trim)
    pen.ellipse(0.0, 0.26, 0.14, 0.14, colors.dark)
    pen.rectangle(-0.07, -0.86, 0.07, 0.12, shade(colors.dark, 1.3))  # neck
    for fret in range(8):
        y = -0.84 + 0.88 * (1 - 0.87**fret) / (1 - 0.87**8)
        pen.line([(-0.07, y), (0.07, y)], colors.trim, 0.02)
    pen.polygon([(-0.08, -0.86), (-0.12, -1.1), (0.12, -1.1), (0.08, -0.86)], colors.body)  # headstock
    for peg in (-1.06, -0.99, -0.92):
        pen.line([(-0.18, peg), (-0.1, peg)], colors.trim, 0.045)
        pen.line([(0.1, peg), (0.18, peg)], colors.trim, 0.045)
    pen.rectangle(-0.2, 0.64, 0.2, 0.7, colors.dark)  # bridge
    for index in range(6):
        x = -0.05 + 0.02 * index
        pen.line([(x, -0.9), (x * 1.2, 0.66)], colors.light, 0.01)
    pick = -0.22 + 0.44 * gesture.stroke
    pen.polygon([(pick, 0.52), (pick + 0.1, 0.36), (pick - 0.1, 0.36)], colors.trim)
    finger = -0.1 - 0.6 * (1 - gesture.height)
    pen.ellipse(0.03, finger, 0.06, 0.045, (225, 172, 140))


def draw_harp(pen: Pen, colors: Palette, gesture: Gesture) -> None:
    """A harp: column, curved neck, sound box, strings; the string that is plucked swings."""
    neck = [(-0.6, -0.95), (-0.35, -0.75), (-0.05, -0.72), (0.25, -0.85), (0.55, -0.72), (0.62, -0.6)]
    plucked = round((1 - gesture.height) * 11)
    for index in range(12):
        share = (index + 0.5) / 12
        top = (-0.5 + 1.06 * share, -0.74 - 0.06 * math.sin(5 * share))
        bottom = (-0.42 + 0.96 * share, 0.82 - 1.36 * share)
        swing = 0.06 * gesture.strike if index == plucked else 0.0
        middle = (0.5 * (top[0] + bottom[0]) + swing, 0.5 * (top[1] + bottom[1]))
        color = colors.light if index % 4 else colors.trim
        pen.line([top, middle, bottom], color, 0.035 if index == plucked else 0.018)
    pen.polygon([(-0.52, 0.8), (0.58, -0.64), (0.7, -0.56), (-0.34, 0.94)], colors.body)  # sound box
    for hole in (0.25, 0.5, 0.75):
        pen.ellipse(-0.42 + 1.05 * hole, 0.86 - 1.46 * hole, 0.035, 0.035, colors.dark)
    pen.tube([(-0.6, -0.95), (-0.56, 0.85)], colors.trim, 0.1)  # column
    pen.line(neck, shade(colors.body, 0.55), 0.17)
    pen.line(neck, colors.body, 0.12)
    pen.ellipse(-0.61, -0.97, 0.11, 0.09, colors.trim)  # crown
    pen.polygon([(-0.72, 0.82), (-0.28, 0.82), (-0.2, 0.98), (-0.78, 0.98)], colors.dark)  # foot
