"""The sound that a map keeps: evidence in the spectrogram made audible.

The sound's STFT is multiplied by the map, bin by bin, keeps its own phase, and is inverted by overlap-add (Griffin
and Lim, "Signal estimation from modified short-time Fourier transform", 1984, weighted as there: the least squares
estimate). A map of ones gives the sound back, a map of zeros silence.
"""

import wave
from collections.abc import Iterator

import numpy as np

from analysis.maps.gradcam_figures import mel_band_position
from analysis.maps.receptive_field import cell_weights
from avinst.spec import DatasetSpec

_GROUP = 16  # segments at once


def evidence_sound(
    waveform: np.ndarray,
    maps: np.ndarray,
    centres: tuple[np.ndarray, np.ndarray],
    rows: np.ndarray,
    spec: DatasetSpec,
) -> Iterator[np.ndarray]:
    """Masks a sound by its segments' maps.

    Between the centres of a map's cells the gain is interpolated, on the mel axis and in time; bins below the
    lowest and above the highest mel band take the gain of the nearest one.

    Args:
        waveform: float32 [rows, segment_samples] in [-1, 1].
        maps: float32 [rows, map's rows, map's columns] in [0, 1], the gain.
        centres: where they look, in frames and mel bands of the log-mel (`cell_centres`).
        rows: int [segments]: the row of each segment of the sound, -1 where there is none: silence.
        spec: rates and sizes.

    Yields:
        float32 [samples], one after the other; segments x segment_samples in all.
    """
    for first in range(0, len(rows), _GROUP):
        yield _masked(waveform, maps, centres, rows, first, min(first + _GROUP, len(rows)), spec)


def write_wav(path: str, blocks: Iterator[np.ndarray], rate_hz: int, samples: int) -> None:
    """Writes mono sound as 16-bit WAV, cut or filled with silence to a length.

    Args:
        path: a local file.
        blocks: float32 [samples] each, in [-1, 1].
        rate_hz: samples a second.
        samples: length of the file.
    """
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        left = samples
        for block in blocks:
            file.writeframes(np.round(32767 * np.clip(block[:left], -1, 1)).astype("<i2").tobytes())
            left -= len(block[:left])
        while left:
            silent = min(left, rate_hz)
            file.writeframes(bytes(2 * silent))
            left -= silent


def _masked(
    waveform: np.ndarray,
    maps: np.ndarray,
    centres: tuple[np.ndarray, np.ndarray],
    rows: np.ndarray,
    first: int,
    last: int,
    spec: DatasetSpec,
) -> np.ndarray:
    """Segments first to last - 1. Windows that reach beyond them are computed for both neighbours."""
    length, window, samples = spec.segment_samples, spec.window_samples, (last - first) * spec.segment_samples
    hop = max(1, window // 4)
    # A window is no longer than a segment, so one more on each side holds all that reaches in.
    around = [rows[number] if 0 <= number < len(rows) else -1 for number in range(first - 1, last + 1)]
    line = np.concatenate([np.zeros(length, np.float32) if row < 0 else waveform[row] for row in around])
    origin = first * length  # sample at which the group begins; the line begins a segment before
    # Windows lie on one grid for the whole sound, whatever the groups.
    begins = np.arange((origin - window) // hop + 1, -(-(origin + samples) // hop)) * hop
    places = begins[:, np.newaxis] + np.arange(window) - origin
    taper = np.hanning(window + 1)[:-1]  # periodic
    spectrum = np.fft.rfft(line[places + length] * taper, axis=1)
    pieces = np.fft.irfft(spectrum * _gains(maps, centres, rows, begins, spec), window, axis=1) * taper
    out, weight = np.zeros(samples + 2 * window), np.zeros(samples + 2 * window)
    np.add.at(out, places + window, pieces)
    np.add.at(weight, places + window, np.broadcast_to(taper**2, pieces.shape))
    inside = slice(window, window + samples)
    return (out[inside] / weight[inside]).astype(np.float32)


def _gains(
    maps: np.ndarray,
    centres: tuple[np.ndarray, np.ndarray],
    rows: np.ndarray,
    begins: np.ndarray,
    spec: DatasetSpec,
) -> np.ndarray:
    """float [windows, bins] for windows that begin at these samples: each takes the map of its middle."""
    middle = begins + spec.window_samples // 2
    segment = np.clip(middle // spec.segment_samples, 0, len(rows) - 1)
    # The log-mel's frame k begins k hops into its segment.
    frame = (begins - segment * spec.segment_samples) / spec.hop_samples
    bins_hz = np.fft.rfftfreq(spec.window_samples, 1 / spec.sample_rate_hz)
    across = cell_weights(centres[1], mel_band_position(bins_hz, spec))
    own = maps[np.maximum(rows[segment], 0)] * (rows[segment] >= 0)[:, np.newaxis, np.newaxis]
    return np.einsum("wr,wrc->wc", cell_weights(centres[0], frame), own) @ across.T
