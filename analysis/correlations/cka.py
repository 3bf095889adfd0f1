"""Linear centred kernel alignment without bias: whether two sets of features tell recordings apart alike."""

import math

import numpy as np


def unbiased_gram(features: np.ndarray) -> np.ndarray:
    """The linear kernel of the rows, centred so that the mean product of two unrelated ones is 0.

    Its diagonal is 0 and every row sums to 0 (Székely and Rizzo 2014, "Partial distance correlation with methods
    for dissimilarities"): the sum of the products of two such matrices over n (n - 3) is HSIC_1 of Song et al.
    2012, "Feature selection via dependence maximization". Rows may be permuted before or after.

    Args:
        features: float [recordings, features], at least 4 recordings.

    Returns:
        float64 [recordings, recordings].
    """
    # The middle is taken off first: products of features far from 0 would cost digits.
    centred = features.astype(np.float64) - features.mean(axis=0, dtype=np.float64)
    gram = centred @ centred.T
    np.fill_diagonal(gram, 0.0)
    count = len(gram)
    rows = gram.sum(axis=0) / (count - 2)
    gram = gram - rows - rows[:, np.newaxis] + gram.sum() / ((count - 1) * (count - 2))
    np.fill_diagonal(gram, 0.0)
    return gram


def linear_cka(gram_x: np.ndarray, gram_y: np.ndarray) -> float:
    """HSIC_1(X, Y) / sqrt(HSIC_1(X, X) HSIC_1(Y, Y)) of two matrices of `unbiased_gram`.

    As Nguyen, Raghu and Kornblith 2021, "Do wide and deep networks learn the same things?". About 0 for unrelated
    features, 1 for equal ones, whatever the number of recordings; NaN where all recordings are the same.
    """
    scale = math.sqrt(np.vdot(gram_x, gram_x) * np.vdot(gram_y, gram_y))
    return float(np.vdot(gram_x, gram_y) / scale) if scale > 0 else math.nan
