import csv
import io

import numpy as np
import pytest
from correlation_data import everything, features_of
from scipy import stats

from analysis.correlations.correlation import CorrelationSettings, correlate, correlate_label
from analysis.correlations.label_correlation import clustered
from analysis.correlations.tables import label_summary, matrix_csv
from analysis.importance import Importance

SETTINGS = CorrelationSettings(top_audio=3, top_visual=4, permutations=2000, resamples=100)


def test_finds_the_planted_pairs_and_only_these():
    generator = np.random.default_rng(0)
    audio, visual = generator.normal(size=(80, 10)), generator.normal(size=(80, 20))
    visual[:, 7] = audio[:, 3] + 0.3 * generator.normal(size=80)
    visual[:, 0] = -audio[:, 9] + 0.3 * generator.normal(size=80)
    features = features_of(audio, visual)
    # The default number of permutations: the smallest possible p-value must pass the correction for 200 pairs.
    result = correlate_label(features, "flute", everything(features), CorrelationSettings(resamples=50))
    assert set(zip(*np.nonzero(result.significant), strict=True)) == {(3, 7), (9, 0)}
    assert result.rho[3, 10 + 7] > 0.8
    assert result.rho[9, 10 + 0] < -0.8
    assert result.strongest_pair()[:2] in {("a0003", "v0007"), ("a0009", "v0000")}


def test_one_planted_pair_among_two_hundred_can_be_found():
    generator = np.random.default_rng(4)
    audio, visual = generator.normal(size=(80, 10)), generator.normal(size=(80, 20))
    visual[:, 5] = audio[:, 5]
    result = correlate_label(
        features_of(audio, visual),
        "flute",
        everything(features_of(audio, visual)),
        CorrelationSettings(resamples=9),
    )
    assert np.argwhere(result.significant).tolist() == [[5, 5]]


def test_correlates_only_recordings_of_the_label():
    generator = np.random.default_rng(1)
    audio, visual = generator.normal(size=(60, 3)), generator.normal(size=(60, 4))
    labels = np.zeros((60, 2), dtype=bool)
    labels[:30, 0] = True
    labels[20:, 1] = True  # ten recordings bear both labels and belong to each
    visual[:30, 2] = audio[:30, 1]
    features = features_of(audio, visual, labels, ("flute", "cello"), multi_label=True)
    flute = correlate_label(features, "flute", everything(features), SETTINGS)
    cello = correlate_label(features, "cello", everything(features), SETTINGS)
    assert (flute.recordings, cello.recordings) == (30, 40)
    assert flute.rho[1, 3 + 2] == pytest.approx(1.0)
    expected = stats.spearmanr(np.hstack([audio, visual])[20:]).statistic
    np.testing.assert_allclose(cello.rho, expected, atol=1e-12)


def test_takes_the_most_important_features():
    generator = np.random.default_rng(2)
    features = features_of(generator.normal(size=(20, 8)), generator.normal(size=(20, 9)))
    values = {"audio": np.arange(8.0)[np.newaxis], "visual": np.array([[0, 5.0, 0, 0, 9.0, 0, 0, 0, 0]])}
    chosen_by = Importance(("flute",), {"flute": 20}, values)
    results, skipped = correlate(features, chosen_by, SETTINGS)
    # Visual features of importance 0 are not chosen, even where fewer than asked for are left.
    assert set(results["flute"].names[:3]) == {"a0007", "a0006", "a0005"}
    assert results["flute"].names[3:] == ("v0004", "v0001")
    assert results["flute"].audio_count == 3
    assert skipped == {}


