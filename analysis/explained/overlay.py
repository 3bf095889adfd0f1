"""Maps of the model's square frame laid over the picture that the frame was made of."""

import numpy as np

from analysis.maps.receptive_field import spread_at
from avinst.frames import scaled_size
from avinst.spec import DatasetSpec


def over_picture(
    maps: np.ndarray, centres: tuple[np.ndarray, np.ndarray], spec: DatasetSpec, width: int, height: int
) -> np.ndarray:
    """Maps at the size of the picture, each value where the model looked.

    Args:
        maps: float32 [n, rows, columns].
        centres: of rows and columns, in pixels of the frame (`analysis.maps.receptive_field.cell_centres`).
        spec: how the frame was made of the picture.
        width: of the picture as it is shown, with square pixels.
        height: the same.

    Returns:
        float32 [n, height, width]; 0 where the frame was cut off, which the model has not seen.
    """
    scaled_width, scaled_height = scaled_size(width, height, spec)
    columns, rows = frame_places(width, scaled_width, spec), frame_places(height, scaled_height, spec)
    spread = spread_at(maps, centres, rows, columns)
    spread *= np.multiply.outer(_inside(rows, spec), _inside(columns, spec))
    return spread


def frame_places(length: int, scaled_length: int, spec: DatasetSpec) -> np.ndarray:
    """Where the pixels of the shown picture lie in the frame.

    Args:
        length: of the shown picture along an axis, pixels.
        scaled_length: of the scaled picture before it was cut or padded to the frame, pixels.
        spec: gives `frame_size`.

    Returns:
        float64 [length], in pixels of the frame; 0 is the centre of its first pixel.
    """
    places = (np.arange(length) + 0.5) / length * scaled_length - 0.5
    # The very rule of `avinst.frames.to_square`: what is odd goes to the end.
    if scaled_length >= spec.frame_size:
        return places - (scaled_length - spec.frame_size) // 2
    return places + (spec.frame_size - scaled_length) // 2


def _inside(places: np.ndarray, spec: DatasetSpec) -> np.ndarray:
    return ((places >= -0.5) & (places <= spec.frame_size - 0.5)).astype(np.float32)
