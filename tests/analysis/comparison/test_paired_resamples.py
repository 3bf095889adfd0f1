import numpy as np
import pytest
from comparison_parts import one_of, planted
from scipy import stats

from analysis.comparison.paired_resamples import difference_interval, draw_recordings, resampled_means
from analysis.correlations.spearman import mean_absolute_blocks


def test_recordings_are_drawn_within_their_labels():
    labels = one_of(40, 3)
    drawn = draw_recordings(labels, 50, np.random.default_rng(0))
    assert drawn.shape == (50, 40)
    np.testing.assert_array_equal(labels[drawn], np.broadcast_to(labels, (50, 40, 3)))
    # With replacement: about 1 - 1/e of a label's 14 are there.
    distinct = np.mean([len(set(row[labels[:, 0]])) for row in drawn])
    assert distinct == pytest.approx(14 * (1 - (13 / 14) ** 14), rel=0.05)  # 50 draws


def test_rare_sets_of_labels_are_drawn_together():
    labels = np.array([[1, 0, 0]] * 6 + [[1, 1, 0], [0, 1, 0], [0, 0, 1], [0, 1, 1]], dtype=bool)
    drawn = draw_recordings(labels, 100, np.random.default_rng(0))
    assert (drawn[:, :6] < 6).all()
    assert (drawn[:, 6:] >= 6).all()
    assert len(np.unique(drawn[:, 6])) == 4
    # So the number of recordings of the second label varies.
    assert len(set(labels[:, 1][drawn].sum(axis=1))) > 2


@pytest.mark.parametrize("several", [False, True])
def test_means_of_resamples_are_those_of_scipy(several):
    generator = np.random.default_rng(1)
    values = np.maximum(generator.normal(size=(24, 5)), -0.3)  # with ties
    labels = one_of(24, 2)
    if several:
        labels[:3] = True
    drawn = draw_recordings(labels, 6, generator)
    found = resampled_means(values, 2, labels[:, 0], drawn)
    for row, resample in zip(found, drawn, strict=True):
        held = values[[recording for recording in resample if labels[recording, 0]]]
        rho = np.abs(stats.spearmanr(held).statistic)
        np.testing.assert_allclose(row, [rho[0, 1], rho[2:, 2:][np.triu_indices(3, 1)].mean(), rho[:2, 2:].mean()])


def test_chunks_do_not_change_the_means(monkeypatch):
    values = np.random.default_rng(0).normal(size=(20, 4))
    drawn = draw_recordings(np.ones((20, 1), bool), 9, np.random.default_rng(0))
    whole = resampled_means(values, 2, np.ones(20, bool), drawn)
    monkeypatch.setattr("analysis.comparison.paired_resamples._CHUNK_VALUES", 200)
    np.testing.assert_array_equal(resampled_means(values, 2, np.ones(20, bool), drawn), whole)


def test_intervals_are_centred_and_leave_out_what_is_not_defined():
    resampled = np.concatenate([np.linspace(0.0, 0.2, 2001), [np.nan]])
    interval = difference_interval(0.5, resampled)
    assert interval == pytest.approx((0.5, 0.405, 0.595))
    assert np.isnan(difference_interval(np.nan, resampled).low)
    assert np.isnan(difference_interval(0.5, np.full(3, np.nan)).high)


@pytest.mark.slow  # 300 simulated comparisons
@pytest.mark.parametrize("shared", [(0.0, 0.0), (0.7, 0.0), (0.6, 0.6)])
def test_intervals_hold_the_expected_difference(shared):
    generator = np.random.default_rng(7)
    number, bears = 30, np.ones(30, bool)

    def draw():
        return [np.hstack(planted(generator, number, value)) for value in shared]

    def difference(runs):
        return mean_absolute_blocks(runs[0], 4)[2] - mean_absolute_blocks(runs[1], 4)[2]

    expected = np.mean([difference(draw()) for _ in range(1500)])
    held = 0
    for _ in range(100):
        runs = draw()
        drawn = draw_recordings(bears[:, np.newaxis], 200, generator)
        means = [resampled_means(values, 4, bears, drawn)[:, 2] for values in runs]
        interval = difference_interval(difference(runs), means[0] - means[1])
        held += interval.low <= expected <= interval.high
    # 88 to 99 % were measured; 84 of 100 is two standard errors below the least of them less one.
    assert held >= 84
