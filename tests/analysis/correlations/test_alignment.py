import dataclasses

import numpy as np
import pytest
from comparison_parts import recordings_of
from scipy import stats

from analysis.correlations.alignment import align, alignment_json
from analysis.correlations.alignment_figures import alignment_figure
from analysis.correlations.cca import CrossValidatedCca
from analysis.correlations.cka import linear_cka, unbiased_gram
from analysis.correlations.neighbours import membership, mutual_share, nearest


def features_of(audio, visual, labels=None):
    return recordings_of(audio, visual, np.ones((len(audio), 1), dtype=bool) if labels is None else labels)


def hsic_1(k, q):
    """Song et al. 2012, equation 5, as it is written there."""
    k, q = (matrix - np.diag(np.diag(matrix)) for matrix in (k, q))
    n, one = len(k), np.ones(len(k))
    sums = (one @ k @ one) * (one @ q @ one) / ((n - 1) * (n - 2))
    return (np.trace(k @ q) + sums - 2 / (n - 2) * (one @ k @ q @ one)) / (n * (n - 3))


def test_cka_is_the_formula_of_the_paper():
    generator = np.random.default_rng(0)
    x, y = generator.normal(2.0, 1.0, (7, 3)), generator.normal(-1.0, 1.0, (7, 5))
    y[:, 0] += x[:, 1]
    k, q = x @ x.T, y @ y.T
    expected = hsic_1(k, q) / np.sqrt(hsic_1(k, k) * hsic_1(q, q))
    assert linear_cka(unbiased_gram(x), unbiased_gram(y)) == pytest.approx(expected, abs=1e-12)
    assert linear_cka(unbiased_gram(x), unbiased_gram(3 * x + 1)) == pytest.approx(1.0)


def test_cka_of_unrelated_features_is_zero_on_the_average():
    # The biased measure gives about 0.9 here: 60 features of 12 recordings.
    values = []
    for draw in range(200):
        generator = np.random.default_rng(draw)
        grams = [unbiased_gram(generator.normal(size=(12, 60))) for _ in range(2)]
        values.append(linear_cka(*grams))
    # Three standard errors of the mean.
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(200)


def test_neighbours_worked_out_by_hand():
    # On a circle at 0, 10, 90 and 100 degrees; Y swaps the second and the third.
    angles = np.radians([0, 10, 90, 100])
    x = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    y = x[[0, 2, 1, 3]]
    assert nearest(x, 1).ravel().tolist() == [1, 0, 3, 2]
    member = membership(nearest(x, 1))
    assert mutual_share(member, nearest(x, 1)) == 1.0
    assert mutual_share(member, nearest(y, 1)) == 0.0
    # Set beside each other in that order again, they agree.
    assert mutual_share(member, nearest(y, 1), np.array([0, 2, 1, 3])) == 1.0


def test_canonical_correlation_on_held_out_recordings():
    generator = np.random.default_rng(1)
    shared = generator.normal(size=(200, 1))
    x, y = generator.normal(size=(200, 30)), generator.normal(size=(200, 40))
    fold = np.arange(200) % 5
    unrelated = CrossValidatedCca(x, y, fold).correlation()
    assert abs(unrelated) < 0.25  # 3.5 / sqrt(200); fitted and measured on the same it is above 0.3
    related = CrossValidatedCca(x + 3 * shared, y - 3 * shared, fold).correlation()
    assert related > 0.95


def test_permuted_rows_are_those_of_permuted_features():
    generator = np.random.default_rng(2)
    x, y = generator.normal(size=(40, 6)), generator.normal(size=(40, 7))
    y[:, 0] += x[:, 0]
    fold = np.repeat(np.arange(5), 8)
    order = np.concatenate([8 * number + generator.permutation(8) for number in range(5)])
    expected = CrossValidatedCca(x, y[order], fold).correlation()
    assert CrossValidatedCca(x, y, fold).correlation(order) == pytest.approx(expected)
    expected = mutual_share(membership(nearest(x, 4)), nearest(y[order], 4))
    assert mutual_share(membership(nearest(x, 4)), nearest(y, 4), order) == pytest.approx(expected)
    gram = unbiased_gram(y)
    np.testing.assert_allclose(gram[order][:, order], unbiased_gram(y[order]), atol=1e-9)


def label_driven(generator, shared_within=0.0):
    """Both modalities know the label, and share more than that as far as they are told to."""
    label = np.arange(60) % 3
    audio = 3 * np.eye(3)[label] @ generator.normal(size=(3, 8)) + generator.normal(size=(60, 8))
    visual = 3 * np.eye(3)[label] @ generator.normal(size=(3, 9)) + generator.normal(size=(60, 9))
    common = shared_within * generator.normal(size=(60, 1))
    return features_of(audio + common, visual + common, np.eye(3, dtype=bool)[label])


def test_what_the_label_alone_gives_is_told_from_more():
    by_label = align(label_driven(np.random.default_rng(3)), 0, 199)
    more = align(label_driven(np.random.default_rng(3), 2.0), 0, 199)
    for one in by_label:
        assert one.by_chance.p_value == 1 / 200, one.measure
        assert one.by_label.p_value > 0.05, one.measure
        assert one.within_by_chance.p_value > 0.05, one.measure
        assert one.by_label.mean > one.by_chance.high, one.measure
    for one in more:
        # The first canonical correlation is that of the labels, whatever else is shared.
        assert one.measure == "cca" or one.by_label.p_value == 1 / 200, one.measure
        assert one.within_by_chance.p_value == 1 / 200, one.measure


