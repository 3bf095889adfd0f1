"""For unequally frequent labels: how much an example counts, or how often it is shown."""

import numpy as np
import tensorflow as tf

from avinst.dataset import Dataset


def label_weights(dataset: Dataset) -> np.ndarray:
    """What makes all labels of the training split count alike: float32 [labels].

    n / (k n_c) for a label with n_c of the n label marks and k labels that occur; 0 for one that does not. Their
    mean over the marks is 1, so the loss keeps its size.
    """
    counts = np.array([dataset.label_segments["train"].get(label, 0) for label in dataset.labels], np.float64)
    weights = counts.sum() / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return np.where(counts > 0, weights, 0.0).astype(np.float32)


def example_weights(label: tf.Tensor, weights: np.ndarray) -> tf.Tensor:
    """float32 [batch]: the mean of the weights of an example's labels, each by its share.

    Args:
        label: float32 [batch, labels], multi-hot or mixed.
        weights: of `label_weights`.
    """
    return tf.linalg.matvec(label, weights) / tf.reduce_sum(label, axis=1)


def drawn_by_weight(weights: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """int64 [m]: the row numbers, each as often as its weight says.

    A weight's whole part is certain, its fraction is the probability of one time more: the expectation is exact,
    and an epoch shows frequent examples at most once.

    Args:
        weights: float32 [n].
        seed: int64 [2].
    """
    times = tf.floor(weights + tf.random.stateless_uniform(tf.shape(weights), seed))
    return tf.repeat(tf.range(tf.shape(weights, tf.int64)[0]), tf.cast(times, tf.int32))
