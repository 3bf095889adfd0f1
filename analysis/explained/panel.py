"""The panel below an explained video: spectrogram with its map, strength of evidence, probabilities over time."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from analysis.explained.canvas import BESIDE_RGB, STRONGEST_OPACITY
from analysis.explained.explanation import Explanation
from analysis.maps.gradcam_figures import mel_band_position, spectrogram_extent
from analysis.maps.receptive_field import spread_over_input
from avinst.figure_png import name_fallback_fonts

_SHOWN_LABELS = 5
MAP_COLOURS = "inferno"
_TICKS_HZ = {100: "100", 500: "500", 1000: "1k", 2000: "2k", 4000: "4k", 8000: "8k", 16000: "16k"}
_BACKGROUND = tuple(channel / 255 for channel in BESIDE_RGB)
_TEXT, _MUTED, _MISSING = "#f4f4f5", "#a1a1aa", "#3f3f46"
# Of Okabe and Ito's palette, those that stand out on dark ground; the first is the explained label's.
_LINES = ("#E69F00", "#56B4E9", "#CC79A7", "#009E73", "#F0E442")
_MODALITY_WORDS = {"audio": "sound", "visual": "picture"}
# All in inches: the panel's height, the time axis' margins, and bottom and height of the three fields.
_HEIGHT, _LEFT, _RIGHT = 3.3, 0.66, 1.32
_SPECTROGRAM, _STRENGTH, _PROBABILITIES = (1.62, 1.3), (1.3, 0.24), (0.4, 0.8)
_HEADER_BASE = 3.1


def draw_panel(
    explanation: Explanation, first: int, last: int, width: int
) -> tuple[np.ndarray, tuple[float, float, int, int]]:
    """Draws the panel of the segments first to last - 1.

    Each map stands over its own segment, as it was computed: nothing is blended between segments.

    Args:
        explanation: what to show.
        first: number of the first segment.
        last: number after the last.
        width: of the panel, pixels, even.

    Returns:
        uint8 [height, width, 3], and the page's `cursor_box`.
    """
    dpi = 100 * min(max(width / 640, 1.0), 1.5)
    height = 2 * round(_HEIGHT * dpi / 2)
    # A thousandth of a pixel more: the canvas cuts off what a division leaves.
    figure = Figure(figsize=((width + 1e-3) / dpi, (height + 1e-3) / dpi), dpi=dpi, facecolor=_BACKGROUND)
    inches = width / dpi

    def field(bottom: float, tall: float) -> Axes:
        box = (_LEFT / inches, bottom / _HEIGHT, (inches - _LEFT - _RIGHT) / inches, tall / _HEIGHT)
        axes = figure.add_axes(box, facecolor=_MISSING)
        axes.tick_params(labelsize=8, colors=_MUTED, length=2, pad=2)
        axes.spines[:].set_visible(False)
        axes.set_xlim(explanation.seconds(first), explanation.seconds(last))
        return axes

    spectrogram, strength, probabilities = field(*_SPECTROGRAM), field(*_STRENGTH), field(*_PROBABILITIES)
    _draw_header(figure, explanation, inches)
    _draw_spectrogram(spectrogram, explanation, first, last)
    _draw_strength(strength, explanation, first, last)
    _draw_probabilities(probabilities, explanation, first, last)
    for axes in (spectrogram, strength):
        axes.tick_params(bottom=False, labelbottom=False)
    probabilities.set_xlabel("seconds", fontsize=8, color=_MUTED, labelpad=1)
    name_fallback_fonts(figure)
    for text in figure.findobj(Text):
        text.set_parse_math(False)  # what stands between dollar signs is a label's name, no formula
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    panel = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    top = height - round(sum(_SPECTROGRAM) * dpi)
    bottom = height - round(_PROBABILITIES[0] * dpi)
    return panel, (_LEFT * dpi, width - _RIGHT * dpi, top, bottom)


def _draw_header(figure: Figure, explanation: Explanation, inches: float) -> None:
    base = _HEADER_BASE / _HEIGHT
    title = f"evidence for {_shortened(explanation.label, 24)}"
    figure.text(_LEFT / inches, base, title, color=_TEXT, fontsize=10, weight="bold", va="center")
    bar = figure.add_axes(((inches - 2.75) / inches, base - 0.015, 0.7 / inches, 0.03))
    bar.imshow(np.linspace(0, 1, 64)[np.newaxis], cmap=MAP_COLOURS, aspect="auto")
    bar.axis("off")
    words: dict[str, Any] = {"va": "center", "color": _MUTED, "fontsize": 8}
    figure.text((inches - 2.8) / inches, base, "none", ha="right", **words)
    figure.text((inches - 2.0) / inches, base, "strongest of this video", ha="left", **words)


def _draw_spectrogram(axes: Axes, explanation: Explanation, first: int, last: int) -> None:
    spec, shown = explanation.spec, explanation.rows[first:last]
    axes.set_facecolor(_BACKGROUND)
    axes.set_ylim(-0.5, spec.mel_bands - 0.5)
    ticks = [hz for hz in _TICKS_HZ if spec.mel_low_hz <= hz <= spec.mel_high_hz]
    axes.set_yticks(mel_band_position(np.array(ticks), spec), [_TICKS_HZ[hz] for hz in ticks])
    axes.set_ylabel("Hz (mel)", fontsize=8, color=_MUTED, labelpad=1)
    maps = explanation.maps.get("audio")
    colours = "magma" if maps is None else "gray"
    quiet, loud = _loudness_range(explanation)
    for number, row in enumerate(shown, first):
        begin, end = explanation.seconds(number), explanation.seconds(number + 1)
        if row < 0:
            axes.axvspan(begin, end, color=_MISSING, linewidth=0)
            axes.text(
                (begin + end) / 2,
                spec.mel_bands / 2,
                "not used",
                rotation=90,
                color=_MUTED,
                fontsize=7,
                ha="center",
            )
            continue
        # A column stands at the middle of its window: no window has its middle at the seam of two segments.
        extent = spectrogram_extent(spec, begin)
        place: dict[str, Any] = {"extent": extent, "origin": "lower", "aspect": "auto"}
        log_mel = explanation.log_mel[row].astype(np.float32).T
        axes.imshow(log_mel, cmap=colours, vmin=quiet, vmax=loud, **place)
        if maps is not None:
            size = (spec.log_mel_frames, spec.mel_bands)
            evidence = spread_over_input(maps[row : row + 1], explanation.centres["audio"], size)[0].T
            opacity = STRONGEST_OPACITY * evidence
            axes.imshow(evidence, cmap=MAP_COLOURS, vmin=0, vmax=1, alpha=opacity, **place)
    axes.set_xlim(explanation.seconds(first), explanation.seconds(last))
    axes.set_ylim(-0.5, spec.mel_bands - 0.5)


def _draw_strength(axes: Axes, explanation: Explanation, first: int, last: int) -> None:
    """A lane for each modality: the largest value of each segment's map, so that seconds compare at a glance."""
    shown = explanation.rows[first:last]
    lanes = list(explanation.maps)
    for lane, modality in enumerate(lanes):
        largest = explanation.maps[modality].max(axis=(1, 2))
        for number, row in enumerate(shown, first):
            if row < 0:
                continue
            extent = (explanation.seconds(number), explanation.seconds(number + 1), lane + 0.08, lane + 0.92)
            axes.imshow([[largest[row]]], cmap=MAP_COLOURS, vmin=0, vmax=1, extent=extent, aspect="auto")
            if largest[row] <= 0:
                middle = (extent[0] + extent[1]) / 2
                axes.text(middle, lane + 0.46, "none", color=_MUTED, fontsize=6, ha="center", va="center")
    axes.set_xlim(explanation.seconds(first), explanation.seconds(last))
    axes.set_ylim(len(lanes), 0)
    axes.set_yticks(np.arange(len(lanes)) + 0.5, [_MODALITY_WORDS[modality] for modality in lanes])
    axes.tick_params(labelsize=7)
    axes.set_facecolor(_BACKGROUND)


