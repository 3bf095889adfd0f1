"""A frame of an explained video, pixel by pixel: where the map colours the picture and where the cursor stands."""

import numpy as np
import pytest

from analysis.explained.canvas import Canvas, CanvasSize, Page

SIZE = CanvasSize(width=640, picture_width=400, picture_height=100)
COLOURS = np.stack([np.arange(256), np.zeros(256), 255 - np.arange(256)], axis=1).astype(np.uint8)


def page(**changes):
    evidence = np.zeros((2, 100, 400), np.uint8)
    evidence[0, 20:40, 50:80] = 255
    values = {
        "start_seconds": 10.0,
        "end_seconds": 14.0,
        "is_last": False,
        "panel": np.full((60, 640, 3), 77, np.uint8),
        "cursor_box": (100.0, 500.0, 5, 55),
        "segment_starts": np.array([10.0, 12.0]),
        "segment_seconds": 1.0,
        "evidence": evidence,
        "colours": COLOURS,
    }
    return Page(**{**values, **changes})


def noise():
    return np.random.default_rng(0).integers(0, 256, (100, 400, 3)).astype(np.uint8)


def test_the_map_changes_the_picture_only_where_it_is():
    picture = noise()
    canvas = Canvas(SIZE).draw(picture, page(), 10.5)
    shown = canvas[:100, 120:520]
    inside = np.zeros((100, 400), bool)
    inside[20:40, 50:80] = True
    np.testing.assert_array_equal(shown[~inside], picture[~inside])
    # Three quarters of the strongest colour, one quarter of the picture; an opacity of 191 / 255.
    expected = (64 * picture[inside].astype(float) + 191 * COLOURS[255].astype(float)) / 255
    np.testing.assert_allclose(shown[inside], expected, atol=0.51)  # rounding to whole values


def test_no_map_lies_over_segments_that_have_none():
    picture, canvas = noise(), Canvas(SIZE)
    canvas.draw(picture, page(), 10.5)  # what is kept for this segment must not stay
    for seconds in (11.0, 11.9, 12.5, 13.5):
        np.testing.assert_array_equal(canvas.draw(picture, page(), seconds)[:100, 120:520], picture)


@pytest.mark.parametrize(("seconds", "column"), [(10.0, 100), (11.0, 200), (12.34, 334), (14.0, 500), (14.9, 500)])
def test_the_cursor_stands_at_its_time(seconds, column):
    panel = Canvas(SIZE).draw(noise(), page(), seconds)[100:]
    assert np.flatnonzero((panel[30] == 255).all(axis=1)).tolist() == [column]
    assert np.flatnonzero((panel[30] == 0).all(axis=1)).tolist() == [column - 1, column + 1]
    assert (panel[:5] == 77).all()
    assert (panel[55:] == 77).all()


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (320, 240, (640, 640, 480)),
        (1920, 1080, (1280, 1280, 720)),
        (641, 359, (640, 640, 360)),
        (1080, 1920, (640, 404, 720)),  # portrait: as high as is allowed, in the middle
        (64, 1000, (640, 46, 720)),
        (5000, 10, (1280, 1280, 2)),
    ],
)
def test_sizes_are_even_and_can_be_read(width, height, expected):
    size = CanvasSize.of_picture(width, height)
    assert (size.width, size.picture_width, size.picture_height) == expected


def test_a_page_passes_through_a_pipe():
    sent = page()
    received = Page.from_fields(*sent.to_fields())
    for name, value in vars(sent).items():
        np.testing.assert_array_equal(getattr(received, name), value)


def test_the_last_page_holds_what_comes_after_its_end():
    assert page().holds(13.9)
    assert not page().holds(14.0)
    assert page(is_last=True).holds(14.7)
