import numpy as np
import pytest

from analysis.correlations.resampling import (
    BEYOND_CHANCE,
    central_band,
    centred_band,
    mean_of_defined,
    p_value,
    p_value_among,
)


def test_the_band_holds_the_middle_95_of_100():
    assert central_band(np.arange(201.0)) == (5.0, 195.0)
    assert np.isnan(central_band(np.array([]))).all()
    assert np.isnan(central_band(np.array([0.0, np.nan]))).all()


def test_resamples_are_centred_on_the_value_and_stay_within_its_range():
    resampled = np.array([*np.linspace(0.4, 0.6, 201), np.nan])
    assert centred_band(0.2, resampled, 0.0, 1.0) == pytest.approx((0.105, 0.295))
    assert centred_band(0.05, resampled, 0.0, 1.0) == pytest.approx((0.0, 0.145))
    assert centred_band(0.95, resampled, 0.0, 1.0) == pytest.approx((0.855, 1.0))
    assert np.isnan(centred_band(np.nan, resampled, 0.0, 1.0)).all()
    assert np.isnan(centred_band(0.2, np.array([np.nan]), 0.0, 1.0)).all()


def test_p_values_are_never_0_and_equal_values_count():
    assert p_value_among(np.zeros(99), 0.5) == 0.01
    assert p_value_among(np.array([0.1 + 0.2, 0.2, 0.1]), 0.3) == 0.5
    # Rounding makes the observed value the larger one.
    assert p_value_among(np.array([0.3, 0.2, 0.1]), 0.1 + 0.2) == 0.5
    assert np.isnan(p_value_among(np.full(99, np.nan), np.nan))
    np.testing.assert_array_equal(p_value(np.array([0, 3]), 9), [0.1, 0.4])


@pytest.mark.parametrize("permutations", [39, 40, 79, 100, 1001])
def test_what_is_beyond_chance_is_above_the_band(permutations):
    null = np.random.default_rng(permutations).normal(size=permutations)
    beyond = [value for value in null + 1e-6 if p_value_among(null, value) <= BEYOND_CHANCE]
    assert len(beyond) == (permutations + 1) // 40
    assert min(beyond) > central_band(null)[1]


def test_the_mean_is_of_what_is_defined():
    values = np.array([[1.0, np.nan, np.nan], [3.0, 5.0, np.nan]])
    np.testing.assert_array_equal(mean_of_defined(values), [2.0, 5.0, np.nan])
