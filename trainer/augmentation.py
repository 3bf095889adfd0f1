"""Augmentation of training examples: frames by Keras and keras-cv layers, log-mel by tfio's masks."""

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence

import tensorflow as tf

from avinst.dataset import Dataset
from avinst.log_mel import tfio

# Share of the mel bands and of the frames that a mask may cover at most.
_MASK_SHARE = 1 / 5


def augmenter(
    dataset: Dataset, seed: int, inputs: Sequence[str] = ("log_mel", "frame")
) -> Callable[[dict[str, tf.Tensor]], dict[str, tf.Tensor]]:
    """Makes the function that alters a batch, every example in its own way.

    Called in the order of the batches, what it draws is a pure function of the seed.

    Args:
        dataset: gives the log-mel's mean.
        seed: of all random numbers.
        inputs: the names in the batches; keras-cv is imported for frames only.

    Returns:
        A function for a `tf.data` map, of `{"log_mel": float32 [batch, frames, mels], "frame": [batch, size, size,
        3]}` or one of them: it returns the same names and shapes, frames as float32 in 0..255.
    """
    alter_frames = _frame_augmenter(dataset.spec.frame_size, seed) if "frame" in inputs else None

    def alter(features: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        altered = dict(features)
        if "log_mel" in altered:
            # tfio's masks take no seed; the graph's seed, which they fall back on, is this map function's own.
            tf.compat.v1.get_default_graph().seed = seed
            altered["log_mel"] = mask_log_mel(altered["log_mel"], dataset.log_mel_mean_db)
        if alter_frames is not None:
            altered["frame"] = alter_frames(altered["frame"])
        return altered

    return alter


def mask_log_mel(log_mel: tf.Tensor, mean_db: float) -> tf.Tensor:
    """Sets a random band of mels and a random stretch of time to the mean, as in SpecAugment (arXiv 1904.08779).

    Args:
        log_mel: float32 [batch, frames, mels], dB.
        mean_db: what stands under a mask, dB; the network sees 0 there.

    Returns:
        float32 [batch, frames, mels], dB.
    """
    frames, mels = log_mel.shape[1:]

    def mask(example: tf.Tensor) -> tf.Tensor:
        # tfio masks with 0, one example at a time, and only without a channel axis.
        centred = example - mean_db
        centred = tfio.audio.freq_mask(centred, max(1, round(mels * _MASK_SHARE)))
        centred = tfio.audio.time_mask(centred, max(1, round(frames * _MASK_SHARE)))
        # Not centred + mean_db: what is not masked stays as it was, to the bit.
        return tf.where(centred == 0, mean_db, example)

    return tf.map_fn(mask, log_mel, parallel_iterations=1)


def _frame_augmenter(size: int, seed: int) -> Callable[[tf.Tensor], tf.Tensor]:
    """Flip, shift with zoom and stretch, brightness, contrast and colour, in the order of what costs least.

    Measured on one core at 96 px, examples/s: crop and resize 5,600, contrast 6,500, saturation 9,800 (keras-cv);
    flip 3,700 (Keras; keras-cv's 2,600). keras-cv's RandomColorJitter, with hue, reaches 990.
    """
    import keras
    import keras_cv

    layers = keras_cv.layers
    # keras-cv takes a seed of 0 for none.
    first = 1 + 10 * seed
    # On the CPU, where tf.data runs, whatever device the training uses.
    with tf.device("CPU:0"):
        steps = [
            keras.layers.RandomFlip("horizontal", seed=first),
            layers.RandomCropAndResize((size, size), (0.6, 1.0), (0.8, 1.25), seed=first + 1),
            layers.RandomBrightness(0.15, (0, 255), seed=first + 2),
            layers.RandomContrast((0, 255), 0.25, seed=first + 3),
            layers.RandomColorDegeneration(0.5, seed=first + 4),
        ]

    def alter(frames: tf.Tensor) -> tf.Tensor:
        shape = frames.shape
        frames = tf.cast(frames, tf.float32)
        with _errors_only(tf.get_logger()):
            for step in steps:
                frames = step(frames, training=True)
        return tf.clip_by_value(tf.ensure_shape(tf.cast(frames, tf.float32), shape), 0.0, 255.0)

    return alter


@contextlib.contextmanager
def _errors_only(logger: logging.Logger) -> Iterator[None]:
    """Keeps back TensorFlow's notes on how it vectorizes keras-cv's layers while they are traced."""
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
