"""MixUp and CutMix for sound and picture together: one partner and one share for both and for the label.

keras-cv's layers draw both by themselves, for one kind of input and from a state.
"""

from collections.abc import Mapping

import tensorflow as tf


def mix_examples(
    features: Mapping[str, tf.Tensor], label: tf.Tensor, seed: tf.Tensor, method: str, alpha: float
) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """Mixes each example of a batch with a random partner from it.

    mixup (Zhang et al., arXiv 1710.09412): the weighted mean, of frames by pixel, of log-mel in dB. cutmix (Yun et
    al., arXiv 1905.04899): a square of the partner's frame and a stretch of its log-mel, at their own places, take
    the place of the example's.

    The smaller of the two shares is the partner's. The pairs and shares that occur are the same as if either share
    could be (every example is one's partner); but so each example counts between a half and one and a half in its
    batch, not up to twice or not at all: an epoch stays a pass over the examples, and `balance` what it is.

    Args:
        features: `log_mel` float32 [batch, frames, mels] in dB, `frame` [batch, size, size, 3] in 0..255, or one.
        label: float32 [batch, labels].
        seed: int64 [2].
        method: mixup or cutmix.
        alpha: the shares are drawn from Beta(alpha, alpha), for each example.

    Returns:
        The features, `frame` as float32, and the labels, mixed by the share of the partner that there really is
        (of cutmix, whose pieces are whole pixels and frames: the mean over the modalities).
    """
    order_seed, share_seed, place_seed = tf.unstack(tf.random.split(seed, 3))
    count = tf.shape(label)[0]
    partner = tf.random.experimental.stateless_shuffle(tf.range(count), order_seed)
    drawn = _beta(count, alpha, share_seed)
    share = tf.minimum(drawn, 1.0 - drawn)
    mixed, shares = {}, []
    for name, values in features.items():
        values = tf.cast(values, tf.float32)
        if method == "mixup":
            weight, real_share = share, share
        else:
            piece = _square if name == "frame" else _stretch
            weight, real_share = piece(share, tf.shape(values)[1], place_seed)
        mixed[name] = tf.ensure_shape(_weighted(values, tf.gather(values, partner), weight), values.shape)
        shares.append(real_share)
    return mixed, _weighted(label, tf.gather(label, partner), tf.add_n(shares) / len(shares))


def _weighted(values: tf.Tensor, others: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
    """values (1 - weight) + others weight; the weight's axes are the first of the values'."""
    weight = tf.reshape(
        weight, tf.concat([tf.shape(weight), [1] * (values.shape.rank - weight.shape.rank)], axis=0)
    )
    return values + weight * (others - values)


def _beta(count: tf.Tensor, alpha: float, seed: tf.Tensor) -> tf.Tensor:
    """float32 [count] of Beta(alpha, alpha), by two gamma variates."""
    one, other = tf.unstack(tf.random.stateless_gamma([2, count], seed, alpha))
    # Both may underflow for a small alpha.
    return tf.math.divide_no_nan(one, one + other)


def _square(share: tf.Tensor, size: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """A square of about that share of size x size pixels: float32 [batch, size, size] of 0 and 1, real share."""
    side = tf.round(tf.sqrt(share) * tf.cast(size, tf.float32))
    rows, columns = (_inside(side, size, one) for one in tf.unstack(tf.random.split(seed, 2)))
    return rows[:, :, tf.newaxis] * columns[:, tf.newaxis, :], tf.square(side / tf.cast(size, tf.float32))


def _stretch(share: tf.Tensor, length: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """A stretch of about that share of the length: float32 [batch, length] of 0 and 1, real share."""
    width = tf.round(share * tf.cast(length, tf.float32))
    return _inside(width, length, seed), width / tf.cast(length, tf.float32)


def _inside(width: tf.Tensor, length: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """float32 [batch, length]: 1 on `width` neighbours that begin anywhere, all inside; whole numbers."""
    free = tf.cast(length, tf.float32) - width
    begin = tf.floor(tf.random.stateless_uniform(tf.shape(width), seed) * (free + 1))[:, tf.newaxis]
    place = tf.range(length, dtype=tf.float32)[tf.newaxis]
    return tf.cast((place >= begin) & (place < begin + width[:, tf.newaxis]), tf.float32)
