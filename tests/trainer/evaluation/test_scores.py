import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from trainer.evaluation import scores

# Four rows, three labels; the third row's true label is the least probable.
LABELS = np.eye(3)[[0, 1, 2, 0]]
PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.5, 0.3, 0.2], [0.9, 0.05, 0.05]])
ONCE = np.ones((1, 4))


def test_hits_by_hand():
    assert scores.hit_at(1, LABELS, PROBABILITIES, ONCE) == [0.5]
    assert scores.hit_at(2, LABELS, PROBABILITIES, ONCE) == [0.75]
    assert scores.hit_at(3, LABELS, PROBABILITIES, ONCE) == [1.0]
    # The second row three times: 2 of 6.
    assert scores.hit_at(1, LABELS, PROBABILITIES, np.array([[1.0, 3, 1, 1]])) == [2 / 6]


def test_of_equally_probable_labels_the_first_is_decided_for():
    equal = np.full((2, 4), 0.25)
    assert scores.hit_at(1, np.eye(4)[[0, 1]], equal, np.ones((1, 2))) == [0.5]
    assert scores.hit_at(3, np.eye(4)[[2, 3]], equal, np.ones((1, 2))) == [0.5]
    # Several true labels: the best of them counts; none: nothing is hit.
    several = np.array([[0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    assert scores.hit_at(1, several, np.array([[0.4, 0.1, 0.0, 0.5]] * 2), np.ones((1, 2))) == [0.5]


def test_f1_by_hand():
    decided = scores.decisions(PROBABILITIES, multi_label=False)
    # Label 0: precision 2/4, recall 1; label 1 and 2: never decided.
    np.testing.assert_allclose(scores.f1(LABELS, decided, ONCE), [[2 / 3, 0, 0]])


def test_average_precision_by_hand():
    found = scores.average_precision(LABELS, PROBABILITIES, ONCE)
    # Label 0: its rows come first and second. Label 1: first. Label 2: first.
    np.testing.assert_allclose(found, [[1, 1, 1]])
    worse = scores.average_precision(LABELS[::-1], PROBABILITIES, ONCE)
    # Reversed labels 0, 2, 1, 0: label 0 at ranks 1 and 2 of (0.9, 0.7, 0.5, 0.5); label 2 ties for rank 2 to 3.
    np.testing.assert_allclose(worse[0, 0], 1.0)
    np.testing.assert_allclose(worse[0, 2], 1 / 3)


def test_log_loss_by_hand():
    found = scores.log_loss(LABELS, PROBABILITIES, ONCE, multi_label=False)
    np.testing.assert_allclose(found, -np.log([0.7, 0.4, 0.2, 0.9]).mean())


def test_a_label_without_an_example_is_left_out_of_the_means():
    labels = np.eye(3)[[0, 1, 1, 0]]
    found = scores.weighted_scores(labels, PROBABILITIES, ONCE, multi_label=False)
    decided = scores.decisions(PROBABILITIES, multi_label=False)
    assert np.isnan(scores.f1(labels, decided, ONCE)[0, 2])
    expected = sk.f1_score([0, 1, 1, 0], [0, 0, 0, 0], labels=[0, 1], average="macro")
    np.testing.assert_allclose(found["f1_macro"], expected)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_weighted_scores_are_those_of_scikit_learn(seed, multi_label):
    generator = np.random.default_rng(seed)
    count, labels_count = 30, 4
    # One decimal: many ties.
    probabilities = generator.dirichlet(np.ones(labels_count), count).round(1)
    truth = generator.integers(0, labels_count, count)
    labels = np.eye(labels_count)[truth]
    if multi_label:
        labels = np.maximum(labels, generator.random(labels.shape) < 0.3).astype(float)
    weights = generator.multinomial(count, np.full(count, 1 / count)).astype(float)
    present = np.flatnonzero(weights @ labels > 0)
    found = scores.weighted_scores(labels, probabilities, weights[None], multi_label=multi_label)
    average = [
        sk.average_precision_score(labels[:, k], probabilities[:, k], sample_weight=weights) for k in present
    ]
    np.testing.assert_allclose(found["map"][0], np.mean(average))
    decided = scores.decisions(probabilities, multi_label=multi_label)
    f1 = sk.f1_score(labels, decided, average=None, sample_weight=weights, zero_division=0.0)
    np.testing.assert_allclose(found["f1_macro"][0], np.mean(f1[present]))
    if not multi_label:
        kept = weights > 0
        top = sk.accuracy_score(truth[kept], probabilities.argmax(axis=1)[kept], sample_weight=weights[kept])
        np.testing.assert_allclose(found["hit_at_1"][0], top)


def test_multi_label_log_loss_is_binary_cross_entropy():
    labels = np.array([[1.0, 1.0], [0.0, 1.0]])
    probabilities = np.array([[0.9, 0.6], [0.2, 0.5]])
    found = scores.log_loss(labels, probabilities, np.ones((1, 2)), multi_label=True)
    np.testing.assert_allclose(found, -np.log([0.9, 0.6, 0.8, 0.5]).mean())


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_certainty_gives_finite_scores(probability):
    probabilities = np.array([[probability, 1 - probability]])
    found = scores.weighted_scores(np.array([[1.0, 0.0]]), probabilities, np.ones((1, 1)), multi_label=False)
    assert all(np.isfinite(value).all() for value in found.values())
