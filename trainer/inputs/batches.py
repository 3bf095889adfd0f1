"""What a network is fitted to: the batches of its training, validation and BatchNorm statistics."""

import dataclasses
from collections.abc import Callable

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Batches:
    """What a network is fitted to.

    Attributes:
        train: endless batches of features and labels, from an epoch's number and a batch's number in it on.
        validation: one pass over the validation split, of known length, or None where the dataset has none.
        steps: batches of an epoch.
        batch_size: examples a batch, over all replicas.
        statistics: like `train`, not augmented, for the BatchNorm statistics.
    """

    train: Callable[[int, int], tf.data.Dataset]
    validation: tf.data.Dataset | None
    steps: int
    batch_size: int
    statistics: Callable[[], tf.data.Dataset] | None = None