def test_clusters_stand_together_and_every_value_stays_with_its_pair():
    generator = np.random.default_rng(8)
    factors = generator.normal(size=(40, 2))
    # Even and odd features of either modality are a cluster; a0001 and v0002 are related across.
    audio, visual = (factors[:, np.arange(6) % 2] + 0.4 * generator.normal(size=(40, 6)) for _ in range(2))
    audio[:, 3] = 0.0
    features = features_of(audio, visual)
    plain = correlate_label(features, "flute", everything(features), SETTINGS)
    result = clustered(plain)
    places = [plain.names.index(name) for name in result.names]
    assert [name[0] for name in result.names] == ["a"] * 6 + ["v"] * 6
    parities = [place % 2 for place in places if place != 3]
    assert np.count_nonzero(np.diff(parities[:5])) == np.count_nonzero(np.diff(parities[5:])) == 1
    np.testing.assert_array_equal(result.rho, plain.rho[np.ix_(places, places)])
    block = np.ix_(places[:6], np.array(places[6:]) - 6)
    np.testing.assert_array_equal(result.null.p_values, plain.null.p_values[block])
    np.testing.assert_array_equal(result.significant, plain.significant[block])
    assert result.significant.any()
    np.testing.assert_array_equal(result.null.mean_absolute, plain.null.mean_absolute)
    assert result.strongest_pair() == plain.strongest_pair()


def test_labels_that_cannot_be_analyzed_are_named_with_the_reason():
    generator = np.random.default_rng(2)
    labels = np.zeros((20, 3), dtype=bool)
    labels[:12, 0], labels[12:16, 1], labels[16:, 2] = True, True, True
    features = features_of(generator.normal(size=(20, 3)), generator.normal(size=(20, 4)), labels, ("a", "b", "c"))
    values = {"audio": np.ones((3, 3)), "visual": np.ones((3, 4))}
    results, skipped = correlate(features, Importance(("a", "b", "c"), {"a": 9, "b": 4, "c": 0}, values), SETTINGS)
    assert list(results) == ["a"]
    assert skipped["b"].startswith("4 recordings")
    assert "predicted" in skipped["c"]


def test_another_label_changes_no_figure():
    generator = np.random.default_rng(3)
    audio, visual = generator.normal(size=(40, 3)), generator.normal(size=(40, 4))
    labels = np.zeros((40, 2), dtype=bool)
    labels[:20, 0], labels[20:, 1] = True, True
    chosen = {"audio": np.arange(3), "visual": np.arange(4)}
    alone = correlate_label(features_of(audio[:20], visual[:20]), "flute", chosen, SETTINGS)
    among = correlate_label(features_of(audio, visual, labels, ("flute", "x")), "flute", chosen, SETTINGS)
    assert label_summary(alone) == label_summary(among)


def test_csv_holds_the_matrix_and_leaves_dead_features_empty():
    generator = np.random.default_rng(5)
    audio, visual = generator.normal(size=(20, 3)), generator.normal(size=(20, 4))
    visual[:, 1] = 0.0
    features = features_of(audio, visual)
    result = correlate_label(features, "flute", everything(features), SETTINGS)
    rows = list(csv.reader(io.StringIO(matrix_csv(result))))
    assert rows[0] == ["", "a0000", "a0001", "a0002", "v0000", "v0001", "v0002", "v0003"]
    assert [row[0] for row in rows[1:]] == rows[0][1:]
    assert rows[5][1:] == [""] * 7
    assert float(rows[1][2]) == pytest.approx(stats.spearmanr(audio[:, 0], audio[:, 1]).statistic, abs=1e-6)
    assert result.dead == ("v0001",)
    summary = label_summary(result)
    assert summary["dead_features"] == ["v0001"]
    assert summary["pairs"] == 9
    assert summary["few_recordings"]


def test_a_model_of_one_modality_has_its_own_block_only():
    features = features_of(np.random.default_rng(6).normal(size=(20, 3)), None)
    result = correlate_label(features, "flute", everything(features), SETTINGS)
    summary = label_summary(result)
    assert result.rho.shape == (3, 3)
    assert summary["audio_audio"]["value"] > 0
    assert summary["audio_visual"]["value"] is None
    assert summary["null"] is None
    assert summary["significant_pairs"] == 0


def test_detectable_rho_is_what_scipy_calls_significant_after_bonferroni():
    generator = np.random.default_rng(7)
    features = features_of(generator.normal(size=(50, 10)), generator.normal(size=(50, 20)))
    result = correlate_label(
        features, "flute", everything(features), CorrelationSettings(permutations=9, resamples=9)
    )
    rho = result.detectable_rho
    t = rho * np.sqrt(48 / (1 - rho**2))
    assert 2 * stats.t.sf(t, 48) == pytest.approx(0.05 / 200)
