"""Mutual nearest neighbours: whether a recording has the same neighbours in sound and in picture."""

import numpy as np

# As in the paper.
NEIGHBOURS = 10


def nearest(features: np.ndarray, number: int) -> np.ndarray:
    """int [recordings, number]: the recordings most alike to each by the cosine, itself left out.

    Args:
        features: float [recordings, features].
        number: of neighbours, less than the recordings.
    """
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    unit = np.divide(features, lengths, out=np.zeros(features.shape), where=lengths > 0)
    alike = unit @ unit.T
    np.fill_diagonal(alike, -np.inf)
    return np.argsort(-alike, axis=1, kind="stable")[:, :number]


def membership(neighbours: np.ndarray) -> np.ndarray:
    """bool [recordings, recordings]: whether the column is among the neighbours of the row."""
    member = np.zeros((len(neighbours), len(neighbours)), dtype=bool)
    np.put_along_axis(member, neighbours, True, axis=1)
    return member


def mutual_share(member_x: np.ndarray, neighbours_y: np.ndarray, order: np.ndarray | None = None) -> float:
    """The mean share of neighbours that two sets of features have in common.

    Huh et al. 2024, "The Platonic Representation Hypothesis".

    Args:
        member_x: as `membership` gives it.
        neighbours_y: as `nearest` gives it.
        order: row i of X is set beside row order[i] of Y; None: beside row i.
    """
    rows = np.arange(len(neighbours_y))
    if order is not None:
        place = np.empty_like(rows)
        place[order] = rows
        neighbours_y = place[neighbours_y[order]]
    return float(member_x[rows[:, np.newaxis], neighbours_y].mean())
