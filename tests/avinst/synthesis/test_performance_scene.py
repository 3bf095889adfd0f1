"""The box holds the instrument and little else, the player follows the notes, the backdrop tells nothing."""

import dataclasses
import math

import numpy as np
import pytest

from avinst.synthesis.drawing import Gesture, Palette, Pen, Placement, shade, smooth
from avinst.synthesis.scene import DRAWINGS, Motion, Scene, random_scene
from avinst.synthesis.sound import VOICES, Note, random_performance

WIDTH, HEIGHT = 192, 144


def _scene(instrument, seed):
    rng = np.random.default_rng(seed)
    return random_scene(random_performance(instrument, 2.0, rng), WIDTH, HEIGHT, rng)


def _changed_pixels(scene, seconds):
    with_it = scene.frame(seconds).astype(int)
    without = scene.frame(seconds, with_instrument=False).astype(int)
    return np.argwhere(np.abs(with_it - without).max(axis=2) > 0)


def test_every_voice_is_drawn():
    assert list(DRAWINGS) == list(VOICES)


@pytest.mark.parametrize("instrument", DRAWINGS)
def test_the_box_holds_the_instrument_tightly(instrument):
    for seed in range(4):
        scene = _scene(instrument, seed)
        for seconds in (0.0, 0.7, 1.9):
            left, top, right, bottom = np.array(scene.box(seconds)) * [WIDTH, HEIGHT, WIDTH, HEIGHT]
            changed = _changed_pixels(scene, seconds)
            (drawn_top, drawn_left), (drawn_bottom, drawn_right) = changed.min(0), changed.max(0) + 1
            # Up to a pixel more: a pixel is drawn whole where half of it is covered.
            assert left - 1 <= drawn_left
            assert top - 1 <= drawn_top
            assert drawn_right <= right + 1
            assert drawn_bottom <= bottom + 1
            # Not much larger: lines may end in the backdrop's colour, and margins are for the widest line.
            assert drawn_left - left < 8
            assert drawn_top - top < 8
            assert right - drawn_right < 8
            assert bottom - drawn_bottom < 8


def test_most_of_the_instrument_is_in_the_picture():
    for instrument in DRAWINGS:
        for seed in range(10):
            left, top, right, bottom = _scene(instrument, seed).box(1.0)
            assert 0 <= left < right <= 1
            assert 0 <= top < bottom <= 1
            assert (right - left) * (bottom - top) > 0.03


def test_the_same_random_numbers_give_every_instrument_the_same_colours_and_backdrop():
    scenes = []
    for instrument in DRAWINGS:
        performance = random_performance(instrument, 2.0, np.random.default_rng(0))
        scenes.append(random_scene(performance, WIDTH, HEIGHT, np.random.default_rng(5)))
    for scene in scenes[1:]:
        assert scene.palette == scenes[0].palette
        assert scene.motion == scenes[0].motion
        np.testing.assert_array_equal(scene.frame(0.5, False), scenes[0].frame(0.5, False))


def _still_scene(instrument, notes):
    performance = dataclasses.replace(
        random_performance(instrument, 2.0, np.random.default_rng(0)), notes=tuple(notes)
    )
    still = Motion(0.5, 0.5, 0.4, 0.0, False, 0.0, 0.0, 0.0, 0.3, 0.0)
    palette = Palette((150, 82, 36), (218, 182, 86), (44, 34, 30), (236, 232, 218))
    return Scene(performance, WIDTH, HEIGHT, palette, still, 1, -1)


def test_gesture_follows_the_notes():
    voice = VOICES["violin"]
    scene = _still_scene("violin", [Note(0.0, 0.4, voice.lowest, 100), Note(0.5, 1.4, voice.highest, 100)])
    assert scene.gesture(0.0) == Gesture(stroke=0.0, strike=1.0, height=0.0)
    there = scene.gesture(0.25)  # half of the way to the next note
    assert there.stroke == pytest.approx(0.5)
    assert there.strike == pytest.approx(math.exp(-2.5))
    back = scene.gesture(0.875)  # a quarter of the 1.5 s that are left, on the way back
    assert back.stroke == pytest.approx(0.75)
    assert back.height == 1.0


@pytest.mark.parametrize("instrument", DRAWINGS)
def test_every_instrument_shows_its_players_gesture(instrument):
    lowest, highest = (
        (36, 51) if VOICES[instrument].drums else (VOICES[instrument].lowest, VOICES[instrument].highest)
    )
    scene = _still_scene(instrument, [Note(0.0, 0.9, lowest, 100), Note(1.0, 0.9, highest, 100)])
    just_struck, later = scene.frame(1.0).astype(int), scene.frame(0.5).astype(int)
    assert np.mean(np.abs(just_struck - later).max(axis=2) > 20) > 0.001
    np.testing.assert_array_equal(scene.frame(0.5), scene.frame(0.5))


def test_placement_turns_mirrors_and_scales_about_the_centre():
    pen = Pen(None, Placement(x=50, y=40, scale=10, tilt=0.0, mirrored=False))
    pen.line([(-1, 0), (2, 0)], (0, 0, 0), width=0.1)
    assert pen.box == pytest.approx((50 - 10 - 1.5, 40 - 1.5, 50 + 20 + 1.5, 40 + 1.5))  # half a pixel and one
    pen = Pen(None, Placement(x=50, y=40, scale=10, tilt=math.pi / 2, mirrored=False))
    pen.line([(-1, 0), (2, 0)], (0, 0, 0), width=0.1)
    assert pen.box == pytest.approx((50 - 1.5, 40 - 20 - 1.5, 50 + 1.5, 40 + 10 + 1.5))  # anticlockwise
    pen = Pen(None, Placement(x=50, y=40, scale=10, tilt=0.0, mirrored=True))
    pen.line([(-1, 0), (2, 0)], (0, 0, 0), width=0.1)
    assert pen.box == pytest.approx((50 - 20 - 1.5, 40 - 1.5, 50 + 10 + 1.5, 40 + 1.5))


def test_shade_stays_a_colour():
    assert shade((100, 200, 10), 2.0) == (200, 255, 20)
    assert shade((100, 200, 10), 0.5) == (50, 100, 5)


def test_smooth_goes_through_its_points():
    points = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    np.testing.assert_allclose(smooth(points, steps=4)[::4], points, atol=1e-12)
