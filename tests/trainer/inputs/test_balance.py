import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from dataset_factory import LABELS, SPEC, write_dataset

from trainer.config import TrainConfig
from trainer.inputs.balance import drawn_by_weight, example_weights, label_weights
from trainer.inputs.pipeline import training_examples

CONFIG = TrainConfig(batch_size=30, augment=False)


def with_counts(dataset, *counts):
    return dataclasses.replace(dataset, label_segments={"train": dict(zip(LABELS, counts, strict=True))})


@pytest.fixture(scope="module")
def unbalanced(tmp_path_factory):
    """Of 60 recordings 50 bear the first label, 6 the second, 4 the third."""
    labels = [0] * 50 + [1] * 6 + [2] * 4
    return write_dataset(
        tmp_path_factory.mktemp("unbalanced"),
        recordings={"train": 60, "validation": 0, "test": 0},
        segments_per_recording=1,
        spec=dataclasses.replace(SPEC, frame_size=32),
        label_of=labels.__getitem__,
    )


def test_the_weights_make_every_label_count_alike(dataset):
    # 60 marks, 3 labels: 20 each would be even.
    weights = label_weights(with_counts(dataset, 50, 8, 2))
    np.testing.assert_allclose(weights, [0.4, 2.5, 10.0], rtol=1e-6)  # float32
    assert weights @ [50, 8, 2] == pytest.approx(60)


def test_a_label_that_does_not_occur_has_no_part(dataset):
    np.testing.assert_allclose(label_weights(with_counts(dataset, 30, 10, 0)), [2 / 3, 2.0, 0.0], rtol=1e-6)


def test_an_examples_weight_is_the_mean_over_its_labels_by_share():
    weights = np.array([0.4, 2.5, 10.0], np.float32)
    label = tf.constant([[0.0, 1, 0], [1, 0, 1], [0.75, 0.25, 0]])
    np.testing.assert_allclose(example_weights(label, weights), [2.5, 5.2, 0.925], rtol=1e-6)


def test_rows_are_drawn_as_often_as_their_weights_say():
    weights = tf.constant([0.25, 1.0, 2.5])
    times = np.array(
        [np.bincount(drawn_by_weight(weights, tf.constant([7, n], tf.int64)), minlength=3) for n in range(400)]
    )
    assert set(times[:, 0]) == {0, 1}
    assert set(times[:, 1]) == {1}
    assert set(times[:, 2]) == {2, 3}
    # The standard error of the mean of 400 draws is at most 0.025.
    np.testing.assert_allclose(times.mean(axis=0), weights, atol=0.1)


def test_sampling_shows_the_labels_equally_often_and_each_epoch_other_examples(unbalanced):
    config = dataclasses.replace(CONFIG, balance="sampling")
    epochs = 30
    batches = list(training_examples(unbalanced, config).take(2 * epochs))
    counts = sum(label.numpy().sum(axis=0) for _, label in batches)
    # 1800 draws, 600 a label; the fractions of the weights 0.4, 3.33 and 5 leave a deviation of about 20.
    np.testing.assert_allclose(counts, 600, atol=80)
    shown = [
        {
            row.tobytes()
            for features, _ in batches[2 * epoch : 2 * epoch + 2]
            for row in features["log_mel"].numpy()
        }
        for epoch in range(2)
    ]
    assert shown[0] != shown[1]


def test_weights_come_with_the_examples_and_follow_the_mixed_labels(unbalanced):
    config = dataclasses.replace(CONFIG, balance="weights", mix="mixup", mix_alpha=1.0)
    weights = label_weights(unbalanced)
    for _, label, weight in training_examples(unbalanced, config).take(2):
        np.testing.assert_allclose(weight, label.numpy() @ weights, rtol=1e-5)  # float32


def test_the_plain_examples_are_as_frequent_as_they_are(unbalanced):
    config = dataclasses.replace(CONFIG, balance="sampling")
    epoch = list(training_examples(unbalanced, config, plain=True).take(2))
    np.testing.assert_array_equal(sum(label.numpy().sum(axis=0) for _, label in epoch), [50, 6, 4])


def test_cached_examples_are_sampled_too(unbalanced):
    config = dataclasses.replace(CONFIG, balance="sampling", cache="memory")
    counts = sum(label.numpy().sum(axis=0) for _, label in training_examples(unbalanced, config).take(20))
    assert counts[2] > 120  # 200 expected, 40 without
