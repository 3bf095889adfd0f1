import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from trainer.evaluation.calibration import calibration_error, label_calibration_errors, reliability

# Four rows, three labels; the third row's true label is the least probable.
LABELS = np.eye(3)[[0, 1, 2, 0]]
PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.5, 0.3, 0.2], [0.9, 0.05, 0.05]])
ONCE = np.ones((1, 4))


def test_the_most_probable_label_by_hand():
    # Confidences 0.7, 0.5, 0.5, 0.9 in bins 11, 8, 8, 14 of 15: gaps +0.3, -0.5 - 0.5 (one bin), +0.1.
    found = calibration_error(LABELS, PROBABILITIES, ONCE, multi_label=False)
    np.testing.assert_allclose(found, [(0.3 + 1.0 + 0.1) / 4])


def test_each_label_by_hand():
    labels = np.array([[1, 0], [0, 1], [1, 1], [0, 0]])
    probabilities = np.array([[0.9, 0.3], [0.88, 0.7], [0.2, 0.31], [0.2, 0.9]])
    # Label 0: 0.9 and 0.88 in one bin (+0.1 - 0.88), 0.2 and 0.2 in another (+0.8 - 0.2).
    # Label 1: 0.3 and 0.31 in one bin (-0.3 + 0.69), 0.7 (+0.3), 0.9 (-0.9).
    expected = [(0.78 + 0.6) / 4, (0.39 + 0.3 + 0.9) / 4]
    np.testing.assert_allclose(label_calibration_errors(labels, probabilities, ONCE), [expected])
    found = calibration_error(labels, probabilities, ONCE, multi_label=True)
    np.testing.assert_allclose(found, [np.mean(expected)])


def test_weights_are_repetitions():
    weights = np.array([[0.0, 3, 1, 2]])
    for multi_label in (False, True):
        found = calibration_error(LABELS, PROBABILITIES, weights, multi_label=multi_label)
        rows = [1, 1, 1, 2, 3, 3]
        repeated = calibration_error(LABELS[rows], PROBABILITIES[rows], np.ones((1, 6)), multi_label=multi_label)
        np.testing.assert_allclose(found, repeated)


@pytest.mark.parametrize("multi_label", [False, True])
def test_the_bins_are_those_of_scikit_learn(multi_label):
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet(np.ones(4), 200)
    probabilities[0] = [0, 1, 0, 0]
    labels = np.eye(4)[generator.integers(0, 4, 200)]
    found = reliability(labels, probabilities, multi_label=multi_label)
    if multi_label:
        judged, true = probabilities.ravel(), labels.ravel()
    else:
        judged, true = probabilities.max(axis=1), labels[np.arange(200), probabilities.argmax(axis=1)]
    accuracy, confidence = calibration_curve(true, judged, n_bins=15)
    filled = np.flatnonzero(found["count"])
    np.testing.assert_allclose([found["accuracy"][index] for index in filled], accuracy)
    np.testing.assert_allclose([found["confidence"][index] for index in filled], confidence)
    assert sum(found["count"]) == len(judged)
    assert {found["accuracy"][index] for index in range(15) if index not in filled} <= {None}


def test_a_bin_holds_its_upper_edge():
    bins = reliability(np.zeros((3, 2)), np.array([[0.2, 0.0], [1.0, 0.6], [0.19, 0.21]]), multi_label=True)
    assert {index: count for index, count in enumerate(bins["count"]) if count} == {0: 1, 2: 2, 3: 1, 8: 1, 14: 1}


def test_the_error_is_the_mean_gap_of_the_bins():
    bins = reliability(LABELS, PROBABILITIES, multi_label=False)
    gaps = [
        count * abs(accuracy - confidence)
        for count, accuracy, confidence in zip(bins["count"], bins["accuracy"], bins["confidence"], strict=True)
        if count
    ]
    found = calibration_error(LABELS, PROBABILITIES, ONCE, multi_label=False)
    np.testing.assert_allclose(found, sum(gaps) / 4)
