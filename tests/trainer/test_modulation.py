import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.modulated_optimizer import ModulatedAdamW
from trainer.modulation import ModulatedModel, modality_scores, modulation_coefficients


def optimizer(**settings):
    return ModulatedAdamW(
        **{"learning_rate": 0.1, "alpha": 0.5, "noise": False, "multi_label": False, "seed": 0, **settings}
    )


def toy():
    """Two convolutions of 1 x 1 to 2 features each, and the head."""
    keras.utils.set_random_seed(0)
    audio, visual = keras.Input((2, 2, 1), name="sound"), keras.Input((2, 2, 1), name="picture")
    features = []
    for source, name in ((audio, "audio"), (visual, "visual")):
        x = keras.layers.Conv2D(2, 1, name=f"{name}_conv")(source)
        features.append(keras.layers.GlobalAveragePooling2D(name=f"{name}_features")(x))
    head = keras.layers.Dense(3, name="logits", bias_initializer="random_normal")
    logits = head(keras.layers.Concatenate(name="fusion_features")(features))
    return ModulatedModel([audio, visual], logits, features=features, head=head)


@pytest.fixture
def batch():
    generator = np.random.default_rng(0)
    inputs = [generator.normal(size=(4, 2, 2, 1)).astype(np.float32) for _ in range(2)]
    return tuple(tf.constant(values) for values in inputs), tf.constant(np.eye(3, dtype=np.float32)[[0, 1, 2, 0]])


def test_the_coefficient_is_that_of_the_papers_equation_10():
    # rho of the audio is 3 / 2; the picture's, 2 / 3, is below 1.
    expected = [1 - math.tanh(0.5 * 1.5), 1.0]
    np.testing.assert_allclose(modulation_coefficients(3.0, 2.0, 0.5), expected, rtol=1e-6)  # float32
    expected = [1.0, 1 - math.tanh(0.1 * 4.0)]
    np.testing.assert_allclose(modulation_coefficients(1.0, 4.0, 0.1), expected, rtol=1e-6)
    np.testing.assert_array_equal(modulation_coefficients(2.0, 2.0, 0.5), [1.0, 1.0])


def test_the_score_is_the_probability_of_the_true_label():
    logits = tf.math.log([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]])
    label = tf.constant([[1.0, 0, 0], [0, 0.5, 0.5]])
    np.testing.assert_allclose(modality_scores(label, logits, multi_label=False), [0.7, 0.35], rtol=1e-6)
    several = tf.constant([[1.0, 1, 0]])
    found = modality_scores(several, tf.constant([[0.0, math.log(3), 5.0]]), multi_label=True)
    np.testing.assert_allclose(found, [(0.5 + 0.75) / 2], rtol=1e-6)


def test_a_training_step_takes_the_scores_of_each_modalitys_part_of_the_logits(batch):
    model = toy()
    model.compile(optimizer=optimizer(), loss=keras.losses.CategoricalCrossentropy(from_logits=True))
    model.optimizer.build(model.trainable_variables)
    (sound, picture), label = batch
    kernel, bias = model.get_layer("logits").get_weights()
    features = keras.Model(
        model.inputs, [model.get_layer(f"{name}_features").output for name in ("audio", "visual")]
    )
    sums = []
    for rows, values in ((slice(0, 2), 0), (slice(2, 4), 1)):
        part = features([sound, picture])[values].numpy() @ kernel[rows] + bias / 2
        probabilities = np.exp(part) / np.exp(part).sum(axis=1, keepdims=True)
        sums.append((label.numpy() * probabilities).sum())
    model.train_on_batch([sound, picture], label)
    expected = [
        1 - math.tanh(0.5 * ratio) if ratio > 1 else 1.0 for ratio in (sums[0] / sums[1], sums[1] / sums[0])
    ]
    assert min(expected) < 1
    (coefficients,) = [variable for variable in model.optimizer.variables if variable.name == "modulation"]
    np.testing.assert_allclose(coefficients, expected, rtol=1e-5)  # float32


def steps(scores, batch, **settings):
    """What one step, at given scores, takes off each variable."""
    model = toy()
    model.compile(
        optimizer=optimizer(weight_decay=0.0, **settings), loss=keras.losses.CategoricalCrossentropy(True)
    )
    model.optimizer.build(model.trainable_variables)
    model.optimizer.modulate = lambda *_: ModulatedAdamW.modulate(model.optimizer, *map(tf.constant, scores))
    before = [variable.numpy() for variable in model.trainable_variables]
    model.train_on_batch(list(batch[0]), batch[1])
    after = zip(model.trainable_variables, before, strict=True)
    return {variable.path: old - variable.numpy() for variable, old in after}


def test_the_kernels_of_the_modality_that_is_ahead_take_shorter_steps_and_nothing_else_does(batch):
    even, ahead = steps((1.0, 1.0), batch), steps((4.0, 2.0), batch)
    for path, step in even.items():
        factor = 1 - math.tanh(0.5 * 2.0) if path == "audio_conv/kernel" else 1.0
        np.testing.assert_allclose(ahead[path], factor * step, rtol=1e-4, atol=1e-6)  # differences of float32
        if path.startswith("visual") or path.startswith("audio"):
            assert np.abs(step).max() > 0


def test_noise_goes_into_the_encoders_kernels_alone_and_is_a_function_of_the_seed(batch):
    plain, noisy, again = (steps((1.0, 1.0), batch, noise=noise) for noise in (False, True, True))
    for path in plain:
        np.testing.assert_array_equal(noisy[path], again[path])
        assert np.allclose(noisy[path], plain[path], atol=1e-6) == (
            path not in ("audio_conv/kernel", "visual_conv/kernel")
        )
    other = steps((1.0, 1.0), batch, noise=True, seed=1)
    assert not np.array_equal(noisy["audio_conv/kernel"], other["audio_conv/kernel"])


def test_noise_has_the_gradients_deviation():
    """Of a large gradient, seen through the first moment: (1 - beta_1) times what the step was made of."""
    kernel = keras.Variable(np.zeros((1, 1, 100, 100)), name="kernel")
    kernel._path = "audio_conv/kernel"
    made = optimizer(noise=True)
    made.build([kernel])
    gradient = np.random.default_rng(0).normal(2.0, 3.0, kernel.shape).astype(np.float32)
    made.apply([tf.constant(gradient)], [kernel])
    noise = made._momentums[0].numpy() / (1 - made.beta_1) - gradient
    assert noise.mean() == pytest.approx(0.0, abs=0.15)  # five standard errors of 10,000 draws
    assert noise.std() == pytest.approx(gradient.std(), rel=0.05)
    assert abs(np.corrcoef(noise.ravel(), gradient.ravel())[0, 1]) < 0.05


def test_outside_of_training_it_is_the_plain_network(batch):
    model = toy()
    plain = keras.Model(model.inputs, model.outputs)
    np.testing.assert_array_equal(model(batch[0], training=False), plain(batch[0], training=False))
    names = [variable.path for variable in model.variables]
    assert len(names) == len(set(names)) == 6
