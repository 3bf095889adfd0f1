"""The audio networks: from a log-mel spectrogram to the layers `audio_map` and `audio_features` (1024).

A backbone is a function of the normalized spectrogram [batch, frames, mels, 1] and the settings; it returns
float [batch, 1024]. All its layers' names begin with `audio_`.
"""

from collections.abc import Callable
from typing import Any

import keras

from trainer.config import TrainConfig
from trainer.models.layers import conv_bn, features_of, separable_bn, stride_for

AUDIO_FEATURES = 1024


def xception(x: Any, config: TrainConfig) -> Any:
    """The Xception-like network of Slizovskaia, Gómez and Haro (2017).

    Entry, middle and exit flow follow F. Chollet, "Xception: Deep Learning with Depthwise Separable
    Convolutions" (arXiv 1610.02357), with one exit convolution less, of 1024 channels. Where a stride of 2
    would leave a map under 4 x 4 the stride is 1: a 96 x 96 spectrogram ends in 6 x 6 cells.
    `config.audio_blocks` is the number of middle blocks (8 there), `config.audio_width` a factor of channels.
    """
    width = config.audio_width
    middle = _channels(728, width)
    x = conv_bn(x, _channels(32, width), 3, stride_for(x), "audio_entry1")
    x = conv_bn(x, _channels(64, width), 3, 1, "audio_entry2")
    for number, filters in enumerate((_channels(128, width), _channels(256, width), middle), start=3):
        x = _strided_block(x, filters, filters, f"audio_entry{number}", first_relu=number > 3)
    for number in range(1, config.audio_blocks + 1):
        x = _middle_block(x, middle, f"audio_middle{number}")
    x = _strided_block(x, middle, AUDIO_FEATURES, "audio_exit1", first_relu=True)
    x = separable_bn(x, AUDIO_FEATURES, "audio_exit2")
    x = keras.layers.Activation("relu", name="audio_exit2_relu")(x)
    return features_of(x, "audio")


def small_cnn(x: Any, config: TrainConfig) -> Any:
    """Four plain convolutions: quick to train on small sets, and for tests."""
    for number, filters in enumerate((16, 32, 64, 128), start=1):
        x = conv_bn(x, filters, 3, stride_for(x), f"audio_block{number}")
    x = conv_bn(x, AUDIO_FEATURES, 1, 1, "audio_last")
    return features_of(x, "audio")


def _channels(count: int, width: float) -> int:
    """The count times the width, as a multiple of 8."""
    return max(8, round(count * width / 8) * 8)


def _strided_block(x: Any, first: int, second: int, name: str, *, first_relu: bool) -> Any:
    stride = stride_for(x)
    shortcut = conv_bn(x, second, 1, stride, f"{name}_shortcut", relu=False)
    if first_relu:
        x = keras.layers.Activation("relu", name=f"{name}_relu1")(x)
    x = separable_bn(x, first, f"{name}_1")
    x = keras.layers.Activation("relu", name=f"{name}_relu2")(x)
    x = separable_bn(x, second, f"{name}_2")
    if stride > 1:
        x = keras.layers.MaxPooling2D(3, strides=stride, padding="same", name=f"{name}_pool")(x)
    return keras.layers.Add(name=f"{name}_add")([x, shortcut])


def _middle_block(x: Any, filters: int, name: str) -> Any:
    shortcut = x
    for number in (1, 2, 3):
        x = keras.layers.Activation("relu", name=f"{name}_relu{number}")(x)
        x = separable_bn(x, filters, f"{name}_{number}")
    return keras.layers.Add(name=f"{name}_add")([x, shortcut])


AUDIO_BACKBONES: dict[str, Callable[[Any, TrainConfig], Any]] = {"xception": xception, "small_cnn": small_cnn}
