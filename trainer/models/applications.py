"""Networks of keras.applications in this project's graph: prefixed names, weights, the deepest useful map."""

import contextlib
import dataclasses
import re
import sys
import warnings
from collections.abc import Callable
from typing import Any

import keras

from avinst import paths
from avinst.errors import UserError
from trainer.config import TrainConfig
from trainer.models.layers import BATCH_NORM_MOMENTUM, SMALLEST_MAP
from trainer.weights_file import check_weights_file

# Names that Keras gives by counting: they depend on what else was built in the process.
_COUNTED = re.compile(r"(conv2d|batch_normalization|activation|(average|max)_pooling2d|concatenate)(_\d+)?")


@dataclasses.dataclass(frozen=True)
class Application:
    """A network of keras.applications.

    Attributes:
        title: as messages call it.
        flag: its name as a value of --visual_backbone.
        build: makes it; takes include_top, weights, input_tensor or input_shape, and the options.
        options: for `build`.
        smallest: the smallest frame that it takes, px.
        maps: pattern of the names of the layers whose outputs may be the `visual_map`.
    """

    title: str
    flag: str
    build: Callable[..., keras.Model]
    options: dict[str, Any]
    smallest: int
    maps: str

    def check(self, size: int) -> None:
        """Raises UserError for frames that are too small."""
        if size < self.smallest:
            raise UserError(
                f"frames of {size} px, {self.flag} needs {self.smallest}; prepare with a larger --frame_size, "
                "or train with --visual_backbone=small_cnn"
            )

    def graph(self, x: Any, config: TrainConfig) -> tuple[Any, list[Any]]:
        """Applies the network without its top, in this graph rather than as a model within it.

        Args:
            x: frames as the network takes them, [batch, size, size, 3].
            config: `visual_weights`.

        Returns:
            The last map, and the layers whose outputs may be the `visual_map`, in their order. The names of all
            layers begin with `visual_`.

        Raises:
            UserError: the weights cannot be had.
        """
        before = set(keras.Model(keras.utils.get_source_inputs(x), x).layers)
        network = self.build(include_top=False, weights=None, input_tensor=x, **self.options)
        if config.visual_weights != "none":
            check_weights_file(config)
            _copy_in_order(self.with_weights(config.visual_weights, x.shape[1]), network)
        candidates = []
        for number, layer in enumerate(layer for layer in network.layers if layer not in before):
            if re.fullmatch(self.maps, layer.name):
                candidates.append(layer)
            counted = _COUNTED.fullmatch(layer.name)
            layer.name = f"visual_{f'{type(layer).__name__.lower()}_{number}' if counted else layer.name}"
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = BATCH_NORM_MOMENTUM
        return network.output, candidates

    def with_weights(self, weights: str, size: int) -> keras.Model:
        """Keras' own model: files of weights fit it, not a graph with other layers before it.

        Args:
            weights: imagenet, or a file.
            size: of the frames, px.

        Raises:
            UserError: they cannot be downloaded, or the file is not there or of another network.
        """
        options = {"include_top": False, "input_shape": (size, size, 3), **self.options}
        if weights == "imagenet":
            try:
                with contextlib.redirect_stdout(sys.stderr):  # Keras tells of the download; stdout may be JSON
                    return self.build(weights="imagenet", **options)
            except Exception as error:  # urllib's, and Keras' plain Exception
                raise UserError(
                    f"cannot download the ImageNet weights ({error}); get the file elsewhere and give its path as "
                    "--visual_weights, or --visual_weights=none"
                ) from error
        network = self.build(weights=None, **options)
        try:
            # Keras only warns of layers that the file lacks, and leaves them as they are.
            with paths.local_copy(weights) as local, warnings.catch_warnings(action="error", category=UserWarning):
                network.load_weights(local)
        except (OSError, ValueError, KeyError, UserWarning) as error:
            raise UserError(
                f"--visual_weights={weights}: not the weights of {self.title} without top ({error})"
            ) from error
        return network


def name_the_map(candidates: list[Any]) -> None:
    """Names the deepest of the layers whose maps have at least 4 x 4 cells `visual_map`."""
    large = [layer for layer in candidates if min(layer.output.shape[1:3]) >= SMALLEST_MAP]
    large[-1].name = "visual_map"


def _copy_in_order(source: keras.Model, target: keras.Model) -> None:
    with_weights = [[layer for layer in model.layers if layer.weights] for model in (source, target)]
    for loaded, layer in zip(*with_weights, strict=True):
        layer.set_weights(loaded.get_weights())