def test_within_few_recordings_chance_alone_gives_much():
    generator = np.random.default_rng(0)
    features = features_of(
        generator.normal(size=(24, 100)),
        generator.normal(size=(24, 200)),
        np.eye(4, dtype=bool)[np.arange(24) % 4],
    )
    cka = align(features, 0, 99)[0]
    # The means that were taken off bind a label's recordings to each other in both modalities alike.
    assert abs(cka.by_chance.mean) < 0.05
    assert cka.within_by_chance.mean > 0.3
    assert cka.within_by_chance.low < cka.within_value < cka.within_by_chance.high


def test_the_nulls_keep_their_level():
    draws, level = 100, 0.1
    small = {name: np.zeros(2) for name in ("cka", "mutual_knn", "cca")}
    for draw in range(draws):
        for one in align(label_driven(np.random.default_rng(100 + draw)), draw, 19):
            small[one.measure] += [one.by_label.p_value <= level, one.within_by_chance.p_value <= level]
    # At a true share of 0.1, more than 20 of 100 have a probability of 1 in 1000, and as many fewer than 2.
    low, high = stats.binom.isf([0.999, 0.001], draws, level)
    for measure, counts in small.items():
        assert (counts >= low).all(), measure
        assert (counts <= high).all(), measure


def test_one_modality_or_few_recordings_have_no_alignment():
    values = np.random.default_rng(0).normal(size=(30, 3))
    assert align(features_of(values, None), 0, 9) == ()
    assert align(features_of(values[:10], values[:10]), 0, 9) == ()


def test_figure_and_file_hold_the_values():
    found = align(label_driven(np.random.default_rng(3)), 0, 19)
    assert alignment_json(found)["cka"]["value"] == pytest.approx(found[0].value, abs=1e-6)
    assert alignment_json(found)["cca"]["by_label"]["p_value"] == found[2].by_label.p_value
    axes = alignment_figure(found).axes[0]
    diamonds = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "D" and len(line.get_xdata())]
    assert diamonds == [one.within_value for one in found]
    lowest = min(chance.low for one in found for chance in (one.by_chance, one.by_label, one.within_by_chance))
    assert axes.get_xlim()[0] < lowest  # no band looks cut


def test_figure_sets_each_band_beside_the_value_that_it_is_the_null_of():
    (one, *_) = align(label_driven(np.random.default_rng(3)), 0, 19)
    axes = alignment_figure((dataclasses.replace(one, value=0.5, shared_value=0.25),)).axes[0]
    upright = {
        x[0]: sorted(line.get_ydata())
        for line in axes.lines
        if len(x := line.get_xdata()) == 2 and x[0] == x[1] != 0
    }
    assert upright == {0.5: [-0.4, -0.2], 0.25: [-0.2, 0.0]}


def test_recordings_that_cannot_change_places_are_no_null():
    generator = np.random.default_rng(5)
    common = generator.normal(size=(60, 4))
    # 30 recordings of two labels whose modalities share much, 30 of a label of their own that share nothing.
    group = np.concatenate([np.arange(30) % 2, np.arange(2, 32)])
    audio, visual = np.hstack([common, common]), np.hstack([common, 0.1 * generator.normal(size=(60, 3))])
    visual[30:, :4] = generator.normal(size=(30, 4))
    labels = np.eye(32, dtype=bool)[group]
    for one in align(features_of(audio, visual, labels), 0, 99):
        assert one.recordings == 60
        assert one.shared_recordings == one.within_recordings == 30, one.measure
        # As if the others were not there: with them, half of each permutation is what was measured.
        assert one.by_label.p_value == 1 / 100, one.measure
        assert one.by_label.high < 0.7 < one.shared_value, one.measure
    alone = align(features_of(audio[:30], visual[:30], labels[:30]), 1, 99)
    for one, other in zip(align(features_of(audio, visual, labels), 0, 99), alone, strict=True):
        if one.measure != "cca":  # whose folds are drawn
            assert one.shared_value == pytest.approx(other.value)
            assert one.value < one.shared_value - 0.1, one.measure


def test_where_hardly_any_can_change_places_what_the_label_gives_is_not_told():
    generator = np.random.default_rng(6)
    shared = generator.normal(size=(100, 5))
    every = align(features_of(shared, shared + 0.1, np.eye(100, dtype=bool)), 0, 19)
    assert [one.shared_recordings for one in every] == [0, 0, 0]
    for one in every:
        assert np.isfinite(one.value)
        assert one.by_chance.p_value == 1 / 20
        assert np.isnan([one.by_label.p_value, one.shared_value, one.within_value]).all()
    assert alignment_json(every)["cka"]["by_label"]["low"] is None
    alignment_figure(every)
    # Four recordings of each label change places among themselves, but each lies in a fold of its own.
    cka, neighbours, cca = align(
        features_of(shared[:80], shared[:80], np.eye(20, dtype=bool)[np.arange(80) // 4]), 0, 19
    )
    assert cka.by_label.p_value == neighbours.by_label.p_value == 1 / 20
    assert (cka.shared_recordings, cca.shared_recordings) == (80, 0)
    assert np.isnan(cca.by_label.p_value)


def test_recordings_of_one_fold_have_nothing_to_be_fitted_on():
    values = np.random.default_rng(7).normal(size=(20, 3))
    assert np.isnan(CrossValidatedCca(values, values, np.zeros(20, dtype=int)).correlation())
