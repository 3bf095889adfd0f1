"""A picture of one video's predictions: label probabilities over time, frames of the video above them."""

import dataclasses
import io
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from matplotlib.ticker import FuncFormatter
from PIL import Image

from avinst import paths
from avinst.counting import counted
from avinst.errors import UserError
from avinst.figure_png import figure_png
from avinst.media.types import Segment
from beam_pipelines.prediction import Prediction

_SHOWN = 10
_KEPT = 8 * _SHOWN  # so that some lie close to where one is wanted
_THUMBNAIL = 86  # pixels; ten of them fill the width
_DPI = 110
_LINES = 6
# Of Okabe and Ito's palette, told apart with every kind of colour vision.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


@dataclasses.dataclass
class Thumbnails:
    """Keeps frames at even distances of a video whose length is not known before its end.

    Attributes:
        seconds: where each frame's segment begins.
        jpegs: the frames.
    """

    seconds: list[float] = dataclasses.field(default_factory=list, init=False)
    jpegs: list[bytes] = dataclasses.field(default_factory=list, init=False)
    _every: int = dataclasses.field(default=1, init=False, repr=False)
    _seen: int = dataclasses.field(default=0, init=False, repr=False)

    def add(self, segments: Sequence[Segment]) -> None:
        """Shows it the next segments; every second frame is let go where there are far more than are shown."""
        for segment in segments:
            if self._seen % self._every == 0:
                self.seconds.append(segment.start_seconds)
                self.jpegs.append(segment.jpeg)
                if len(self.jpegs) > _KEPT:
                    self.seconds, self.jpegs = self.seconds[::2], self.jpegs[::2]
                    self._every *= 2
            self._seen += 1

    def chosen(self) -> list[tuple[float, bytes]]:
        """At most `_SHOWN` of them, at even distances: the middle one of each of as many equal parts."""
        count = len(self.jpegs)
        shown = min(count, _SHOWN)
        positions = ((np.arange(shown) + 0.5) * count / shown).astype(int)
        return [(self.seconds[position], self.jpegs[position]) for position in positions]


def write_figure(prediction: Prediction, thumbnails: Thumbnails, output: str) -> None:
    """Writes the PNG: the most probable labels of the recording as steps, a segment each.

    Raises:
        UserError: it cannot be written there.
    """
    try:
        paths.write_bytes(output, figure_png(probabilities_figure(prediction, thumbnails), _DPI))
    except OSError as error:
        raise UserError(f"cannot write {output!r}: {error.strerror}; give another file") from error


def probabilities_figure(prediction: Prediction, thumbnails: Thumbnails) -> Figure:
    """The most probable labels of a recording over time as steps, a segment each, with frames above them.

    Args:
        prediction: as `beam_pipelines.predict_video` gives it.
        thumbnails: the ones that were given to `predict_video`; empty ones: no frames are shown.
    """
    figure = Figure(figsize=(11, 5), layout="constrained")
    seconds = prediction.segment_seconds
    frames, axis = figure.subplots(2, 1, sharex=True, height_ratios=[1, 2.8])
    for start, jpeg in thumbnails.chosen():
        picture = np.asarray(Image.open(io.BytesIO(jpeg)).resize((_THUMBNAIL, _THUMBNAIL)))
        place = (start + seconds / 2, 0.5)
        frames.add_artist(AnnotationBbox(OffsetImage(picture, zoom=72 / _DPI), place, frameon=False))
    frames.set_axis_off()
    starts = prediction.start_seconds
    for rank, (label, probability) in enumerate(prediction.ranked()[:_LINES]):
        values = prediction.segment_probabilities[:, prediction.labels.index(label)]
        # Gaps stay gaps: each segment is its own piece, one that could not be used has none.
        times = np.column_stack([starts, starts + seconds, np.full(len(starts), np.nan)]).ravel()
        levels = np.column_stack([values, values, np.full(len(starts), np.nan)]).ravel()
        axis.plot(times, levels, color=_COLOURS[rank], linewidth=2.5, label=f"{label} {probability:.2f}")
        axis.plot(starts + seconds / 2, values, color=_COLOURS[rank], linewidth=0.8, alpha=0.5)
    axis.set_ylim(-0.02, 1.02)
    axis.set_xlim(starts[0], starts[-1] + seconds)
    axis.set_ylabel("probability of a segment")
    axis.set_xlabel("time in the video")
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _clock(value)))
    axis.grid(axis="y", alpha=0.3)
    hidden = len(prediction.labels) - _LINES
    title = "whole recording" + (f"\n({hidden} labels below\nare not shown)" if hidden > 0 else "")
    axis.legend(
        title=title, loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=9, frameon=False, alignment="left"
    )
    name = prediction.video_path.rpartition("/")[2]
    lost = len(prediction.losses)
    note = f"; {counted(lost, 'part')} not used" if lost else ""
    figure.suptitle(f"{name}: {counted(len(starts), 'segment')}{note}", fontsize=11)
    return figure


def _clock(seconds: float) -> str:
    """Minutes and seconds; below a minute seconds with what is behind the point, if there is anything."""
    if abs(seconds) < 60:
        return f"{seconds:.2f}".rstrip("0").rstrip(".") + " s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"
