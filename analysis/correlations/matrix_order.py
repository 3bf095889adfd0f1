"""The order in which a modality's features stand in a matrix: those that move together stand together."""

import numpy as np
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

# Ordering the leaves takes about the cube of their number: 0.4 s for so many. More are clustered only.
_MOST_ORDERED = 600


def clustered_order(rho: np.ndarray) -> np.ndarray:
    """An order of features in which clusters stand together and neighbours are alike.

    Hierarchical clustering by average linkage at the distance 1 - |rho|, its joints turned so that neighbouring
    leaves are alike (Bar-Joseph, Gifford and Jaakkola 2001). SciPy's search for the least sum of distances between
    neighbours misses it in a third of random cases of six, by 7 % there. Equal input gives an equal order;
    of its two directions the one in which the feature that came first stands nearer to the front.

    Args:
        rho: float [features, features], symmetric; NaN, for a dead feature or an untested pair, is the distance 1.

    Returns:
        int [features]: positions.
    """
    if len(rho) < 3:
        return np.arange(len(rho))
    # Rounded, so that the order of a sum does not decide between equal distances.
    distance = np.round(1 - np.abs(np.nan_to_num(rho, nan=0.0)), 9).clip(0, 1)
    np.fill_diagonal(distance, 0.0)
    pairs = squareform(distance, checks=False)
    tree = hierarchy.linkage(pairs, method="average")
    if len(rho) <= _MOST_ORDERED:
        tree = hierarchy.optimal_leaf_ordering(tree, pairs)
    order = hierarchy.leaves_list(tree)
    return order if np.flatnonzero(order == 0)[0] < len(order) / 2 else order[::-1]
