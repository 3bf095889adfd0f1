import numpy as np
import pytest
from scipy import stats

from analysis.correlations import ranking
from analysis.correlations.ranking import centred_ranks, rank_correlation_of


def test_ranks_of_a_case_worked_out_by_hand():
    values = np.array([[3.0, 0.0], [1.0, 0.0], [1.0, 5.0], [9.0, 0.0]])
    # Ranks 3, 1.5, 1.5, 4 and 2, 2, 4, 2 less 2.5.
    expected = [[0.5, -0.5], [-1.0, -0.5], [-1.0, 1.5], [1.5, -0.5]]
    assert centred_ranks(values).tolist() == expected


def test_float32_holds_the_ranks_exactly():
    # The last two share the last two places: half a rank among a million.
    values = np.arange(1_000_000.0)[:, np.newaxis]
    values[-1] = values[-2]
    ranks = centred_ranks(values)
    assert ranks.dtype == np.float32
    assert ranks[-1, 0] == 999_999.5 - 500_000.5
    assert ranks[-3, 0] == 999_998 - 500_000.5
    assert ranks.astype(np.float64).sum() == 0.0


@pytest.fixture
def relu():
    """Features of which more than half of the values are 0, and one that is dead."""
    values = np.maximum(np.random.default_rng(0).normal(-0.3, 1.0, (500, 12)), 0.0).astype(np.float32)
    values[:, 5] = 1.0
    return values


@pytest.mark.parametrize("step", [1, 700, 10**9])
def test_blocks_of_rows_and_of_columns_change_nothing(relu, monkeypatch, step):
    monkeypatch.setattr(ranking, "_RANKED_AT_ONCE", step)
    monkeypatch.setattr(ranking, "_MULTIPLIED_AT_ONCE", step)
    alive = np.delete(relu, 5, axis=1)
    ranks = centred_ranks(relu)
    np.testing.assert_array_equal(ranks, stats.rankdata(relu, axis=0) - 250.5)
    rho = rank_correlation_of(ranks, ranks)
    assert np.isnan(rho[5]).all()
    assert np.isnan(rho[:, 5]).all()
    found = np.delete(np.delete(rho, 5, 0), 5, 1)
    np.testing.assert_allclose(
        found, stats.spearmanr(alive).statistic, atol=1e-12
    )  # the same sums, other divisions
    assert (np.diag(found) <= 1.0).all()
    across = rank_correlation_of(ranks[:, :4], ranks[:, 6:])
    np.testing.assert_allclose(across, rho[:4, 6:], atol=1e-15)


def test_many_recordings_agree_with_scipy():
    generator = np.random.default_rng(1)
    values = generator.normal(size=(100_000, 3)).astype(np.float32).round(2)  # ties
    values[:, 1] += values[:, 0]
    ranks = centred_ranks(values)
    np.testing.assert_allclose(rank_correlation_of(ranks, ranks), stats.spearmanr(values).statistic, atol=1e-9)
