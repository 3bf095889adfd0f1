"""The building blocks of the networks, with the settings that all of them share."""

from typing import Any

import keras

# With Keras' default of 0.99 the statistics of a short training lag behind the weights, and validation stays
# at chance; they are re-estimated exactly at the end all the same.
BATCH_NORM_MOMENTUM = 0.9
# A Grad-CAM over fewer cells than 4 x 4 shows nothing.
SMALLEST_MAP = 4


def batch_norm(x: Any, name: str) -> Any:
    """Batch normalization with the momentum of this project."""
    return keras.layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name=name)(x)


def conv_bn(x: Any, filters: int, size: int, stride: int, name: str, *, relu: bool = True) -> Any:
    """Convolution without bias, batch normalization and, if wanted, ReLU."""
    x = keras.layers.Conv2D(
        filters,
        size,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    x = batch_norm(x, f"{name}_bn")
    return keras.layers.Activation("relu", name=f"{name}_relu")(x) if relu else x


def separable_bn(x: Any, filters: int, name: str) -> Any:
    """Depthwise separable 3 x 3 convolution without bias, and batch normalization."""
    x = keras.layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=f"{name}_separable")(x)
    return batch_norm(x, f"{name}_bn")


def stride_for(x: Any) -> int:
    """2 where halving the map leaves at least SMALLEST_MAP cells a side, else 1."""
    return 2 if min(x.shape[1:3]) >= 2 * SMALLEST_MAP else 1


def features_of(x: Any, modality: str) -> Any:
    """Ends a branch: names the last map `<modality>_map`, pools it into `<modality>_features`."""
    x = keras.layers.Activation("linear", name=f"{modality}_map")(x)
    return keras.layers.GlobalAveragePooling2D(name=f"{modality}_features")(x)
