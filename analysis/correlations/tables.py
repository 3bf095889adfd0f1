"""Rank correlations as files: a label's matrix as CSV, its figures as JSON."""

import csv
import dataclasses
import io
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from analysis.correlations.correlation import FEW_RECORDINGS
from analysis.correlations.label_correlation import LabelCorrelation
from analysis.correlations.overall import Overall
from analysis.correlations.spearman import MeanAbsolute


def matrix_csv(result: LabelCorrelation) -> str:
    """The matrix as CSV; header and first column are the features' names.

    The cells of dead features and of pairs that were not tested are empty.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["", *result.names])
    for name, row in zip(result.names, result.rho, strict=True):
        writer.writerow([name, *("" if math.isnan(value) else f"{value:.6f}" for value in row)])
    return buffer.getvalue()


def pairs_csv(results: Mapping[str, LabelCorrelation]) -> str:
    """CSV: label, audio, visual (features' names), rho, p, q, significant (0 or 1); the least p first in a label.

    The pairs across modalities that have a p-value; q is p after the correction over the label's pairs.

    Args:
        results: label to its correlations.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["label", "audio", "visual", "rho", "p", "q", "significant"])
    for label, result in results.items():
        if result.null is None:
            continue
        p_values, q_values = result.null.p_values, result.null.q_values
        alive = np.argwhere(np.isfinite(p_values))
        for audio, visual in alive[np.argsort(p_values[tuple(alive.T)], kind="stable")]:
            names = result.names[audio], result.names[result.audio_count + visual]
            values = (
                result.rho[audio, result.audio_count + visual],
                p_values[audio, visual],
                q_values[audio, visual],
            )
            found = int(result.significant[audio, visual])
            writer.writerow([label, *names, *(f"{value:.6g}" for value in values), found])
    return buffer.getvalue()


def label_summary(result: LabelCorrelation) -> dict[str, Any]:
    """What `correlations/summary.json` says about a label; null where something is not defined."""
    summary: dict[str, Any] = {
        "recordings": result.recordings,
        "part_recordings": list(result.part_recordings),
        "few_recordings": result.recordings_at_once < FEW_RECORDINGS,
        "audio_audio": _interval(result.within_audio),
        "visual_visual": _interval(result.within_visual),
        "audio_visual": _interval(result.across),
        "null": None,
        "significant_pairs": int(result.significant.sum()),
        "pairs": 0,
        "dead_features": list(result.dead),
        "features": list(result.names),
    }
    if result.null is not None and math.isfinite(result.across.value):
        summary["pairs"] = int(np.isfinite(result.null.p_values).sum())
        low, high = result.null.band
        summary["null"] = {
            "mean": _rounded(result.null.mean_absolute.mean()),
            "low": _rounded(low),
            "high": _rounded(high),
            "largest_rho": _rounded(result.null.maximum.mean()),
            "p_value": _rounded(result.block_p_value),
            "detectable_rho": _rounded(result.detectable_rho),
        }
    return summary


def overall_summary(result: Overall) -> dict[str, Any]:
    """What `correlations/summary.json` says about the mean over labels; null where something does not hold."""
    return {
        "labels": result.labels,
        "audio_audio": _interval(result.within_audio),
        "visual_visual": _interval(result.within_visual),
        "audio_visual": _interval(result.across),
        "null": {**_interval(result.by_chance), "p_value": _rounded(result.p_value)},
    }


def _interval(mean: MeanAbsolute) -> dict[str, float | None]:
    return {name: _rounded(value) for name, value in dataclasses.asdict(mean).items()}


def _rounded(value: float) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None
