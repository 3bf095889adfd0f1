import keras
import numpy as np
import tensorflow as tf

from trainer.batch_norm import reestimate_batch_norm


def model_with_two_norms():
    source = keras.Input((4,), name="log_mel")
    x = keras.layers.BatchNormalization(name="first")(source)
    x = keras.layers.Rescaling(3.0, offset=1.0)(x)
    return keras.Model(source, keras.layers.BatchNormalization(name="second")(x))


def batches_of(values, size):
    labels = np.zeros((len(values), 1), np.float32)
    return tf.data.Dataset.from_tensor_slices((values, labels)).batch(size)


def test_statistics_are_those_of_all_batches():
    values = np.random.default_rng(0).normal(5, 2, (24, 4)).astype(np.float32)
    model = model_with_two_norms()
    assert reestimate_batch_norm(model, batches_of(values, 8)) == 2
    first, second = model.get_layer("first"), model.get_layer("second")
    np.testing.assert_allclose(first.moving_mean, values.mean(axis=0), rtol=1e-5)  # float32
    np.testing.assert_allclose(first.moving_variance, values.var(axis=0), rtol=1e-4)  # difference of squares
    # Each batch arrives there with mean 0 and variance var / (var + 1e-3), tripled and shifted by 1.
    np.testing.assert_allclose(second.moving_mean, 1.0, atol=1e-4)
    np.testing.assert_allclose(second.moving_variance, 9.0, rtol=2e-3)


def test_frozen_layers_and_weights_stay():
    values = np.random.default_rng(0).normal(5, 2, (16, 4)).astype(np.float32)
    model = model_with_two_norms()
    model.get_layer("first").trainable = False
    assert reestimate_batch_norm(model, batches_of(values, 8)) == 1
    first = model.get_layer("first")
    np.testing.assert_array_equal(first.moving_mean, 0.0)
    np.testing.assert_array_equal(first.moving_variance, 1.0)
    np.testing.assert_array_equal(first.gamma, 1.0)
    # Frozen, the first layer changes nothing (but by its epsilon), so the second sees 3 x + 1.
    np.testing.assert_allclose(
        model.get_layer("second").moving_mean, 3 * values.mean(axis=0) / np.sqrt(1.001) + 1, rtol=1e-4
    )
