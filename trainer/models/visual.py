"""The visual networks: from a frame to the layers `visual_map` and `visual_features` (2048).

A backbone is a function of the frame scaled to [-1, 1], [batch, size, size, 3], and the settings; it returns
float [batch, 2048]. All its layers' names begin with `visual_`.
"""

import warnings
from collections.abc import Callable
from typing import Any

import keras

from avinst import paths
from avinst.errors import UserError
from trainer.config import TrainConfig
from trainer.models.layers import BATCH_NORM_MOMENTUM, SMALLEST_MAP, conv_bn, features_of, stride_for

VISUAL_FEATURES = 2048
_INCEPTION_SMALLEST = 75


def inception_v3(x: Any, config: TrainConfig) -> Any:
    """Inception V3 of Szegedy et al. (arXiv 1512.00567), in this graph rather than as a model within it.

    `visual_map` is the deepest of its eleven `mixed` maps with at least 4 x 4 cells: the last one from 203 px
    on, `mixed7` at 96 px.

    Raises:
        UserError: the frame is under 75 px, or the weights cannot be had.
    """
    size = x.shape[1]
    if size < _INCEPTION_SMALLEST:
        raise UserError(
            f"frames of {size} px, inception_v3 needs {_INCEPTION_SMALLEST}; prepare with a larger --frame_size, "
            "or train with --visual_backbone=small_cnn"
        )
    before = set(_layers_of(x))
    network = _inception_graph(x, config.visual_weights)
    last_map = _deepest_map(network)
    # The names that Keras gives depend on what else was built in the process; weights are found by name.
    for number, layer in enumerate(layer for layer in network.layers if layer not in before):
        kept = layer.name if layer.name.startswith("mixed") else f"{type(layer).__name__.lower()}_{number}"
        layer.name = "visual_map" if layer is last_map else f"visual_{kept}"
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = BATCH_NORM_MOMENTUM
    return keras.layers.GlobalAveragePooling2D(name="visual_features")(network.output)


def small_cnn(x: Any, config: TrainConfig) -> Any:
    """Four plain convolutions: quick to train on small sets, and for tests."""
    for number, filters in enumerate((16, 32, 64, 128), start=1):
        x = conv_bn(x, filters, 3, stride_for(x), f"visual_block{number}")
    x = conv_bn(x, VISUAL_FEATURES, 1, 1, "visual_last")
    return features_of(x, "visual")


def _inception_graph(x: Any, weights: str) -> keras.Model:
    network = keras.applications.InceptionV3(include_top=False, weights=None, input_tensor=x)
    if weights != "none":
        source = _inception_with_weights(weights, x.shape[1])
        with_weights = [[layer for layer in model.layers if layer.weights] for model in (source, network)]
        for loaded, layer in zip(*with_weights, strict=True):
            layer.set_weights(loaded.get_weights())
    return network


def _inception_with_weights(weights: str, size: int) -> keras.Model:
    """Keras' own model: files of weights fit it, not a graph with other layers before it."""
    build = keras.applications.InceptionV3
    if weights == "imagenet":
        try:
            return build(include_top=False, weights="imagenet", input_shape=(size, size, 3))
        except Exception as error:  # urllib's, and Keras' plain Exception
            raise UserError(
                f"cannot download the ImageNet weights ({error}); get the file elsewhere and give its path as "
                "--visual_weights, or --visual_weights=none"
            ) from error
    if not paths.exists(weights):
        raise UserError(f"--visual_weights={weights}: no such file; expected imagenet, none or a weights file")
    network = build(include_top=False, weights=None, input_shape=(size, size, 3))
    try:
        # Keras only warns of layers that the file lacks, and leaves them as they are.
        with paths.local_copy(weights) as local, warnings.catch_warnings(action="error", category=UserWarning):
            network.load_weights(local)
    except (OSError, ValueError, KeyError, UserWarning) as error:
        raise UserError(
            f"--visual_weights={weights}: not the weights of Inception V3 without top ({error})"
        ) from error
    return network


def _layers_of(x: Any) -> list[Any]:
    return keras.Model(keras.utils.get_source_inputs(x), x).layers


def _deepest_map(network: keras.Model) -> Any:
    mixed = [network.get_layer(f"mixed{number}") for number in range(11)]
    return [layer for layer in mixed if min(layer.output.shape[1:3]) >= SMALLEST_MAP][-1]


VISUAL_BACKBONES: dict[str, Callable[[Any, TrainConfig], Any]] = {
    "inception_v3": inception_v3,
    "small_cnn": small_cnn,
}
