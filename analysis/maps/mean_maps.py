"""What the maps of a label have in common: its mean map, and how much of the evidence lies in which mel band."""

import csv
import dataclasses
import io
from collections.abc import Mapping, Sequence

import numpy as np

from analysis.maps.gradcam_figures import mel_band_hz
from analysis.maps.receptive_field import spread_over_input
from analysis.maps.segment_maps import SegmentMaps
from avinst.spec import DatasetSpec
from trainer.evaluation.bootstrap import INTERVAL, resamples


@dataclasses.dataclass(frozen=True)
class MeanMaps:
    """The mean maps of one label.

    Attributes:
        label: whose.
        recordings: modality to number of recordings whose maps show evidence.
        maps: modality to float64 [height, width] of its input: shares of the evidence, which sum to 1.
        bands: float64 [3, mel bands]: share of the audio evidence in each band, with the lower and the upper end
            of its 95 % bootstrap interval over recordings; None without audio evidence.
    """

    label: str
    recordings: Mapping[str, int]
    maps: Mapping[str, np.ndarray]
    bands: np.ndarray | None


def mean_maps(found: SegmentMaps, spec: DatasetSpec, seed: int = 0) -> list[MeanMaps]:
    """The mean maps of each label that has any.

    Each map counts with shares of its own sum, each recording with the mean over its segments: neither a loud
    logit nor a long recording decides. Dead maps have no shares and are left out.

    Args:
        found: of all segments.
        spec: gives the sizes of the inputs.
        seed: of the bootstrap.
    """
    sizes = {"audio": (spec.log_mel_frames, spec.mel_bands), "visual": (spec.frame_size, spec.frame_size)}
    results = []
    for index, label in enumerate(found.label_names):
        counts, means, bands = {}, {}, None
        for modality in found.maps:
            shares = _recording_shares(found, modality, index)
            if not len(shares):
                continue
            counts[modality] = len(shares)
            drawn = spread_over_input(shares.mean(axis=0)[np.newaxis], found.centres[modality], sizes[modality])
            means[modality] = drawn[0].astype(np.float64) / drawn.sum()
            if modality == "audio":
                bands = _band_shares(shares, found.centres[modality], sizes[modality], seed)
        if counts:
            results.append(MeanMaps(label, counts, means, bands))
    return results


def bands_csv(found: Sequence[MeanMaps], spec: DatasetSpec) -> str:
    """CSV: label, mel_band, hz (where the band's filter peaks), share of the audio evidence, low, high."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["label", "mel_band", "hz", "share", "low", "high"])
    for means in found:
        if means.bands is not None:
            for band, (hz, values) in enumerate(zip(mel_band_hz(spec), means.bands.T, strict=True)):
                writer.writerow([means.label, band, f"{hz:.1f}", *(f"{value:.6f}" for value in values)])
    return buffer.getvalue()


def _recording_shares(found: SegmentMaps, modality: str, label_index: int) -> np.ndarray:
    """float64 [recordings, rows, columns]: the mean of each recording's maps, each divided by its sum."""
    maps = found.maps[modality].astype(np.float64)
    sums = maps.sum(axis=(1, 2))
    rows = np.flatnonzero((found.label_index == label_index) & (sums > 0))
    ids, recording = np.unique(found.video_id[rows], return_inverse=True)
    total = np.zeros((len(ids), *maps.shape[1:]))
    np.add.at(total, recording, maps[rows] / sums[rows, np.newaxis, np.newaxis])
    return total / np.bincount(recording, minlength=len(ids))[:, np.newaxis, np.newaxis]


def _band_shares(
    shares: np.ndarray, centres: tuple[np.ndarray, np.ndarray], size: tuple[int, int], seed: int
) -> np.ndarray:
    bands = np.stack([spread_over_input(one[np.newaxis], centres, size)[0].sum(axis=0) for one in shares])
    bands = bands.astype(np.float64) / bands.sum(axis=1, keepdims=True)
    draws = np.concatenate([weights @ bands / len(bands) for weights in resamples(len(bands), seed)])
    return np.stack([bands.mean(axis=0), *np.percentile(draws, INTERVAL, axis=0)])
