"""Random flips, crops and colours of frames, by keras-cv's layers with values that are drawn outside of them.

The layers' own random numbers come of a state that they share: batches altered side by side would get them in any
order. `augment_images`, their method for given values, has no state.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator

import tensorflow as tf

from avinst.quiet import import_keras_cv_layers

AREA, ASPECT = (0.6, 1.0), (0.8, 1.25)
BRIGHTNESS, CONTRAST, GREY = 0.15, 0.25, 0.5
WHITE = 255.0


def frame_augmenter(size: int, magnitude: float) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Makes the function that alters frames: flip, shift with zoom and stretch, brightness, contrast, colour.

    Args:
        size: side of the frames, px.
        magnitude: of RandAugment, which comes last, 0 to 10; 0: none.

    Returns:
        A function of frames [batch, size, size, 3] in 0..255 and a seed, int64 [2]; it gives float32 frames of the
        same shape in 0..255.
    """
    layers = import_keras_cv_layers()

    # A layer without a seed makes a generator for the whole program; none of these draws anything.
    flip = layers.RandomFlip("horizontal", seed=1)
    brightness = layers.RandomBrightness(BRIGHTNESS, (0, WHITE), seed=1)
    contrast = layers.RandomContrast((0, WHITE), CONTRAST, seed=1)
    policy = None
    if magnitude:
        from trainer.inputs.rand_augment import rand_augmenter

        policy = rand_augmenter(magnitude)

    def alter(frames: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        shape, count = frames.shape, tf.shape(frames)[0]
        seeds = tf.unstack(tf.random.split(seed, 6))

        def uniform(seed: tf.Tensor, low: float, high: float) -> tf.Tensor:
            return tf.random.stateless_uniform([count, 1, 1, 1], seed, low, high)

        frames = tf.cast(frames, tf.float32)
        with errors_only(tf.get_logger()):
            flips = uniform(seeds[0], 0, 1)[:, :, 0, 0]
            frames = flip.augment_images(
                frames, {"flip_horizontals": flips, "flip_verticals": tf.zeros_like(flips)}
            )
            frames = tf.image.crop_and_resize(frames, random_boxes(count, seeds[1]), tf.range(count), [size, size])
            frames = brightness.augment_images(frames, WHITE * uniform(seeds[2], -BRIGHTNESS, BRIGHTNESS))
            frames = contrast.augment_images(frames, uniform(seeds[3], 1 - CONTRAST, 1 + CONTRAST))
            frames = towards_grey(frames, uniform(seeds[4], 0, GREY))
            if policy is not None:
                frames = policy(frames, seeds[5])
        return tf.ensure_shape(tf.clip_by_value(frames, 0.0, WHITE), shape)

    return alter


def random_boxes(count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """float32 [count, 4]: top, left, bottom, right within 0..1, of random area, aspect and place."""
    area_seed, aspect_seed, place_seed = tf.unstack(tf.random.split(seed, 3))
    area = tf.random.stateless_uniform([count], area_seed, *AREA)
    aspect = tf.random.stateless_uniform([count], aspect_seed, *ASPECT)
    sides = tf.minimum(tf.stack([tf.sqrt(area / aspect), tf.sqrt(area * aspect)], axis=1), 1.0)
    corner = tf.random.stateless_uniform([count, 2], place_seed) * (1.0 - sides)
    return tf.concat([corner, corner + sides], axis=1)


def towards_grey(frames: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
    """Takes a share of the colours away; a negative one strengthens them. Values may leave 0..255."""
    return frames + share * (tf.image.rgb_to_grayscale(frames) - frames)


@contextlib.contextmanager
def errors_only(logger: logging.Logger) -> Iterator[None]:
    """Keeps back TensorFlow's notes on how it vectorizes keras-cv's layers while they are traced."""
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
