"""Frames, the one definition: how a picture becomes a square JPEG of the dataset's size."""

import io

import numpy as np
from PIL import Image

from avinst.spec import DatasetSpec


def fit_frame(picture: np.ndarray, spec: DatasetSpec, pixel_aspect: float = 1.0) -> np.ndarray:
    """Resizes a picture to the spec's square, with antialiasing.

    Args:
        picture: uint8 [height, width, 3], RGB, upright.
        spec: gives `frame_size` and `frame_fit`.
        pixel_aspect: width of a pixel over its height (1.0 unless the video is anamorphic).

    Returns:
        uint8 [frame_size, frame_size, 3].
    """
    size = spec.frame_size
    height, width = picture.shape[:2]
    display_width = width * pixel_aspect
    image = Image.fromarray(picture)
    if spec.frame_fit == "stretch":
        return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))
    if spec.frame_fit == "crop":
        side = min(display_width, height)
        half_width, half_height = side / pixel_aspect / 2, side / 2
        box = (
            width / 2 - half_width,
            height / 2 - half_height,
            width / 2 + half_width,
            height / 2 + half_height,
        )
        return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, box=box))
    scale = size / max(display_width, height)
    fitted_width, fitted_height = max(1, round(display_width * scale)), max(1, round(height * scale))
    square = Image.new("RGB", (size, size))
    square.paste(
        image.resize((fitted_width, fitted_height), Image.Resampling.BILINEAR),
        ((size - fitted_width) // 2, (size - fitted_height) // 2),
    )
    return np.asarray(square)


def encode_jpeg(frame: np.ndarray, spec: DatasetSpec) -> bytes:
    """The frame, uint8 [size, size, 3] RGB, as a JPEG at the spec's quality; the same bytes every time."""
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, format="JPEG", quality=spec.jpeg_quality)
    return buffer.getvalue()
