"""The visual networks: from a frame to the layers `visual_map` and `visual_features` (2048).

A backbone is a function of the frame scaled to [-1, 1], [batch, size, size, 3], and the settings; it returns
float [batch, 2048]. All its layers' names begin with `visual_`.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from trainer.config import TrainConfig
from trainer.models.applications import Application, name_the_map
from trainer.models.layers import SMALLEST_MAP, conv_bn, features_of, stride_for

VISUAL_FEATURES = 2048
# What Keras' EfficientNetV2 B takes off frames in 0..1, and divides them by.
_IMAGENET_MEAN, _IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_INCEPTION_V3 = Application("Inception V3", "inception_v3", keras.applications.InceptionV3, {}, 75, r"mixed\d+")
_EFFICIENTNET_V2_B0 = Application(
    "EfficientNetV2 B0",
    "efficientnet_v2_b0",
    keras.applications.EfficientNetV2B0,
    {"include_preprocessing": False},
    32,
    r"block\w+_add",
)


def inception_v3(x: Any, config: TrainConfig) -> Any:
    """Inception V3 of Szegedy et al. (arXiv 1512.00567).

    `visual_map` is the deepest of its eleven `mixed` maps with at least 4 x 4 cells: the last one from 203 px
    on, `mixed7` at 96 px.

    Raises:
        UserError: the frame is under 75 px, or the weights cannot be had.
    """
    _INCEPTION_V3.check(x.shape[1])
    x, candidates = _INCEPTION_V3.graph(x, config)
    name_the_map(candidates)
    return keras.layers.GlobalAveragePooling2D(name="visual_features")(x)


def efficientnet_v2_b0(x: Any, config: TrainConfig) -> Any:
    """EfficientNetV2 B0 of Tan and Le (arXiv 2104.00298), and a 1 x 1 convolution from its 1280 channels to 2048.

    The convolution is ours, and fresh also where `visual_weights` are given. `visual_map` is its result from 97 px
    on, below that the deepest block's sum with at least 4 x 4 cells.

    Raises:
        UserError: the frame is under 32 px, or the weights cannot be had.
    """
    _EFFICIENTNET_V2_B0.check(x.shape[1])
    mean, deviation = np.array(_IMAGENET_MEAN), np.array(_IMAGENET_DEVIATION)
    x = keras.layers.Normalization(
        axis=-1,
        mean=(2 * mean - 1).tolist(),
        variance=((2 * deviation) ** 2).tolist(),
        name="visual_normalization",
        dtype="float32",
    )(x)
    x, candidates = _EFFICIENTNET_V2_B0.graph(x, config)
    x = conv_bn(x, VISUAL_FEATURES, 1, 1, "visual_expansion")
    if min(x.shape[1:3]) >= SMALLEST_MAP:
        return features_of(x, "visual")
    name_the_map(candidates)
    return keras.layers.GlobalAveragePooling2D(name="visual_features")(x)


def small_cnn(x: Any, config: TrainConfig) -> Any:
    """Four plain convolutions: quick to train on small sets, and for tests."""
    for number, filters in enumerate((16, 32, 64, 128), start=1):
        x = conv_bn(x, filters, 3, stride_for(x), f"visual_block{number}")
    x = conv_bn(x, VISUAL_FEATURES, 1, 1, "visual_last")
    return features_of(x, "visual")


VISUAL_BACKBONES: dict[str, Callable[[Any, TrainConfig], Any]] = {
    "inception_v3": inception_v3,
    "efficientnet_v2_b0": efficientnet_v2_b0,
    "small_cnn": small_cnn,
}
