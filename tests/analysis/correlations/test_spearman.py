import numpy as np
import pytest
from scipy import stats

from analysis.correlations.spearman import (
    bootstrap_means,
    centred_intervals,
    dead_features,
    mean_absolute_within,
    permutation_null,
    spearman,
)


def generator(seed=0):
    return np.random.default_rng(seed)


def mean_absolute_intervals(x, y, resamples, source):
    return centred_intervals(*bootstrap_means(x, y, resamples, source))


def test_rho_of_a_case_worked_out_by_hand():
    # Ranks 1 2 3 4 against 2 1 4 3: 1 - 6 (1 + 1 + 1 + 1) / (4 x 15) = 0.6.
    x = np.array([[10.0], [20.0], [30.0], [40.0]])
    y = np.array([[2.0], [1.0], [400.0], [3.0]])
    assert spearman(x, y)[0, 0] == pytest.approx(0.6, abs=1e-12)


def test_ties_share_their_ranks_as_in_scipy():
    # ReLU features: more than half of the values are equal, zero.
    values = np.maximum(generator().normal(-0.3, 1.0, (40, 12)), 0.0)
    expected = stats.spearmanr(values).statistic
    np.testing.assert_allclose(spearman(values), expected, atol=1e-12)  # the same sums in another order


def test_a_dead_feature_has_no_correlation_and_is_named():
    values = generator().normal(size=(20, 4))
    values[:, 2] = 0.0
    rho = spearman(values)
    assert np.isnan(rho[2]).all()
    assert np.isnan(rho[:, 2]).all()
    assert np.isfinite(np.delete(np.delete(rho, 2, 0), 2, 1)).all()
    assert dead_features(values).tolist() == [False, False, True, False]


def test_mean_absolute_within_leaves_the_diagonal_out():
    rho = np.array([[1.0, -0.5, np.nan], [-0.5, 1.0, 0.1], [np.nan, 0.1, 1.0]])
    assert mean_absolute_within(rho) == pytest.approx(0.3)  # (0.5 + 0.1) / 2


def test_permutation_p_value_of_a_case_that_can_be_enumerated():
    # 5 recordings in the same order: of 120 orders 2 give |rho| = 1, so p is 1/60.
    x = np.arange(5.0)[:, np.newaxis]
    p_value = permutation_null(x, x, 20_000, generator()).p_values[0, 0]
    # Standard error of a share of 1/60 in 20,000 draws is 0.0009; four of them.
    assert p_value == pytest.approx(1 / 60, abs=0.0036)


def test_permutation_p_values_agree_with_the_t_approximation():
    shared = generator(1).normal(size=(60, 1))
    x = 0.6 * shared + generator(2).normal(size=(60, 3))
    y = 0.6 * shared + generator(3).normal(size=(60, 4))
    null = permutation_null(x, y, 4000, generator())
    expected = np.array([[stats.spearmanr(a, b).pvalue for b in y.T] for a in x.T])
    # Monte-Carlo error at p = 0.5 is 0.008, at small p less; the approximation itself is off by about 0.002.
    np.testing.assert_allclose(null.p_values, expected, atol=0.03)
    np.testing.assert_allclose(
        null.q_values.ravel(), stats.false_discovery_control(null.p_values.ravel()), atol=1e-12
    )


def test_permutations_keep_what_is_related_within_a_set():
    # Copies of one feature: under the null all pairs of the block have the same |rho|, so mean and maximum agree.
    x = np.repeat(generator(1).normal(size=(30, 1)), 3, axis=1)
    y = np.repeat(generator(2).normal(size=(30, 1)), 4, axis=1)
    null = permutation_null(x, y, 200, generator())
    np.testing.assert_allclose(null.mean_absolute, null.maximum, atol=1e-12)
    assert null.maximum.std() > 0.01


