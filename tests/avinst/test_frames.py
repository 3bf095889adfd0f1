import io

import numpy as np
import pytest
from PIL import Image

from avinst.frames import encode_jpeg, scaled_size, to_square
from avinst.spec import DatasetSpec


def spec(fit):
    return DatasetSpec(frame_size=64, frame_fit=fit)


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("shape", [(48, 100), (101, 47), (64, 64), (1, 1), (700, 3), (3, 5000)])
def test_the_result_is_always_the_square(fit, shape):
    width, height = scaled_size(shape[1], shape[0], spec(fit))
    frame = to_square(np.full((height, width, 3), 200, np.uint8), spec(fit))
    assert frame.shape == (64, 64, 3)
    assert frame.dtype == np.uint8


@pytest.mark.parametrize(
    ("fit", "width", "height", "pixel_aspect", "scaled"),
    [
        ("stretch", 640, 360, 1.0, (64, 64)),
        ("stretch", 640, 360, 2.0, (64, 64)),
        ("crop", 128, 64, 1.0, (128, 64)),
        ("crop", 64, 128, 1.0, (64, 128)),
        ("crop", 64, 64, 2.0, (128, 64)),  # shown twice as wide as high
        ("pad", 128, 64, 1.0, (64, 32)),
        ("pad", 64, 128, 1.0, (32, 64)),
        ("pad", 64, 64, 2.0, (64, 32)),
        ("pad", 3, 6400, 1.0, (4, 64)),  # a sixteenth: the narrowest
    ],
)
def test_the_scaled_size_keeps_the_shape_that_is_shown(fit, width, height, pixel_aspect, scaled):
    assert scaled_size(width, height, spec(fit), pixel_aspect) == scaled


def test_crop_takes_the_centre():
    picture = np.zeros((64, 128, 3), np.uint8)
    picture[:, 32:96] = 255  # exactly the central square
    assert to_square(picture, spec("crop")).min() == 255


def test_pad_adds_black_bars():
    frame = to_square(np.full((31, 64, 3), 255, np.uint8), spec("pad"))
    assert frame[:16].max() == 0
    assert frame[16:47].min() == 255
    assert frame[47:].max() == 0


def test_jpeg_has_the_quality_and_is_repeatable():
    frame = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    jpeg = encode_jpeg(frame, spec("stretch"))
    assert jpeg == encode_jpeg(frame.copy(), spec("stretch"))
    assert len(encode_jpeg(frame, DatasetSpec(frame_size=64, jpeg_quality=50))) < len(jpeg)
    assert np.asarray(Image.open(io.BytesIO(jpeg))).shape == (64, 64, 3)
