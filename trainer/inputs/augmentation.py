"""How training examples are altered, each in its own way: what is drawn is a pure function of a batch's seed."""

from collections.abc import Callable, Sequence

import tensorflow as tf

from avinst.dataset import Dataset
from trainer.config import TrainConfig
from trainer.inputs.log_mel_masks import draw_masks, mask_log_mel
from trainer.inputs.mixing import mix_examples

Features = dict[str, tf.Tensor]


def augmenter(
    dataset: Dataset, config: TrainConfig, inputs: Sequence[str]
) -> Callable[[Features, tf.Tensor, tf.Tensor], tuple[Features, tf.Tensor]]:
    """Makes the function that alters a batch as the settings say.

    It keeps no state, so batches may be altered side by side, and in any order: a resumed training sees what an
    undisturbed one would.

    Args:
        dataset: gives shapes and the log-mel's mean.
        config: `augment`, `rand_augment`, `mix`, `mix_alpha`, `seed`.
        inputs: the names in the batches; keras-cv is imported for frames only.

    Returns:
        A function for a `tf.data` map. It takes `{"log_mel": float32 [batch, frames, mels], "frame": [batch, size,
        size, 3] in 0..255}` or one of them, labels float32 [batch, labels], and the batch's seed, int64 [2]. It
        returns features and labels by the same names and of the same shapes, altered frames as float32 in 0..255.
    """
    masks = frames = None
    if config.augment and "log_mel" in inputs:
        masks = draw_masks(dataset.spec.log_mel_frames, dataset.spec.mel_bands, config.seed)
    if config.augment and "frame" in inputs:
        from trainer.inputs.frame_augmentation import frame_augmenter

        frames = frame_augmenter(dataset.spec.frame_size, config.rand_augment)

    def alter(features: Features, label: tf.Tensor, seed: tf.Tensor) -> tuple[Features, tf.Tensor]:
        mask_seed, frame_seed, mix_seed = tf.unstack(tf.random.split(seed, 3))
        altered = dict(features)
        if masks is not None:
            altered["log_mel"] = mask_log_mel(features["log_mel"], masks, mask_seed, dataset.log_mel_mean_db)
        if frames is not None:
            altered["frame"] = frames(features["frame"], frame_seed)
        if config.mix != "none":
            return mix_examples(altered, label, mix_seed, config.mix, config.mix_alpha)
        return altered, label

    return alter
