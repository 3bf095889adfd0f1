"""Figures of what the maps of a label have in common: mean maps, and the mel bands that matter."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import COLOURS, MUTED, clear_spines, new_figure
from analysis.maps.gradcam_figures import set_hertz_ticks, spectrogram_extent
from analysis.maps.mean_maps import MeanMaps
from avinst.counting import counted
from avinst.spec import DatasetSpec

_MAP_COLOURS = "inferno"


def mean_map_figure(means: MeanMaps, spec: DatasetSpec) -> Figure:
    """The mean spectrogram map with the share of each band beside it, and the mean frame map, as far as there are.

    1 is what a map that is the same everywhere has.
    """
    widths = [width for modality, width in (("audio", 5.2), ("visual", 3.2)) if modality in means.maps]
    figure = new_figure(sum(widths) + 0.6, 3.3)
    parts = iter(figure.subfigures(1, len(widths), width_ratios=widths, squeeze=False)[0])
    if "audio" in means.maps and means.bands is not None:
        image_axes, band_axes = next(parts).subplots(1, 2, sharey=True, width_ratios=[3, 1.4])
        _show(image_axes, means.maps["audio"].T, spectrogram_extent(spec, 0.0))
        set_hertz_ticks(image_axes, spec)
        image_axes.set_xlabel("seconds of the segment")
        image_axes.set_title(f"spectrogram, {counted(means.recordings['audio'], 'recording')}", fontsize=9)
        _draw_bands(band_axes, means.bands)
    if "visual" in means.maps:
        axes = next(parts).subplots()
        _show(axes, means.maps["visual"], None)
        axes.set_xlabel("pixels")
        axes.set_title(f"frame, {counted(means.recordings['visual'], 'recording')}", fontsize=9)
    return figure


def bands_figure(found: Sequence[MeanMaps], spec: DatasetSpec) -> Figure:
    """Which mel bands matter for which label: share of the audio evidence, 1 for a map that is even.

    Args:
        found: at least one of them with bands.
        spec: gives the axis.
    """
    shown = [(means.label, means.bands[0]) for means in found if means.bands is not None]
    values = np.stack([bands * len(bands) for _, bands in shown], axis=1)
    figure = new_figure(min(2.2 + 0.75 * len(shown), 11), 4.0)
    axes = figure.subplots()
    image = axes.imshow(values, origin="lower", aspect="auto", cmap=_MAP_COLOURS, vmin=0)
    set_hertz_ticks(axes, spec)
    axes.set_xticks(range(len(shown)), [label for label, _ in shown], rotation=35, ha="right", fontsize=8)
    bar = figure.colorbar(image, ax=axes)
    bar.set_label("evidence, 1: the same in all bands", fontsize=8)
    return figure


def _show(axes: Axes, shares: np.ndarray, extent: tuple[float, float, float, float] | None) -> None:
    image = axes.imshow(
        shares * shares.size,
        cmap=_MAP_COLOURS,
        vmin=0,
        extent=extent,
        origin="upper" if extent is None else "lower",
        aspect="equal" if extent is None else "auto",
    )
    axes.tick_params(labelsize=8)
    bar = axes.figure.colorbar(image, ax=axes, shrink=0.85)
    bar.set_label("evidence, 1: even", fontsize=8)
    bar.ax.tick_params(labelsize=7)


def _draw_bands(axes: Axes, bands: np.ndarray) -> None:
    position, count = np.arange(bands.shape[1]), bands.shape[1]
    value, low, high = bands * count
    axes.fill_betweenx(position, low, high, color=COLOURS["audio"], alpha=0.25, linewidth=0)
    axes.plot(value, position, color=COLOURS["audio"])
    axes.axvline(1, color=MUTED, linewidth=0.8, linestyle=":")
    axes.set_xlim(left=0)
    axes.set_xlabel("in each band\n(95 % interval)", fontsize=8)
    axes.tick_params(labelsize=8)
    clear_spines(axes)
