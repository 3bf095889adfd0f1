"""The correlation matrices of the report: a picture, and the numbers that the page's script draws over it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analysis.correlations.label_correlation import LabelCorrelation
from analysis.pictures import Picture
from analysis.report.markup import Markup, element, finite
from analysis.report.pictures import image

DATA_ID = "matrices"


def matrix(pictures: Sequence[Picture], label_index: int, label: str) -> Markup:
    """The label's matrix: the picture, which stands for it in print and without a script.

    Args:
        pictures: the figure of the matrix, alone.
        label_index: finds the numbers in `matrix_data`.
        label: the label's name.
    """
    return element(
        "figure",
        *map(image, pictures),
        class_="enlarge matrix",
        data_matrix=str(label_index),
        data_title=f"Rank correlations of the features for {label}",
    )


def matrix_data(results: Mapping[str, LabelCorrelation], label_names: Sequence[str]) -> dict[str, Any]:
    """Index of the label to its matrix as plain numbers; null where something is not defined.

    Returns:
        Of each label `names`, `audio` (number of audio features, which come first), `rho` (rows), and over the
        pairs of an audio and a visual feature `p`, `q` (corrected) and `found` (significant); `tested` (rows)
        where not all pairs were.
    """
    return {str(label_names.index(label)): _plain(result) for label, result in results.items()}


def _plain(result: LabelCorrelation) -> dict[str, Any]:
    values: dict[str, Any] = {
        "names": list(result.names),
        "audio": result.audio_count,
        "rho": _rows(result.rho, 3),
        "tested": None if result.tested.all() else result.tested.astype(int).tolist(),
        "found": result.significant.astype(int).tolist(),
        "p": None,
        "q": None,
    }
    if result.null is not None:
        values |= {"p": _rows(result.null.p_values, 5), "q": _rows(result.null.q_values, 5)}
    return values


def _rows(values: np.ndarray, digits: int) -> list[list[float | None]]:
    return [[finite(value, digits) for value in row] for row in values.tolist()]
