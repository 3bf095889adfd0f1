"""Drawings of struck instruments: piano, drum kit, xylophone."""

import math

from avinst.synthesis.drawing import Gesture, Palette, Pen, shade, smooth


def draw_piano(pen: Pen, colors: Palette, gesture: Gesture) -> None:
    """A grand piano seen from the player's side: open lid, case, keyboard, legs; the sounding key is marked."""
    lid = smooth([(-0.85, -0.12), (-0.7, -0.75), (-0.2, -0.95), (0.35, -0.7), (0.8, -0.5), (0.92, -0.12)])
    for leg in (-0.8, 0.8):
        pen.polygon([(leg - 0.07, 0.3), (leg + 0.07, 0.3), (leg + 0.04, 0.85), (leg - 0.04, 0.85)], colors.body)
        pen.ellipse(leg, 0.88, 0.05, 0.04, colors.trim)
    pen.line([(-0.06, 0.4), (-0.1, 0.8)], colors.dark, 0.04)
    pen.line([(0.06, 0.4), (0.1, 0.8)], colors.dark, 0.04)
    pen.rectangle(-0.14, 0.78, 0.14, 0.84, colors.trim)  # pedals
    pen.polygon(lid, shade(colors.body, 0.75))
    pen.line([(0.5, -0.1), (0.62, -0.5)], colors.trim, 0.03)  # prop
    pen.rectangle(-0.95, -0.2, 0.95, 0.14, colors.body)
    pen.polygon([(-0.3, -0.2), (-0.24, -0.48), (0.24, -0.48), (0.3, -0.2)], colors.dark)  # music stand
    pen.rectangle(-0.16, -0.42, 0.16, -0.22, (245, 243, 232))
    pen.rectangle(-1.0, 0.1, 1.0, 0.42, colors.body)
    keys = 14
    sounding = round(gesture.height * (keys - 1))
    width = 1.84 / keys
    for index in range(keys):
        left = -0.92 + width * index
        played = index == sounding and gesture.strike > 0.1
        pen.rectangle(left, 0.12, left + width, 0.36 + (0.04 if played else 0.0), (245, 245, 238))
        if played:
            pen.rectangle(left + 0.02, 0.24, left + width - 0.02, 0.36, colors.trim)
    for index in range(keys - 1):
        if index % 7 not in (2, 6):
            middle = -0.92 + width * (index + 1)
            pen.rectangle(middle - 0.035, 0.12, middle + 0.035, 0.26, (20, 20, 24))


def draw_drum_kit(pen: Pen, colors: Palette, gesture: Gesture) -> None:
    """A drum kit from the front: bass drum, toms, snare, cymbals, and two sticks that strike in turn."""
    for x, top in ((-0.85, -0.62), (0.8, -0.7)):  # cymbals on stands
        pen.line([(x, top), (x * 0.95, 0.85)], colors.trim, 0.035)
        pen.line([(x * 0.95 - 0.15, 0.9), (x * 0.95, 0.65), (x * 0.95 + 0.15, 0.9)], colors.trim, 0.03)
        wobble = 0.07 * gesture.strike * (1 if gesture.stroke > 0.5 else -1)
        disc = [(x + 0.34 * math.cos(a), top + 0.07 * math.sin(a) + wobble * math.cos(a)) for a in _CIRCLE]
        pen.polygon(disc, (214, 178, 74))
    _drum(pen, -0.62, 0.32, 0.24, 0.3, colors)
    _drum(pen, 0.64, 0.36, 0.28, 0.42, colors)
    pen.ellipse(0.0, 0.4, 0.5, 0.5, colors.body)
    pen.ellipse(0.0, 0.4, 0.43, 0.43, colors.light)
    pen.ellipse(0.0, 0.4, 0.16 + 0.05 * gesture.strike, 0.16 + 0.05 * gesture.strike, colors.trim)
    for foot in (-0.42, 0.42):
        pen.line([(foot * 0.85, 0.7), (foot * 1.2, 0.93)], colors.dark, 0.05)
    _drum(pen, -0.27, -0.32, 0.24, 0.24, colors)
    _drum(pen, 0.27, -0.32, 0.24, 0.24, colors)
    first_hand = gesture.stroke > 0.5
    for side, strikes in ((-1, first_hand), (1, not first_hand)):
        raised = 1 - gesture.strike if strikes else 1.0
        tip = (side * 0.26, -0.4 - 0.32 * raised)
        pen.line([(side * 0.62, -0.62 - 0.3 * raised), tip], (222, 190, 140), 0.05)


def _drum(pen: Pen, x: float, top: float, radius: float, height: float, colors: Palette) -> None:
    """A drum from the side with its skin."""
    pen.rectangle(x - radius, top, x + radius, top + height, colors.body)
    pen.rectangle(x - radius, top + height - 0.05, x + radius, top + height, colors.trim)
    for lug in (-0.6, 0.0, 0.6):
        pen.line([(x + lug * radius, top + 0.05), (x + lug * radius, top + height - 0.05)], colors.trim, 0.025)
    pen.ellipse(x, top, radius, 0.07, colors.light)


def draw_xylophone(pen: Pen, colors: Palette, gesture: Gesture) -> None:
    """A xylophone from above: bars that grow shorter, two rails, and two mallets, one at the sounding bar."""
    bars = 11
    for side in (-1, 1):
        pen.line([(-1.0, side * 0.42), (1.0, side * 0.2)], colors.dark, 0.06)
    sounding = round(gesture.height * (bars - 1))
    for index in range(bars):
        x, half = -0.92 + 1.84 * index / (bars - 1), 0.62 - 0.035 * index
        bright = 1.35 if index == sounding and gesture.strike > 0.2 else 1.0 - 0.02 * index
        pen.rectangle(x - 0.075, -half, x + 0.075, half, shade(colors.body, bright))
        for end in (-0.62, 0.62):
            pen.ellipse(x, end * half, 0.02, 0.02, colors.trim)
    x = -0.92 + 1.84 * sounding / (bars - 1)
    lift = 0.2 * (1 - gesture.strike)
    for head, handle in (((x, -0.05 - lift), (x + 0.35, 0.8 - lift)), ((-0.55 * x, 0.1), (-0.55 * x - 0.3, 0.9))):
        pen.line([head, handle], (214, 184, 140), 0.04)
        pen.ellipse(*head, 0.085, 0.085, colors.light)


_CIRCLE = [2 * math.pi * step / 20 for step in range(20)]
