"""RandAugment (Cubuk et al., arXiv 1909.13719) for a batch at once: keras-cv's layers, two of ten for each frame.

keras-cv's own RandAugment goes through a batch frame by frame, and draws its numbers from a state. Here the frames
that drew an operation go through its layer together. Ranges at magnitude 10 as in the paper's code: shear 0.3,
shift 0.3, colour and contrast 0.9, solarize from 0 on; brightness is added, half of white at most.
"""

from collections.abc import Callable

import tensorflow as tf

from avinst.quiet import import_keras_cv_layers
from trainer.inputs.frame_augmentation import WHITE, towards_grey

OPERATIONS_A_FRAME = 2
LARGEST_MAGNITUDE = 10.0

Operation = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def rand_augmenter(magnitude: float) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Makes the function that puts two random operations of one strength on every frame.

    Args:
        magnitude: above 0, up to 10.

    Returns:
        A function of frames float32 [batch, size, size, 3] in 0..255 and a seed, int64 [2]; it gives the like.
    """
    operations = rand_augment_operations(magnitude / LARGEST_MAGNITUDE)

    def alter(frames: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        shape, count = frames.shape, tf.shape(frames)[0]
        for one in tf.unstack(tf.random.split(seed, OPERATIONS_A_FRAME)):
            choice_seed, sign_seed = tf.unstack(tf.random.split(one, 2))
            choice = tf.random.stateless_uniform([count], choice_seed, 0, len(operations), tf.int32)
            signs = 1.0 - 2.0 * tf.cast(tf.random.stateless_uniform([count, 1, 1, 1], sign_seed) < 0.5, tf.float32)
            where = tf.dynamic_partition(tf.range(count), choice, len(operations))
            parts = [
                _if_any(operation, tf.gather(frames, rows), tf.gather(signs, rows))
                for operation, rows in zip(operations, where, strict=True)
            ]
            frames = tf.ensure_shape(tf.clip_by_value(tf.dynamic_stitch(where, parts), 0.0, WHITE), shape)
        return frames

    return alter


def rand_augment_operations(strength: float) -> list[Operation]:
    """The ten operations at a strength in 0..1, functions of frames and of signs, 1 or -1, [batch, 1, 1, 1]."""
    layers = import_keras_cv_layers()

    # A layer without a seed makes a generator for the whole program; none of these draws anything.
    auto_contrast = layers.AutoContrast((0, WHITE), seed=1)
    equalize = layers.Equalization((0, WHITE), seed=1)
    solarize = layers.Solarization((0, WHITE), seed=1)
    contrast = layers.RandomContrast((0, WHITE), 0.9, seed=1)
    brightness = layers.RandomBrightness(0.5, (0, WHITE), seed=1)
    shear = layers.RandomShear(0.3, 0.3, seed=1)
    shift = layers.RandomTranslation(0.3, 0.3, seed=1)

    def solarized(frames: tf.Tensor, signs: tf.Tensor) -> tf.Tensor:
        thresholds = tf.fill(tf.shape(signs), WHITE * (1 - strength))
        return solarize.augment_images(frames, {"thresholds": thresholds, "additions": tf.zeros_like(thresholds)})

    def sheared(frames: tf.Tensor, x: tf.Tensor | None, y: tf.Tensor | None) -> tf.Tensor:
        flat = [None if value is None else 0.3 * strength * value[:, :, 0, 0] for value in (x, y)]
        return shear.augment_images(frames, {"shear_x": flat[0], "shear_y": flat[1]})

    def shifted(frames: tf.Tensor, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        across, down = (0.3 * strength * value[:, :, 0, 0] for value in (x, y))
        return shift.augment_images(frames, {"width_translations": across, "height_translations": down})

    return [
        lambda frames, signs: auto_contrast.augment_images(frames),
        lambda frames, signs: equalize.augment_images(frames),
        solarized,
        lambda frames, signs: towards_grey(frames, 0.9 * strength * signs),
        lambda frames, signs: contrast.augment_images(frames, 1 + 0.9 * strength * signs),
        lambda frames, signs: brightness.augment_images(frames, WHITE / 2 * strength * signs),
        lambda frames, signs: sheared(frames, signs, None),
        lambda frames, signs: sheared(frames, None, signs),
        lambda frames, signs: shifted(frames, signs, tf.zeros_like(signs)),
        lambda frames, signs: shifted(frames, tf.zeros_like(signs), signs),
    ]


def _if_any(operation: Operation, frames: tf.Tensor, signs: tf.Tensor) -> tf.Tensor:
    """The operation where there are frames for it: some layers fail on none."""
    some = tf.shape(frames)[0] > 0
    return tf.cond(some, lambda: tf.ensure_shape(operation(frames, signs), frames.shape), lambda: frames)
