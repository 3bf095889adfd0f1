import numpy as np
import pytest
from scipy.stats import binom
from sklearn.metrics import average_precision_score

from trainer.audit.measures import (
    Difference,
    Interval,
    by_chance,
    mcnemar_p_value,
    paired_scores,
    product,
    right,
    share,
)

TRUTH = np.eye(2, dtype=np.float32)[[0, 0, 0, 1]]


def certain(columns):
    return np.eye(2)[columns]


def test_scores_and_differences_by_hand():
    found = paired_scores(TRUTH, {"a": certain([0, 0, 1, 1]), "b": certain([0, 1, 1, 1])}, multi_label=False)
    assert found.score("a").value == 0.75
    assert found.difference("a", "b").value == 0.25
    assert found.difference("a", "a") == Difference(0, 0, 0, 1.0)


def test_the_same_resamples_for_all_systems():
    """One is right wherever the other is, and on 10 of 100 recordings more: the difference is never negative."""
    labels = np.eye(2, dtype=np.float32)[[0] * 100]
    worse = certain(np.arange(100) % 2)
    better = certain(np.where(np.arange(100) < 20, 0, np.arange(100) % 2))
    difference = paired_scores(labels, {"a": better, "b": worse}, multi_label=False).difference("a", "b")
    # Binomial: 100 draws with a share of 0.1 give 0.05 to 0.16; apart, the interval would be -0.04 to 0.24.
    low, high = binom.ppf([0.025, 0.975], 100, 0.1) / 100
    assert difference.p_value == pytest.approx(2 * 0.5**10)
    assert abs(difference.low - low) <= 0.01
    assert abs(difference.high - high) <= 0.01


def test_with_several_labels_the_score_is_the_mean_average_precision():
    generator = np.random.default_rng(0)
    labels = (generator.random((40, 3)) < 0.4).astype(np.float32)
    labels[:, 0] = 1
    probabilities = generator.random((40, 3))
    paired = paired_scores(labels, {"a": probabilities, "b": labels}, multi_label=True)
    found = paired.score("a")
    assert found.value == pytest.approx(average_precision_score(labels, probabilities, average="macro"))
    assert found.low < found.value < found.high
    assert paired.difference("a", "b").p_value is None


def test_a_label_that_a_resample_lacks_is_left_out_of_it():
    labels = np.eye(3, dtype=np.float32)[[0] * 9 + [1]]
    found = paired_scores(labels, {"a": labels}, multi_label=True).score("a")
    assert found == Interval(1, 1, 1)


def test_chance_is_the_most_common_label():
    found = paired_scores(TRUTH, {"chance": by_chance(TRUTH)}, multi_label=False)
    assert found.score("chance").value == 0.75
    several = np.array([[1, 1], [1, 0], [1, 0], [1, 0]], np.float32)
    # Average precision of a constant is the label's share: 1 and 0.25.
    assert paired_scores(several, {"chance": by_chance(several)}, multi_label=True).score("chance").value == 0.625


def test_the_product_is_normalized():
    first, second = np.array([[0.8, 0.2], [1, 0]]), np.array([[0.5, 0.5], [0, 1]])
    # The second row: each excludes the other's label, so neither wins.
    np.testing.assert_allclose(product(first, second, multi_label=False), [[0.8, 0.2], [0.5, 0.5]])
    # 0.8 * 0.5 / (0.8 * 0.5 + 0.2 * 0.5); 0.9 * 0.9 / (0.81 + 0.01).
    found = product(np.array([[0.8, 0.9, 1]]), np.array([[0.5, 0.9, 0]]), multi_label=True)
    np.testing.assert_allclose(found, [[0.8, 0.81 / 0.82, 0.5]])


def test_right_is_a_true_label_on_top():
    labels = np.array([[1, 1, 0], [0, 0, 1]], np.float32)
    assert right(labels, np.array([[0.1, 0.9, 0.2], [0.6, 0.1, 0.3]])).tolist() == [True, False]


@pytest.mark.parametrize(("gains", "losses"), [(6, 0), (3, 9), (5, 5), (1, 0)])
def test_mcnemar_is_a_two_sided_binomial_test(gains, losses):
    count = gains + losses
    expected = min(1.0, 2 * binom.cdf(min(gains, losses), count, 0.5))
    assert mcnemar_p_value(gains, losses) == pytest.approx(expected)


def test_without_a_changed_recording_nothing_speaks_against_chance():
    assert mcnemar_p_value(0, 0) == 1.0


def test_a_share_and_its_interval():
    found = share(np.arange(100) < 30)
    assert found.value == 0.3
    low, high = binom.ppf([0.025, 0.975], 100, 0.3) / 100
    assert abs(found.low - low) <= 0.02  # 1000 resamples
    assert abs(found.high - high) <= 0.02
