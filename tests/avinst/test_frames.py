import io

import numpy as np
import pytest
from PIL import Image

from avinst.frames import encode_jpeg, fit_frame
from avinst.spec import DatasetSpec


def spec(fit):
    return DatasetSpec(frame_size=64, frame_fit=fit)


def halves(height, width):
    """Left half red, right half blue."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, : width // 2, 0] = 255
    picture[:, width // 2 :, 2] = 255
    return picture


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("shape", [(48, 100), (101, 47), (64, 64), (1, 1), (700, 3)])
def test_the_result_is_always_the_square(fit, shape):
    frame = fit_frame(np.full((*shape, 3), 200, np.uint8), spec(fit))
    assert frame.shape == (64, 64, 3)
    assert frame.dtype == np.uint8


def test_stretch_keeps_the_whole_picture():
    frame = fit_frame(halves(48, 100), spec("stretch"))
    assert frame[32, 0, 0] == 255
    assert frame[32, 63, 2] == 255
    assert frame[32, 31, 0] > frame[32, 32, 0]  # the border stays in the middle


def test_crop_takes_the_centre():
    picture = np.zeros((64, 128, 3), np.uint8)
    picture[:, 32:96] = 255  # exactly the central square
    assert fit_frame(picture, spec("crop")).min() == 255


def test_pad_adds_black_bars():
    frame = fit_frame(np.full((32, 64, 3), 255, np.uint8), spec("pad"))
    assert frame[:16].max() == 0
    assert frame[16:48].min() == 255
    assert frame[48:].max() == 0


def test_anamorphic_pixels_are_widened_before_the_crop():
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:, 16:48] = 255  # with pixels twice as wide as high this is the central square
    frame = fit_frame(picture, spec("crop"), pixel_aspect=2.0)
    assert frame[:, 1:-1].min() == 255  # enlarging blends the outermost columns with what is beside the crop


def test_anamorphic_pixels_are_widened_before_the_bars():
    frame = fit_frame(np.full((64, 64, 3), 255, np.uint8), spec("pad"), pixel_aspect=2.0)
    assert frame[:16].max() == 0
    assert frame[16:48].min() == 255


def test_jpeg_has_the_quality_and_is_repeatable():
    frame = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    jpeg = encode_jpeg(frame, spec("stretch"))
    assert jpeg == encode_jpeg(frame.copy(), spec("stretch"))
    assert len(encode_jpeg(frame, DatasetSpec(frame_size=64, jpeg_quality=50))) < len(jpeg)
    assert np.asarray(Image.open(io.BytesIO(jpeg))).shape == (64, 64, 3)
