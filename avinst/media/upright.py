"""Decoded frames as they are meant to be looked at: upright, at a size that is asked for, in RGB."""

from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from avinst.media.types import DECODE, MediaError

# Scaling and conversion to RGB in one: four times faster than one after the other. Where a picture becomes smaller
# the filter grows with the factor, so that nothing aliases; the flags give the same pixels on every processor.
_SCALING = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.BITEXACT


def pixel_aspect(sample_aspect: Fraction | None) -> float:
    """Width of a pixel over its height; 1 where the file does not say, or says what cannot be.

    Args:
        sample_aspect: as the stream has it; None where it is not said.
    """
    aspect = float(sample_aspect) if sample_aspect else 1.0
    return aspect if 0.1 <= aspect <= 10.0 else 1.0  # absurd ones are damage, and would ask for huge pictures


def is_on_its_side(frame: Any) -> bool:
    """Whether the frame is stored turned by a quarter, so that width and height change places when it is shown."""
    return round(frame.rotation / 90) % 2 == 1


def upright_rgb(frame: Any, width: int, height: int, reformatter: VideoReformatter) -> np.ndarray:
    """The frame scaled, and then turned as it is to be shown.

    Args:
        frame: av.VideoFrame.
        width: of the frame as it is stored, before it is turned, pixels.
        height: the same.
        reformatter: kept from frame to frame, so that it need not be set up anew.

    Returns:
        uint8 [height, width, 3], RGB; [width, height, 3] where it was on its side.

    Raises:
        MediaError: `unknown_pixels`, no conversion to RGB is known.
    """
    try:
        # One thread: setting up a pool of them costs more than the conversion.
        rgb = reformatter.reformat(
            frame, width=width, height=height, format="rgb24", interpolation=_SCALING, threads=1
        )
    except av.error.MemoryError:
        raise
    except (av.FFmpegError, ValueError) as error:
        raise MediaError(DECODE, "unknown_pixels", f"no conversion to RGB from {frame.format.name}") from error
    return np.rot90(rgb.to_ndarray(), round(frame.rotation / 90) % 4)
