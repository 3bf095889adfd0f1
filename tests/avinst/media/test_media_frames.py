"""A decoded frame becomes the dataset's square."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from avinst.media.frames import renderer
from avinst.spec import DatasetSpec


def rendered(picture, sample_aspect=None, **spec):
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
    jpeg = renderer(DatasetSpec(jpeg_quality=100, **spec), sample_aspect)(frame)
    return np.asarray(Image.open(io.BytesIO(jpeg))).astype(int)


def smooth_picture(height, width):
    rows, columns = np.mgrid[0:height, 0:width]
    wave = np.sin(rows / 29) * np.cos(columns / 31)
    # Of one hue: JPEG halves the resolution of colour.
    return np.stack([127 + 100 * wave, 110 + 90 * wave, 90 + 80 * wave], -1).astype(np.uint8)


@pytest.mark.parametrize("size", [299, 128, 32])
def test_stretch_equals_pillows_antialiased_resizing(size):
    picture = smooth_picture(360, 640)
    wanted = np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.BILINEAR)).astype(int)
    found = rendered(picture, frame_size=size)
    # Both round, and JPEG loses a little: a few levels of 256.
    assert np.abs(found - wanted).mean() < 1.5
    assert np.abs(found - wanted).max() <= 8


def test_fine_patterns_turn_grey_instead_of_aliasing():
    picture = np.zeros((512, 512, 3), np.uint8)
    picture[::2, ::2] = picture[1::2, 1::2] = 255
    found = rendered(picture, frame_size=64)
    assert np.abs(found - 127.5).max() < 6


@pytest.mark.parametrize(
    ("fit", "size", "aspect", "white"),
    [
        ("pad", (60, 20), None, (64, 21)),
        ("pad", (60, 60), Fraction(1, 3), (21, 64)),  # pixels a third as wide as high
        ("crop", (60, 20), None, (64, 64)),
        ("stretch", (60, 20), None, (64, 64)),
    ],
)
def test_fit_and_pixels_decide_what_is_left_for_bars(fit, size, aspect, white):
    width, height = size
    found = rendered(np.full((height, width, 3), 255, np.uint8), aspect, frame_size=64, frame_fit=fit)[..., 1]
    shown = ((found > 128).sum(1).max(), (found > 128).sum(0).max())
    assert np.abs(np.array(shown) - white).max() <= 1  # JPEG blurs the border
