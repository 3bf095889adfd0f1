"""Decoded frames as they are meant to be looked at: upright, at a size that is asked for, in RGB."""

import math
import struct
from fractions import Fraction
from typing import Any

import av
import av.sidedata.sidedata
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from avinst.media.types import DECODE, MediaError

# Scaling and conversion to RGB in one: four times faster than one after the other. Where a picture becomes smaller
# the filter grows with the factor, so that nothing aliases; the flags give the same pixels on every processor.
_SCALING = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.BITEXACT

# Made anew for each frame: a frame whose own `side_data` was asked for holds itself, and its pixels stay in memory
# until the garbage collector comes by.
_SideData: Any = av.sidedata.sidedata.SideDataContainer


def pixel_aspect(sample_aspect: Fraction | None) -> float:
    """Width of a pixel over its height; 1 where the file does not say, or says what cannot be.

    Args:
        sample_aspect: as the stream has it; None where it is not said.
    """
    aspect = float(sample_aspect) if sample_aspect else 1.0
    return aspect if 0.1 <= aspect <= 10.0 else 1.0  # absurd ones are damage, and would ask for huge pictures


def is_on_its_side(frame: Any) -> bool:
    """Whether the frame is stored turned by a quarter, so that width and height change places when it is shown."""
    _, quarters = _placement(frame)
    return quarters % 2 == 1


def upright_rgb(frame: Any, width: int, height: int, reformatter: VideoReformatter) -> np.ndarray:
    """The frame scaled, and then mirrored and turned as it is to be shown.

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
    is_flipped, quarters = _placement(frame)
    picture = rgb.to_ndarray()
    return np.rot90(picture[::-1] if is_flipped else picture, quarters)


def _placement(frame: Any) -> tuple[bool, int]:
    """Whether the frame is first to be turned upside down as in a mirror, then how many quarters anticlockwise.

    As FFmpeg's players do it, by the frame's display matrix: nine numbers, the place (x, y) of a pixel is shown at
    (m0 x + m3 y, m1 x + m4 y). Where the matrix has no inverse the frame is shown as it is stored.
    """
    try:
        matrix = bytes(_SideData(frame)["DISPLAYMATRIX"])
    except KeyError:
        return False, 0
    except ValueError:
        # Beside it lies what PyAV has no name for, and it lists none of all; the angle it tells nevertheless.
        return False, round(frame.rotation / 90) % 4
    m0, m1, _, m3, m4, *_ = struct.unpack("=9i", matrix)
    area = m0 * m4 - m1 * m3
    if not area:
        return False, 0
    # Each axis by its own scale, as av_display_rotation_get has it: pixels that are not square do not tilt it.
    anticlockwise = -math.degrees(math.atan2(m1 / math.hypot(m1, m4), m0 / math.hypot(m0, m3)))
    return area < 0, round(anticlockwise / 90) % 4