def _draw_probabilities(axes: Axes, explanation: Explanation, first: int, last: int) -> None:
    """The explained label's and the most probable others', a step a segment; names and means at the right."""
    shown = explanation.rows[first:last]
    means = explanation.recording_probabilities
    order = [explanation.label_index, *np.argsort(-means, kind="stable")]
    chosen = list(dict.fromkeys(int(index) for index in order))[:_SHOWN_LABELS]
    edges = [explanation.seconds(number) for number in range(first, last + 1)]
    axes.set_facecolor("#27272a")
    axes.set_ylim(-0.04, 1.04)
    axes.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.grid(axis="y", color=_MISSING, linewidth=0.5)
    for place, (index, colour) in reversed(list(enumerate(zip(chosen, _LINES, strict=False)))):
        values = np.where(shown >= 0, explanation.probabilities[shown, index], np.nan)
        axes.stairs(values, edges, baseline=None, color=colour, linewidth=2.4 if place == 0 else 1.3)
        name = f"{_shortened(explanation.labels[index], 14)} {means[index]:.2f}"
        axes.text(
            1.03,
            0.94 - 0.23 * place,
            name,
            transform=axes.transAxes,
            color=colour,
            fontsize=8.5,
            va="center",
            weight="bold" if place == 0 else "normal",
        )
    axes.text(1.03, 1.17, "over all", transform=axes.transAxes, color=_MUTED, fontsize=7, va="center")


def _loudness_range(explanation: Explanation) -> tuple[float, float]:
    """dB between which the spectrogram's colours run; one range for the whole video, from 100 of its segments."""
    step = max(1, len(explanation.log_mel) // 100)
    sample = explanation.log_mel[::step].astype(np.float32)
    loud = float(sample.max())
    return min(float(np.percentile(sample, 5)), loud - 20.0), loud


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
