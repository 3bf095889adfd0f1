import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.config import TrainConfig
from trainer.optimization import compile_for_training, learning_rate_schedule


def test_the_learning_rate_warms_up_for_a_tenth_and_follows_a_cosine_to_0():
    schedule = learning_rate_schedule(TrainConfig(learning_rate=0.4), 100)
    found = [float(schedule(step)) for step in (0, 5, 10, 40, 55, 100, 120)]
    # A third of the way down the cosine (60 degrees) is at three quarters, half-way at half of the peak.
    np.testing.assert_allclose(found, [0.0, 0.2, 0.4, 0.3, 0.2, 0.0, 0.0], atol=1e-7)


@pytest.mark.parametrize("total_steps", [1, 2, 7, 300])
def test_the_learning_rate_is_that_of_keras(total_steps):
    warm_up = max(1, round(0.1 * total_steps))
    keras_schedule = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, total_steps - warm_up), warmup_target=1e-3, warmup_steps=warm_up
    )
    ours = learning_rate_schedule(TrainConfig(learning_rate=1e-3), total_steps)
    steps = range(total_steps + 1)
    found, expected = ([float(schedule(step)) for step in steps] for schedule in (ours, keras_schedule))
    np.testing.assert_allclose(found, expected, atol=1e-9)  # float32 of 1e-3


def test_the_schedule_is_traced_without_a_branch():
    schedule = learning_rate_schedule(TrainConfig(), 100)
    graph = tf.function(schedule).get_concrete_function(tf.TensorSpec((), tf.int64)).graph
    assert not {operation.type for operation in graph.get_operations()} & {"If", "StatelessIf", "Switch", "Case"}


@pytest.mark.parametrize(
    ("multi_label", "expected"),
    [
        # Smoothed targets of two labels: 0.95 and 0.05. Softmax of (ln 3, 0) is (3/4, 1/4).
        (False, -(0.95 * np.log(0.75) + 0.05 * np.log(0.25))),
        # Sigmoid of (ln 3, 0) is (3/4, 1/2); the mean over labels.
        (True, -(0.95 * np.log(0.75) + 0.05 * np.log(0.25) + np.log(0.5)) / 2),
    ],
)
def test_the_loss_is_smoothed_cross_entropy_of_the_logits(multi_label, expected):
    source = keras.Input((2,))
    model = keras.Model(source, keras.layers.Activation("linear")(source))
    compile_for_training(model, TrainConfig(), 10, multi_label=multi_label)
    logits, label = np.array([[np.log(3.0), 0.0]], np.float32), np.array([[1.0, 0.0]], np.float32)
    loss, accuracy = model.evaluate(logits, label, verbose=0)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)  # float32
    assert accuracy == 1.0


def test_biases_and_norms_are_not_decayed():
    source = keras.Input((2,))
    x = keras.layers.Dense(2)(source)
    model = keras.Model(source, keras.layers.BatchNormalization()(x))
    compile_for_training(model, TrainConfig(weight_decay=0.1), 10, multi_label=False)
    model.optimizer.build(model.trainable_variables)
    decayed = {
        variable.name for variable in model.trainable_variables if model.optimizer._use_weight_decay(variable)
    }
    assert decayed == {"kernel"}
