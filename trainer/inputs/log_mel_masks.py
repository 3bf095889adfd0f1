"""Masks over log-mel: a random band of mels and a random stretch of time, as in SpecAugment (arXiv 1904.08779)."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from avinst.log_mel import tfio

# Share of the mel bands and of the frames that a mask may cover, at most.
_MASK_SHARE = 1 / 5
# More than there are places for the mean width in 96 bands.
_DRAWN = 1024


def draw_masks(frames: int, mels: int, seed: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Draws masks by tfio, which takes no seed for a single one: which of them an example gets is drawn later.

    Returns:
        Stretches of time, bool [1024, frames], and bands, bool [1024, mels]: True where masked.
    """
    with tf.device("CPU:0"):  # where tf.data runs, whatever device the training uses
        return (
            _drawn_by(tfio.audio.time_mask, tf.ones([frames, 1]), frames, seed),
            _drawn_by(tfio.audio.freq_mask, tf.ones([1, mels]), mels, seed),
        )


def mask_log_mel(
    log_mel: tf.Tensor, masks: tuple[tf.Tensor, tf.Tensor], seed: tf.Tensor, mean_db: float
) -> tf.Tensor:
    """Sets a band and a stretch of each example to the mean, where the network sees 0.

    Args:
        log_mel: float32 [batch, frames, mels], dB.
        masks: what `draw_masks` gave.
        seed: int64 [2]; decides which masks each example gets.
        mean_db: what stands under a mask, dB.

    Returns:
        float32 [batch, frames, mels], dB.
    """
    chosen = tf.random.stateless_uniform([2, tf.shape(log_mel)[0]], seed, 0, _DRAWN, tf.int32)
    stretches, bands = (tf.gather(kind, which) for kind, which in zip(masks, tf.unstack(chosen), strict=True))
    return tf.where(stretches[:, :, tf.newaxis] | bands[:, tf.newaxis, :], mean_db, log_mel)


def _drawn_by(mask: Callable[[tf.Tensor, int], Any], ones: tf.Tensor, length: int, seed: int) -> tf.Tensor:
    """bool [1024, length]: where tfio's mask wrote 0."""

    @tf.function
    def draw() -> tf.Tensor:
        # tfio's draws fall back on the graph's seed, which is this function's own.
        tf.compat.v1.get_default_graph().seed = seed
        return tf.map_fn(
            lambda _: tf.reshape(mask(ones, max(1, round(length * _MASK_SHARE))), [length]) == 0,
            tf.range(_DRAWN),
            fn_output_signature=tf.bool,
            parallel_iterations=1,
        )

    return draw()
