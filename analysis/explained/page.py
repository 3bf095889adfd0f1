"""The pages of an explained video: what lies over and below the picture while the cursor crosses some seconds.

A page stands still and is drawn once; long videos turn pages.
"""

import dataclasses
import math

import matplotlib
import numpy as np

from analysis.explained.canvas import CanvasSize, Page
from analysis.explained.explanation import Explanation
from analysis.explained.overlay import over_picture
from analysis.explained.panel import MAP_COLOURS, draw_panel

_PAGE_SEGMENTS = 16
_SINGLE_PAGE_SEGMENTS = 24  # so many need no second page


@dataclasses.dataclass(frozen=True)
class Pages:
    """The pages of a video, drawn when they are asked for.

    Attributes:
        explanation: what they show.
    """

    explanation: Explanation

    @property
    def segments_a_page(self) -> int:
        """All pages but the last are of one length."""
        count = len(self.explanation.rows)
        pages = 1 if count <= _SINGLE_PAGE_SEGMENTS else math.ceil(count / _PAGE_SEGMENTS)
        return math.ceil(count / pages)

    def at(self, seconds: float, size: CanvasSize) -> Page:
        """Draws the page of a media time; beyond the last segment the last one."""
        explanation, spec = self.explanation, self.explanation.spec
        count, length = len(explanation.rows), self.segments_a_page
        segment = int((seconds - explanation.start_seconds) / spec.segment_seconds + 1e-6)
        first = min(max(segment, 0), count - 1) // length * length
        last = min(first + length, count)
        panel, cursor_box = draw_panel(explanation, first, last, size.width)
        usable = np.flatnonzero(explanation.rows[first:last] >= 0) + first
        evidence = np.zeros((0, size.picture_height, size.picture_width), np.float32)
        if "visual" in explanation.maps:
            maps = explanation.maps["visual"][explanation.rows[usable]]
            centres = explanation.centres["visual"]
            evidence = over_picture(maps, centres, spec, size.picture_width, size.picture_height)
        return Page(
            start_seconds=explanation.seconds(first),
            end_seconds=explanation.seconds(last),
            is_last=last == count,
            panel=panel,
            cursor_box=cursor_box,
            segment_starts=np.array([explanation.seconds(number) for number in usable[: len(evidence)]]),
            segment_seconds=spec.segment_seconds,
            evidence=np.round(255 * evidence).astype(np.uint8),
            colours=(255 * matplotlib.colormaps[MAP_COLOURS](np.arange(256))[:, :3]).round().astype(np.uint8),
        )
