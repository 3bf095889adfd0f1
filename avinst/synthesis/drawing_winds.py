"""Drawings of wind instruments: flute, trumpet, saxophone, accordion."""

import math

from avinst.synthesis.drawing import Gesture, Palette, Pen, arc, shade


def draw_flute(pen: Pen, colors: Palette, gesture: Gesture) -> None:
    """A long thin flute; the keys above the sounding one are pressed."""
    pen.tube([(-1.1, 0.0), (1.1, 0.0)], colors.body, 0.1)
    for ring in (-0.62, 0.72, 1.06):
        pen.rectangle(ring - 0.03, -0.075, ring + 0.03, 0.075, colors.trim)
    pen.rectangle(-1.12, -0.065, -1.04, 0.065, colors.dark)
    pen.ellipse(-0.82, -0.03, 0.11, 0.06, colors.trim)  # lip plate
    pen.ellipse(-0.82, -0.035, 0.045, 0.025, colors.dark)
    pen.line([(-0.45, 0.075), (0.65, 0.075)], colors.trim, 0.025)  # key rod
    for index in range(9):
        x = -0.42 + 0.13 * index
        pressed = index < round(9 * (1 - gesture.height))
        lift = 0.0 if pressed else 0.045
        pen.ellipse(x, -0.035 - lift, 0.055, 0.045, colors.dark if pressed else colors.light)
    for index in (1, 4, 6):
        x = -0.42 + 0.13 * index
        pen.line([(x, -0.02), (x, 0.075)], colors.trim, 0.025)


def draw_trumpet(pen: Pen, colors: Palette, gesture: Gesture) -> None:
    """A trumpet: bell, loop and three valves, of which some go down at each onset."""
    pen.tube([(-1.05, -0.14), (0.55, -0.14)], colors.body, 0.075)
    loop = [
        *arc(-0.42, 0.1, 0.22, 0.24, 270, 90),
        (0.3, 0.34),
        *arc(0.3, 0.1, 0.22, 0.24, 90, -90),
    ]
    pen.tube(loop, shade(colors.body, 0.92), 0.07)
    bell = [(0.45, -0.18), (0.75, -0.22), (0.95, -0.34), (1.08, -0.5)]
    lower = [(x, -0.28 - y) for x, y in reversed(bell)]
    pen.polygon([*bell, *lower], colors.body)
    pen.ellipse(1.08, -0.14, 0.07, 0.36, shade(colors.body, 1.3))
    pen.ellipse(1.09, -0.14, 0.04, 0.27, shade(colors.body, 0.45))
    pen.polygon([(-1.14, -0.21), (-1.02, -0.17), (-1.02, -0.11), (-1.14, -0.07)], colors.trim)  # mouthpiece
    down = 1 + round(6 * gesture.height)  # which valves: a bit each
    for index in range(3):
        x = -0.2 + 0.15 * index
        dip = 0.1 * gesture.strike if down >> index & 1 else 0.0
        pen.line([(x, -0.38 + dip), (x, -0.18)], colors.trim, 0.04)
        pen.ellipse(x, -0.39 + dip, 0.06, 0.035, colors.light)
        pen.rectangle(x - 0.055, -0.22, x + 0.055, 0.42, colors.trim)
        pen.ellipse(x, 0.42, 0.06, 0.04, colors.dark)


def draw_saxophone(pen: Pen, colors: Palette, gesture: Gesture) -> None:
    """A saxophone: neck, conical tube, bow and bell, with pads along the tube."""
    pen.line([(-0.82, -0.78), (-0.62, -0.88)], colors.dark, 0.1)  # mouthpiece
    pen.tube([(-0.64, -0.88), (-0.3, -0.96), (-0.14, -0.9), (-0.1, -0.72)], colors.trim, 0.08)
    bow = arc(0.33, 0.55, 0.24, 0.22, 170, 10)
    bell = [(0.6, 0.4), (0.66, -0.02), (0.86, -0.22), (1.0, -0.26)]
    back = [(0.32, -0.18), (0.42, -0.04), (0.42, 0.45), *arc(0.2, 0.55, 0.32, 0.42, 40, 175)]
    pen.polygon([(-0.16, -0.75), (-0.04, -0.75), (0.14, 0.5), *bow, *bell, *back], colors.body)
    pen.ellipse(0.66, -0.22, 0.35, 0.1, shade(colors.body, 1.3))
    pen.ellipse(0.66, -0.22, 0.26, 0.06, shade(colors.body, 0.4))
    for index in range(6):
        share = index / 5
        pressed = share < 1 - gesture.height
        x, y = -0.08 + 0.12 * share, -0.6 + 1.0 * share
        pen.ellipse(x, y, 0.06 + 0.03 * share, 0.05 + 0.03 * share, colors.dark if pressed else colors.light)
    pen.line([(0.04, -0.6), (0.22, 0.5)], colors.trim, 0.03)


def draw_accordion(pen: Pen, colors: Palette, gesture: Gesture) -> None:
    """An accordion: keyboard, bass buttons, and bellows that open and close with the notes."""
    half = 0.28 + 0.26 * gesture.stroke
    folds = 9
    for index in range(folds):
        left, right = (-half + 2 * half * (index + step) / folds for step in (0, 1))
        tone = colors.dark if index % 2 else shade(colors.light, 0.85)
        sag = 0.06 * math.sin(math.pi * (index + 0.5) / folds)
        pen.rectangle(left, -0.52 + sag, right, 0.52 + sag, tone)
    pen.polygon([(-half - 0.36, -0.6), (-half, -0.6), (-half, 0.6), (-half - 0.36, 0.6)], colors.body)
    pen.polygon([(half, -0.6), (half + 0.3, -0.55), (half + 0.3, 0.55), (half, 0.6)], colors.body)
    keys = 10
    sounding = round(gesture.height * (keys - 1))
    for index in range(keys):
        top = 0.52 - 1.04 * (index + 1) / keys
        color = colors.trim if index == sounding and gesture.strike > 0.1 else colors.light
        pen.rectangle(-half - 0.56, top, -half - 0.3, top + 1.04 / keys, color)
        if index % 7 not in (2, 6):
            pen.rectangle(-half - 0.42, top - 0.03, -half - 0.3, top + 0.03, colors.dark)
    for grille in (-0.3, 0.0, 0.3):
        pen.line([(-half - 0.22, grille - 0.1), (-half - 0.1, grille + 0.1)], colors.trim, 0.05)
    for row in range(6):
        for column in range(2):
            pen.ellipse(half + 0.1 + 0.1 * column, -0.4 + 0.16 * row, 0.035, 0.035, colors.light)
