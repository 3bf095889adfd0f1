import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import average_precision_score, f1_score

from trainer.config import TrainConfig
from trainer.optimization import compile_for_training
from trainer.validation import Validation


@pytest.mark.parametrize("multi_label", [False, True])
def test_the_metrics_are_those_of_keras_and_scikit_learn(multi_label):
    generator = np.random.default_rng(1)
    logits = generator.normal(size=(21, 3)).astype(np.float32)
    labels = np.eye(3, dtype=np.float32)[generator.integers(0, 3, 21)]
    if multi_label:
        labels = np.maximum(labels, labels[::-1])
    source = keras.Input((3,))
    model = keras.Model(source, keras.layers.Dropout(0.5)(source))  # of training alone
    compile_for_training(model, TrainConfig(), 10, multi_label=multi_label)
    batches = tf.data.Dataset.from_tensor_slices((logits, labels)).batch(8)
    done = []
    found = Validation(model, batches, multi_label=multi_label).measure(done.append)
    assert done == [1, 2, 3]
    loss, accuracy = model.evaluate(logits, labels, verbose=0)
    np.testing.assert_allclose([found["val_loss"], found["val_accuracy"]], [loss, accuracy], rtol=1e-5)  # float32
    probabilities = (tf.sigmoid if multi_label else tf.nn.softmax)(logits).numpy()
    decided = probabilities >= 0.5 if multi_label else probabilities == probabilities.max(axis=1, keepdims=True)
    np.testing.assert_allclose(found["val_map"], average_precision_score(labels, probabilities, average="macro"))
    np.testing.assert_allclose(found["val_f1_macro"], f1_score(labels, decided, average="macro"))


def test_it_leaves_the_training_metrics_as_they_are():
    """They are saved with a training that is interrupted while it validates."""
    source = keras.Input((2,))
    model = keras.Model(source, keras.layers.Dense(2)(source))
    compile_for_training(model, TrainConfig(), 10, multi_label=False)
    rows = np.eye(2, dtype=np.float32)
    model.fit(rows, rows, verbose=0)
    before = [variable.numpy() for variable in model.metrics_variables]
    assert before[0] != 0
    batches = tf.data.Dataset.from_tensors((rows, rows)).apply(tf.data.experimental.assert_cardinality(1))
    Validation(model, batches, multi_label=False).measure(lambda done: None)
    for found, expected in zip(model.metrics_variables, before, strict=True):
        np.testing.assert_array_equal(found, expected)
