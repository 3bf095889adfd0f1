"""Where in the input the cells of a feature map look: the centres of their receptive fields.

A map of a few cells must not be stretched evenly over its input. Convolutions without padding leave the borders
out and padding at even sizes is lopsided: spread evenly, the outer cells of InceptionV3 would be drawn 19 of 299
pixels from where they look, at 96 pixels 14.
"""

from typing import Any

import keras
import numpy as np

_KERNEL_LAYERS = (
    keras.layers.Conv2D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
    keras.layers.MaxPooling2D,
    keras.layers.AveragePooling2D,
)


def cell_centres(model: keras.Model, layer_name: str) -> tuple[np.ndarray, np.ndarray]:
    """Centres of the receptive fields of a map's rows and columns.

    Follows the model's graph from the map to its input. Where a layer on the way has a geometry that is not
    known here, the cells are spread evenly.

    Args:
        model: flat; the map's input is [n, height, width, ...].
        layer_name: of a layer that gives [n, rows, columns, channels].

    Returns:
        float64 [rows] and float64 [columns], in pixels of the input; 0 is the centre of the first pixel.
    """
    tensor = model.get_layer(layer_name).output
    size = tensor.shape[1:3]
    chain, source = _chain(tensor)
    axes = []
    for axis in (0, 1):
        start, step = 0.0, 1.0
        for layer, before, after in chain:
            shift, stride = _geometry(layer, axis, before[1 + axis], after[1 + axis])
            start, step = start + shift * step, step * stride
        if not np.isfinite(start + step):
            step = source[1 + axis] / size[axis]
            start = (step - 1) / 2
        axes.append(start + step * np.arange(size[axis]))
    return axes[0], axes[1]


def spread_over_input(
    maps: np.ndarray, centres: tuple[np.ndarray, np.ndarray], size: tuple[int, int]
) -> np.ndarray:
    """Maps at their input's size: each cell's value stands at its centre, between centres it is interpolated.

    Args:
        maps: float [n, rows, columns].
        centres: of rows and columns, as `cell_centres` gives them.
        size: height and width of the input.

    Returns:
        float32 [n, *size]; beyond the outer centres the outer cells' values.
    """
    return spread_at(maps, centres, np.arange(size[0]), np.arange(size[1]))


def spread_at(
    maps: np.ndarray, centres: tuple[np.ndarray, np.ndarray], rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """As `spread_over_input`, at places of one's own choice.

    Args:
        maps: float [n, rows, columns].
        centres: of rows and columns, as `cell_centres` gives them.
        rows: float [height], where to look, in pixels of the input.
        columns: float [width], the same.

    Returns:
        float32 [n, height, width].
    """
    across = maps.astype(np.float32) @ cell_weights(centres[1], columns).T
    return np.einsum("yr,nrx->nyx", cell_weights(centres[0], rows), across, optimize=True)


def cell_weights(centres: np.ndarray, places: np.ndarray) -> np.ndarray:
    """How much each cell counts at each place, linear between two centres: float32 [places, cells]."""
    columns = [np.interp(places, centres, unit) for unit in np.eye(len(centres))]
    return np.stack(columns, axis=1).astype(np.float32)


def _chain(tensor: Any) -> tuple[list[tuple[Any, tuple, tuple]], tuple]:
    """Layers from the input to the tensor with the shapes they take and give, and the input's shape."""
    chain: list[tuple[Any, tuple, tuple]] = []
    while True:
        layer = tensor._keras_history.operation
        if isinstance(layer, keras.layers.InputLayer):
            return chain[::-1], tensor.shape
        # Branches that meet again look at the same place; one that has no rows and columns is a gate.
        inputs = [source for source in keras.tree.flatten(layer.input) if len(source.shape) >= 3]
        if not inputs:
            return [(layer, (None, None, None), tensor.shape)], tensor.shape
        chain.append((layer, inputs[0].shape, tensor.shape))
        tensor = inputs[0]


def _geometry(layer: Any, axis: int, before: int, after: int) -> tuple[float, float]:
    """How far the first cell's centre moves, in cells of what goes in, and how many of them a step is."""
    if isinstance(layer, keras.layers.ZeroPadding2D):
        return -float(layer.padding[axis][0]), 1.0
    if isinstance(layer, _KERNEL_LAYERS):
        pooling = isinstance(layer, keras.layers.MaxPooling2D | keras.layers.AveragePooling2D)
        kernel = (layer.pool_size if pooling else layer.kernel_size)[axis]
        if not pooling:
            kernel = (kernel - 1) * layer.dilation_rate[axis] + 1
        stride = layer.strides[axis]
        # TensorFlow's rule: what is missing for whole steps is padded, the odd one at the end.
        missing = max((after - 1) * stride + kernel - before, 0) if layer.padding == "same" else 0
        return (kernel - 1) / 2 - missing // 2, float(stride)
    return (0.0, 1.0) if before == after else (np.nan, np.nan)
