"""Figures of rank correlations: a label's matrix, and all labels beside what chance gives."""

from collections.abc import Mapping

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from analysis.correlations.correlation import FEW_RECORDINGS
from analysis.correlations.label_correlation import LabelCorrelation
from analysis.correlations.spearman import MeanAbsolute
from analysis.figures import CHANCE, COLOURS, MUTED, WARNING, clear_spines, new_figure
from avinst.counting import counted

_DEAD, _UNTESTED = "#9ca3af", "#d1d5db"


def matrix_figure(result: LabelCorrelation) -> Figure:
    """Spearman's rho of a label's most important features, audio before visual, parted by lines.

    Features of a modality that move together stand together. Dots mark the pairs across modalities that are
    related beyond chance after the FDR correction; dead features are grey, untested pairs light grey.

    Args:
        result: the label's correlations.
    """
    count, audio = len(result.names), result.audio_count
    figure = new_figure(7.4, 7.0)
    axes = figure.subplots()
    colours = colormaps["RdBu_r"].with_extremes(bad=_DEAD)
    image = axes.imshow(np.ma.masked_invalid(result.rho), cmap=colours, vmin=-1, vmax=1, interpolation="nearest")
    shown = np.ma.masked_where(result.tested, np.ones(result.rho.shape))
    axes.imshow(shown, cmap=ListedColormap([_UNTESTED]), interpolation="nearest")
    axes.set_xticks(range(count), result.names, rotation=90, fontsize=7, family="monospace")
    axes.set_yticks(range(count), result.names, fontsize=7, family="monospace")
    for ticks in (axes.get_xticklabels(), axes.get_yticklabels()):
        for position, tick in enumerate(ticks):
            tick.set_color(COLOURS["audio" if position < audio else "visual"])
    if 0 < audio < count:
        axes.axhline(audio - 0.5, color="black", linewidth=1.2)
        axes.axvline(audio - 0.5, color="black", linewidth=1.2)
        rows, columns = np.nonzero(result.significant)
        axes.plot(columns + audio, rows, ".", color="black", markersize=4)
        axes.plot(rows, columns + audio, ".", color="black", markersize=4)
    bar = figure.colorbar(image, ax=axes, shrink=0.7, pad=0.02)
    bar.set_label("Spearman's rho", fontsize=9)
    text = f"{result.label}: {counted(result.recordings, 'recording')}"
    if len(result.part_recordings) > 1:
        text += f", in halves of {' and '.join(map(str, result.part_recordings))}"
    axes.set_title(text, fontsize=12, loc="left")
    figure.supxlabel(_caption(result), fontsize=8, color=MUTED)
    if result.recordings_at_once < FEW_RECORDINGS:
        figure.suptitle(few_recordings_warning(result), fontsize=8.5, color=WARNING)
    return figure


def overview_figure(results: Mapping[str, LabelCorrelation]) -> Figure:
    """Mean |rho| within audio, within vision and across for each label, with 95 % intervals and chance's band.

    Args:
        results: label to its correlations, at least one.
    """
    figure = new_figure(7.4, 1.3 + 0.55 * len(results))
    axes = figure.subplots()
    for row, result in enumerate(results.values()):
        if result.null is not None and np.isfinite(result.null.mean_absolute).all():
            low, high = result.null.band
            axes.barh(row + 0.22, high - low, left=low, height=0.26, color=CHANCE, zorder=1)
        blocks = (
            ("audio", result.within_audio, -0.22),
            ("visual", result.within_visual, 0.0),
            ("across", result.across, 0.22),
        )
        for name, mean, offset in blocks:
            _point(axes, mean, row + offset, COLOURS[name])
    axes.set_yticks(range(len(results)), [f"{name} ({r.recordings})" for name, r in results.items()], fontsize=9)
    axes.set_ylim(len(results) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.set_xlabel("mean |Spearman's rho|, 95 % interval")
    for name, text in (("audio", "within audio"), ("visual", "within vision"), ("across", "across modalities")):
        axes.plot([], [], "o", color=COLOURS[name], label=text)
    axes.barh([0], [0], color=CHANCE, label="across, by chance (95 % band)")
    axes.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, fontsize=8, frameon=False, columnspacing=1.2
    )
    axes.grid(axis="x", color="#eeeeee", zorder=0)
    axes.set_axisbelow(True)
    clear_spines(axes)
    return figure


def few_recordings_warning(result: LabelCorrelation) -> str:
    """What to think of a matrix over few recordings, one sentence."""
    part = " in a half" if len(result.part_recordings) > 1 else ""
    text = f"Only {counted(result.recordings_at_once, 'recording')}{part}: large values arise by chance"
    if np.isfinite(result.detectable_rho):
        text += f"; a single pair would need |rho| > {result.detectable_rho:.2f} to be significant"
    return f"{text}."


def _caption(result: LabelCorrelation) -> str:
    parts = []
    if result.null is not None and np.isfinite(result.null.mean_absolute).all():
        low, high = result.null.band
        parts.append(
            f"mean |rho| across: {result.across.value:.2f} [{result.across.low:.2f}, {result.across.high:.2f}]"
            f"; by chance {low:.2f} to {high:.2f}"
        )
        count = int(result.significant.sum())
        found = f"dots: {counted(count, 'pair')}" if count else "no single pair"
        parts.append(f"{found} beyond chance (FDR {100 * result.fdr_level:g} %)")
    if result.dead:
        parts.append(f"grey: the same in all recordings ({', '.join(result.dead)})")
    if not result.tested.all():
        parts.append("light grey: chosen on different halves, not tested")
    return "\n".join(parts)


def _point(axes: Axes, mean: MeanAbsolute, y: float, colour: str) -> None:
    if np.isfinite(mean.value):
        axes.plot([mean.low, mean.high], [y, y], color=colour, linewidth=1.6, zorder=2)
        axes.plot(mean.value, y, "o", color=colour, markersize=5, zorder=3)
