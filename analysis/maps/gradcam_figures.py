"""Figures of Grad-CAM: the map over the frame in pixels, and over the spectrogram in hertz and seconds."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from analysis.figures import new_figure
from avinst.spec import DatasetSpec

_TICKS_HZ = (100, 500, 1000, 2000, 4000, 8000, 16000)
_MAP_COLOURS = "inferno"
# The map hides little where it says little: its opacity grows with its value up to this.
_STRONGEST_OPACITY = 0.75
# Two stand side by side in the report, at about this size.
_SIZE_INCHES = (5.8, 3.0)


def frame_figure(frame: np.ndarray, evidence: np.ndarray, title: str) -> Figure:
    """The frame, and beside it the frame with its map.

    Args:
        frame: uint8 [size, size, 3], RGB.
        evidence: float32 [size, size] in [0, 1]; zero everywhere for a dead map.
        title: above the figure.
    """
    figure = new_figure(*_SIZE_INCHES)
    plain, explained = figure.subplots(1, 2, sharey=True)
    plain.imshow(frame)
    explained.imshow(frame)
    image = _overlay(explained, evidence, extent=None)
    plain.set_ylabel("pixels")
    for axes in (plain, explained):
        axes.set_xlabel("pixels")
        axes.tick_params(labelsize=8)
    _finish(figure, explained, image, evidence, title)
    return figure


def spectrogram_figure(
    log_mel: np.ndarray, evidence: np.ndarray, spec: DatasetSpec, start_seconds: float, title: str
) -> Figure:
    """The log-mel spectrogram, and beside it the spectrogram with its map; frequency on the mel scale.

    Args:
        log_mel: float32 [log_mel_frames, mel_bands], dB.
        evidence: float32 [log_mel_frames, mel_bands] in [0, 1]; zero everywhere for a dead map.
        spec: gives the axes.
        start_seconds: where the segment begins in its recording.
        title: above the figure.
    """
    figure = new_figure(*_SIZE_INCHES)
    plain, explained = figure.subplots(1, 2, sharey=True)
    extent = spectrogram_extent(spec, start_seconds)
    decibels = plain.imshow(log_mel.T, origin="lower", aspect="auto", cmap="magma", extent=extent)
    explained.imshow(log_mel.T, origin="lower", aspect="auto", cmap="gray", extent=extent)
    image = _overlay(explained, evidence.T, extent=extent)
    set_hertz_ticks(plain, spec)
    for axes in (plain, explained):
        axes.set_xlabel("seconds")
        axes.tick_params(labelsize=8)
    bar = figure.colorbar(decibels, ax=plain, shrink=0.8)
    bar.set_label("dB", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    _finish(figure, explained, image, evidence, title)
    return figure


def spectrogram_extent(spec: DatasetSpec, start_seconds: float) -> tuple[float, float, float, float]:
    """Left and right edge in seconds, lower and upper edge in mel bands, for imshow.

    A column lies at the middle of its window, a row at the peak of its band; edges are half a step further out.
    """
    hop = spec.hop_samples / spec.sample_rate_hz
    first = start_seconds + spec.window_samples / 2 / spec.sample_rate_hz
    return first - hop / 2, first + (spec.log_mel_frames - 0.5) * hop, -0.5, spec.mel_bands - 0.5


def mel_band_position(frequency_hz: np.ndarray, spec: DatasetSpec) -> np.ndarray:
    """Where a frequency lies on the axis of mel bands: 0 at the peak of the lowest band, 1 at that of the next."""
    low, high = _mel(np.array([spec.mel_low_hz, spec.mel_high_hz]))
    return (_mel(frequency_hz) - low) / (high - low) * (spec.mel_bands + 1) - 1.0


def mel_band_hz(spec: DatasetSpec) -> np.ndarray:
    """float64 [mel_bands]: where each band's filter peaks, in hertz; the inverse of `mel_band_position`."""
    low, high = _mel(np.array([spec.mel_low_hz, spec.mel_high_hz]))
    mels = low + (np.arange(spec.mel_bands) + 1) / (spec.mel_bands + 1) * (high - low)
    return 700.0 * (10.0 ** (mels / 2595.0) - 1.0)


def set_hertz_ticks(axes: Axes, spec: DatasetSpec) -> None:
    """Labels an axis of mel bands, the vertical one, in hertz."""
    ticks = [hz for hz in _TICKS_HZ if spec.mel_low_hz <= hz <= spec.mel_high_hz]
    axes.set_yticks(mel_band_position(np.array(ticks), spec), [str(hz) for hz in ticks])
    axes.set_ylabel("Hz (mel scale)", labelpad=7)


def _mel(frequency_hz: np.ndarray) -> np.ndarray:
    return 2595.0 * np.log10(1.0 + np.asarray(frequency_hz, float) / 700.0)  # HTK, as avinst.log_mel has it


def _overlay(axes: Axes, evidence: np.ndarray, extent: tuple[float, float, float, float] | None) -> AxesImage:
    return axes.imshow(
        evidence,
        cmap=_MAP_COLOURS,
        vmin=0,
        vmax=1,
        alpha=_STRONGEST_OPACITY * evidence,
        extent=extent,
        origin="upper" if extent is None else "lower",
        aspect="equal" if extent is None else "auto",
    )


def _finish(figure: Figure, axes: Axes, image: AxesImage, evidence: np.ndarray, title: str) -> None:
    if not evidence.any():
        axes.text(
            0.5,
            0.5,
            "no evidence for the label",
            ha="center",
            transform=axes.transAxes,
            bbox={"facecolor": "white", "edgecolor": "none"},
        )
    bar = figure.colorbar(image, ax=axes, shrink=0.8)
    bar.set_label("evidence, of the largest", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    figure.suptitle(title, fontsize=9)