def test_dead_features_are_left_out_of_the_null():
    x, y = generator(1).normal(size=(30, 3)), generator(2).normal(size=(30, 2))
    x[:, 1] = 7.0
    null = permutation_null(x, y, 99, generator())
    assert np.isnan(null.p_values[1]).all()
    assert np.isfinite(null.p_values[[0, 2]]).all()
    assert np.isfinite(null.mean_absolute).all()
    assert np.isnan(permutation_null(np.zeros((9, 2)), y[:9], 9, generator()).mean_absolute).all()


def test_chunks_do_not_change_the_null(monkeypatch):
    x, y = generator(1).normal(size=(20, 2)), generator(2).normal(size=(20, 3))
    whole = permutation_null(x, y, 50, generator())
    monkeypatch.setattr("analysis.correlations.spearman._CHUNK_VALUES", 7 * y.size)
    parts = permutation_null(x, y, 50, generator())
    np.testing.assert_array_equal(whole.p_values, parts.p_values)
    np.testing.assert_array_equal(whole.mean_absolute, parts.mean_absolute)


def test_chunks_bound_the_memory_of_many_features_too(monkeypatch):
    at_once = []

    class Watched(np.random.Generator):
        def permuted(self, x, **options):
            at_once.append(len(x))
            return super().permuted(x, **options)

        def integers(self, low, high, size):
            at_once.append(size[0])
            return super().integers(low, high, size)

    x, y = generator().normal(size=(5, 50)), generator(1).normal(size=(5, 60))
    monkeypatch.setattr("analysis.correlations.spearman._CHUNK_VALUES", 2 * 50 * 60)
    permutation_null(x, y, 7, Watched(np.random.PCG64(0)))
    assert at_once == [2, 2, 2, 1]
    at_once.clear()
    monkeypatch.setattr("analysis.correlations.spearman._CHUNK_VALUES", 3 * 110 * 110)
    found = bootstrap_means(x, y, 7, Watched(np.random.PCG64(0)))
    assert at_once == [3, 3, 1]
    monkeypatch.undo()
    # The draws, and so every figure, are the same whatever the chunks.
    np.testing.assert_allclose(found[1], bootstrap_means(x, y, 7, generator(0))[1], rtol=1e-12)


def test_mean_absolute_of_copies_and_opposites_is_one():
    x = generator().normal(size=(25, 1))
    within_x, within_y, across = mean_absolute_intervals(np.hstack([x, x**3]), np.hstack([-x, x]), 50, generator())
    for mean in (within_x, within_y, across):
        assert (mean.value, mean.low, mean.high) == pytest.approx((1.0, 1.0, 1.0))


def test_intervals_hold_the_value_and_narrow_with_more_recordings():
    def across(recordings):
        shared = generator(5).normal(size=(recordings, 1))
        values = shared + generator(6).normal(size=(recordings, 8))
        return mean_absolute_intervals(values[:, :4], values[:, 4:], 300, generator())[2]

    few, many = across(25), across(400)
    assert few.low < few.value < few.high
    # 16 times the recordings: a quarter of the width, within the noise of two bootstraps.
    assert (many.high - many.low) < 0.45 * (few.high - few.low)


def test_one_modality_has_its_own_interval_and_none_across():
    within_x, within_y, across = mean_absolute_intervals(
        generator().normal(size=(30, 5)), np.zeros((30, 0)), 100, generator()
    )
    assert within_x.low < within_x.value < within_x.high
    assert np.isnan(within_y.value)
    assert np.isnan(across.value)


def test_a_p_value_is_never_zero():
    x = generator().normal(size=(30, 1))
    # No permutation of 30 in 99 reaches |rho| = 1 but the order itself, which counts.
    assert permutation_null(x, x, 99, generator()).p_values.tolist() == [[0.01]]


def test_the_interval_of_unrelated_features_holds_its_own_estimate():
    values = generator(7).normal(size=(50, 30))
    across = mean_absolute_intervals(values[:, :10], values[:, 10:], 400, generator())[2]
    # Resamples without centring lie at about 0.16, wholly above the estimate.
    assert across.low < across.value < across.high
    assert across.value == pytest.approx(0.114, abs=0.02)  # chance at 50 recordings: 0.8 / sqrt(49)
