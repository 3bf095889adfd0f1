"""Frames, the one definition: how a picture becomes a square JPEG of the dataset's size."""

import io

import numpy as np
from PIL import Image

from avinst.spec import DatasetSpec

# Beyond this a crop squeezes: of a picture a thousand times as wide as high nobody would see anything.
_LARGEST_ASPECT = 16.0


def scaled_size(width: int, height: int, spec: DatasetSpec, pixel_aspect: float = 1.0) -> tuple[int, int]:
    """Width and height to which an upright picture is scaled before `to_square`, in pixels.

    Args:
        width: of the picture, pixels.
        height: of the picture, pixels.
        spec: gives `frame_size` and `frame_fit`.
        pixel_aspect: width of a pixel over its height (1.0 unless the video is anamorphic).
    """
    size = spec.frame_size
    if spec.frame_fit == "stretch":
        return size, size
    aspect = min(max(width * pixel_aspect / height, 1 / _LARGEST_ASPECT), _LARGEST_ASPECT)
    # A crop is as large as the shorter side, a padded picture as the longer one.
    is_width_whole = (aspect < 1) == (spec.frame_fit == "crop")
    if is_width_whole:
        return size, max(1, round(size / aspect))
    return max(1, round(size * aspect)), size


def to_square(picture: np.ndarray, spec: DatasetSpec) -> np.ndarray:
    """Cuts off what a picture of `scaled_size` has beyond the square, or adds black bars, the same on both sides.

    Args:
        picture: uint8 [height, width, 3], RGB, upright.
        spec: gives `frame_size`.

    Returns:
        uint8 [frame_size, frame_size, 3].
    """
    size = spec.frame_size
    height, width = picture.shape[:2]
    top, left = max(0, (height - size) // 2), max(0, (width - size) // 2)
    picture = picture[top : top + size, left : left + size]
    rows, columns = size - picture.shape[0], size - picture.shape[1]
    if not rows and not columns:
        return picture
    bars = ((rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2), (0, 0))
    return np.pad(picture, bars)


def encode_jpeg(frame: np.ndarray, spec: DatasetSpec) -> bytes:
    """The frame, uint8 [size, size, 3] RGB, as a JPEG at the spec's quality; the same bytes every time."""
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, format="JPEG", quality=spec.jpeg_quality)
    return buffer.getvalue()
