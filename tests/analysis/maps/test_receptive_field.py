import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from analysis.maps.receptive_field import cell_centres, spread_over_input


def network(size, *body):
    inputs = keras.Input((*size, 1))
    x = inputs
    for layer in body:
        x = layer(x)
    return keras.Model(inputs, layers.Activation("linear", name="map")(x))


def seen_by(model, row, column):
    """First and last input row and column that change a cell, by gradients; weights and input are positive."""
    image = tf.ones((1, *model.inputs[0].shape[1:]))
    with tf.GradientTape() as tape:
        tape.watch(image)
        value = tf.reduce_sum(model(image)[0, row, column])
    rows, columns = np.nonzero(np.asarray(tape.gradient(value, image))[0, ..., 0])
    return rows.min(), rows.max(), columns.min(), columns.max()


def conv(kernel, strides=1, padding="valid", dilation=1):
    return layers.Conv2D(
        1, kernel, strides=strides, padding=padding, dilation_rate=dilation, kernel_initializer="ones"
    )


@pytest.mark.parametrize(
    "body",
    [
        [conv(3, 2, "same"), conv(3, 2, "same"), conv(3, 2, "same")],
        [conv(3, 2), conv(3), layers.AveragePooling2D(3, 2), conv((1, 5), padding="same")],
        [layers.ZeroPadding2D(((3, 2), (1, 4))), conv(5, 2, "same"), layers.AveragePooling2D(2, padding="same")],
        [
            conv(3, dilation=2),
            layers.SeparableConv2D(1, 3, 2, "same", depthwise_initializer="ones"),
        ],
        [layers.DepthwiseConv2D(4, 3, depthwise_initializer="ones"), layers.BatchNormalization()],
    ],
)
@pytest.mark.parametrize("size", [(64, 61), (96, 75)])
def test_centres_are_the_middles_of_what_changes_a_cell(body, size):
    model = network(size, *[layer.__class__.from_config(layer.get_config()) for layer in body])
    rows, columns = cell_centres(model, "map")
    # Cells in the middle: their fields are cut by no border.
    row, column = len(rows) // 2, len(columns) // 2
    first_row, last_row, first_column, last_column = seen_by(model, row, column)
    assert rows[row] == (first_row + last_row) / 2
    assert columns[column] == (first_column + last_column) / 2


def test_inception_as_worked_out_by_hand():
    # Stem without padding: centres move by 1, 2, 2, 4, 4 to 13 at a step of 8; mixed3 and mixed8 move by 8 and 16.
    inception = keras.applications.InceptionV3(weights=None, include_top=False, input_shape=(299, 299, 3))
    rows, columns = cell_centres(inception, "mixed10")
    assert rows.tolist() == columns.tolist() == [37.0 + 32.0 * cell for cell in range(8)]


def test_branches_with_a_gate_and_layers_without_known_geometry():
    inputs = keras.Input((16, 16, 1))
    x = conv(3, 2, "same")(inputs)
    gate = layers.Dense(1)(layers.GlobalAveragePooling2D()(x))
    gated = layers.Multiply(name="gated")([gate, x])
    resized = layers.UpSampling2D(2, name="resized")(gated)
    model = keras.Model(inputs, [gated, resized])
    assert cell_centres(model, "gated")[0].tolist() == [1.0 + 2.0 * cell for cell in range(8)]
    assert cell_centres(model, "resized")[0].tolist() == list(range(16))  # evenly: as many cells as pixels


def test_a_spectrogram_gets_its_channel_on_the_way():
    inputs = keras.Input((24, 16), name="log_mel")
    x = layers.AveragePooling2D(4, name="map")(layers.Reshape((24, 16, 1))(inputs))
    rows, columns = cell_centres(keras.Model(inputs, x), "map")
    assert rows.tolist() == [1.5, 5.5, 9.5, 13.5, 17.5, 21.5]
    assert columns.tolist() == [1.5, 5.5, 9.5, 13.5]


def test_values_stand_at_their_centres_and_are_interpolated_between():
    maps = np.array([[[0.0, 4.0], [2.0, 6.0]]])
    spread = spread_over_input(maps, (np.array([1.0, 3.0]), np.array([0.0, 2.0])), (5, 4))
    assert spread[0].tolist() == [
        [0.0, 2.0, 4.0, 4.0],
        [0.0, 2.0, 4.0, 4.0],
        [1.0, 3.0, 5.0, 5.0],
        [2.0, 4.0, 6.0, 6.0],
        [2.0, 4.0, 6.0, 6.0],
    ]
