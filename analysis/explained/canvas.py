"""One frame of an explained video: the picture with its map, and below it a panel with a moving cursor.

Plain NumPy: it runs in the child process that decodes, which knows neither TensorFlow nor matplotlib.
"""

import dataclasses
from typing import Any, Self

import numpy as np

MIN_WIDTH, MAX_WIDTH, MAX_PICTURE_HEIGHT = 640, 1280, 720
# The map hides little where it says little: its opacity grows with its value up to this.
STRONGEST_OPACITY = 0.75
CURSOR_RGB = (255, 255, 255)
CURSOR_EDGE_RGB = (0, 0, 0)
BESIDE_RGB = (24, 24, 27)


@dataclasses.dataclass(frozen=True)
class CanvasSize:
    """Sizes in pixels, all even: H.264 with 4:2:0 colours knows no others.

    Attributes:
        width: of the whole.
        picture_width: at most `width`; the picture stands in the middle.
        picture_height: the panel begins below it.
    """

    width: int
    picture_width: int
    picture_height: int

    @classmethod
    def of_picture(cls, width: float, height: float) -> Self:
        """Sizes for a picture that is shown at width x height: scaled so that the panel can be read.

        Small pictures grow to 640 pixels of width, large ones shrink to 1280 x 720.
        """
        scale = min(min(max(width, MIN_WIDTH), MAX_WIDTH) / width, MAX_PICTURE_HEIGHT / height)
        picture_width, picture_height = _even(width * scale), _even(height * scale)
        return cls(max(picture_width, MIN_WIDTH), picture_width, picture_height)


@dataclasses.dataclass(frozen=True)
class Page:
    """What is shown below, and over, the picture for a part of the video.

    Attributes:
        start_seconds: media time at the left end of the panel's time axis.
        end_seconds: at its right end.
        is_last: whether no page follows: what the video has beyond the end is shown on this one.
        panel: uint8 [height, width, 3], RGB.
        cursor_box: left and right end of the time axis, top and bottom of the cursor, pixels of the panel.
        segment_starts: float64 [segments], media times; those of the page that have a map, ascending.
        segment_seconds: length of a segment.
        evidence: uint8 [segments, picture_height, picture_width], 255 for the largest of the whole video.
        colours: uint8 [256, 3], RGB of the evidence.
    """

    start_seconds: float
    end_seconds: float
    is_last: bool
    panel: np.ndarray
    cursor_box: tuple[float, float, int, int]
    segment_starts: np.ndarray
    segment_seconds: float
    evidence: np.ndarray
    colours: np.ndarray

    def holds(self, seconds: float) -> bool:
        """Whether this page, come to in order of time, is to be shown at a media time."""
        return self.is_last or seconds < self.end_seconds - 1e-6

    def segment_at(self, seconds: float) -> int | None:
        """Number of the segment that holds a media time; None where there is none with a map."""
        number = int(np.searchsorted(self.segment_starts, seconds + 1e-6, side="right")) - 1
        if number < 0 or seconds + 1e-6 >= self.segment_starts[number] + self.segment_seconds:
            return None
        return number

    def cursor_column(self, seconds: float) -> int:
        """The pixel column of a media time; beyond the axis its end."""
        left, right, _, _ = self.cursor_box
        share = (seconds - self.start_seconds) / (self.end_seconds - self.start_seconds)
        return round(left + min(max(share, 0.0), 1.0) * (right - left))

    def to_fields(self) -> tuple[dict[str, Any], bytes]:
        """As JSON values and raw bytes, for a pipe."""
        fields = {
            "start_seconds": self.start_seconds,
            "end_seconds": self.end_seconds,
            "is_last": self.is_last,
            "panel": self.panel.shape,
            "cursor_box": self.cursor_box,
            "segment_starts": self.segment_starts.tolist(),
            "segment_seconds": self.segment_seconds,
            "evidence": self.evidence.shape,
        }
        return fields, self.panel.tobytes() + self.evidence.tobytes() + self.colours.tobytes()

    @classmethod
    def from_fields(cls, fields: dict[str, Any], raw: bytes) -> Self:
        """The inverse of `to_fields`."""
        sizes = [int(np.prod(shape)) for shape in (fields["panel"], fields["evidence"])]
        parts = np.split(np.frombuffer(raw, np.uint8), np.cumsum(sizes))
        return cls(
            fields["start_seconds"],
            fields["end_seconds"],
            fields["is_last"],
            parts[0].reshape(fields["panel"]),
            tuple(fields["cursor_box"]),
            np.array(fields["segment_starts"]),
            fields["segment_seconds"],
            parts[1].reshape(fields["evidence"]),
            parts[2].reshape(256, 3),
        )


class Canvas:
    """Draws frame after frame; what stays the same from frame to frame is kept."""

    def __init__(self, size: CanvasSize) -> None:
        self._size = size
        self._page: Page | None = None
        self._segment: int | None = None
        self._kept = self._added = np.zeros(0, np.uint16)

    def draw(self, picture: np.ndarray, page: Page, seconds: float) -> np.ndarray:
        """The picture with the map of its moment, and the page's panel with the cursor at the moment.

        Args:
            picture: uint8 [picture_height, picture_width, 3], RGB.
            page: that of the moment.
            seconds: media time.

        Returns:
            uint8 [picture_height + panel height, width, 3], RGB.
        """
        size = self._size
        canvas = np.empty((size.picture_height + len(page.panel), size.width, 3), np.uint8)
        left = (size.width - size.picture_width) // 2
        canvas[: size.picture_height, :left] = BESIDE_RGB
        canvas[: size.picture_height, left + size.picture_width :] = BESIDE_RGB
        canvas[: size.picture_height, left : left + size.picture_width] = self._with_map(picture, page, seconds)
        panel = canvas[size.picture_height :]
        panel[:] = page.panel
        column, (_, _, top, bottom) = page.cursor_column(seconds), page.cursor_box
        panel[top:bottom, max(0, column - 1) : column + 2] = CURSOR_EDGE_RGB
        panel[top:bottom, column] = CURSOR_RGB
        return canvas

    def _with_map(self, picture: np.ndarray, page: Page, seconds: float) -> np.ndarray:
        segment = page.segment_at(seconds)
        if segment is None:
            return picture
        if page is not self._page or segment != self._segment:
            self._page, self._segment = page, segment
            evidence = page.evidence[segment]
            opacity = np.round(STRONGEST_OPACITY * evidence.astype(np.float32))[..., np.newaxis]
            self._kept = (255 - opacity).astype(np.uint16)
            self._added = (opacity * page.colours[evidence]).astype(np.uint16) + 127
        return ((picture * self._kept + self._added) // 255).astype(np.uint8)


def _even(length: float) -> int:
    return max(2, 2 * round(length / 2))
