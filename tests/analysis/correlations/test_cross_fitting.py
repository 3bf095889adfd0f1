import dataclasses

import numpy as np
import pytest
from correlation_data import everything, features_of
from scipy import stats

from analysis.correlations.correlation import CorrelationSettings, correlate_label
from analysis.correlations.cross_fitting import cross_fit, halves, join
from analysis.correlations.tables import label_summary
from analysis.importance import Importance

SETTINGS = CorrelationSettings(top_audio=3, top_visual=4, permutations=500, resamples=50)


def chosen_by(audio, visual, audio_count=8, visual_count=9, label="flute"):
    """Importance that ranks these features first, in their order."""
    values = {"audio": np.zeros((1, audio_count)), "visual": np.zeros((1, visual_count))}
    for name, indices in (("audio", audio), ("visual", visual)):
        values[name][0, list(indices)] = np.arange(len(indices), 0, -1)
    return Importance((label,), {label: 9}, values)


@pytest.fixture(scope="module")
def parts():
    generator = np.random.default_rng(0)
    return [features_of(generator.normal(size=(n, 8)), generator.normal(size=(n, 9))) for n in (20, 30)]


CHOICES = (chosen_by((0, 1, 2), (0, 1, 2, 3)), chosen_by((2, 1, 5), (3, 7, 0)))


@pytest.fixture(scope="module")
def joined(parts):
    results, skipped = cross_fit(parts, CHOICES, SETTINGS)
    assert skipped == {}
    return results["flute"]


def rho_of(features, first, second):
    columns = [
        (features.audio if name[0] == "a" else features.visual)[:, int(name[1:])] for name in (first, second)
    ]
    return stats.spearmanr(*columns).statistic


def value_of(result, first, second):
    return result.rho[result.names.index(first), result.names.index(second)]


def test_the_union_of_both_choices_and_rho_of_the_halves_that_tested_it(parts, joined):
    assert set(joined.names) == {"a0000", "a0001", "a0002", "a0005", "v0000", "v0001", "v0002", "v0003", "v0007"}
    assert joined.audio_count == 4
    assert (joined.recordings, joined.part_recordings, joined.recordings_at_once) == (50, (20, 30), 20)
    # Chosen on both halves, so tested in both.
    both = [rho_of(part, "a0001", "v0003") for part in parts]
    assert value_of(joined, "a0001", "v0003") == pytest.approx(np.mean(both))
    within = [rho_of(part, "a0001", "a0002") for part in parts]
    assert value_of(joined, "a0001", "a0002") == pytest.approx(np.mean(within))
    assert value_of(joined, "a0000", "v0001") == pytest.approx(rho_of(parts[0], "a0000", "v0001"))
    assert value_of(joined, "v0007", "a0005") == pytest.approx(rho_of(parts[1], "v0007", "a0005"))
    # Never chosen together.
    assert np.isnan(value_of(joined, "a0000", "v0007"))
    assert not joined.tested[joined.names.index("a0000"), joined.names.index("v0007")]


def test_p_values_of_each_half_are_corrected_over_the_union(parts, joined):
    alone = [
        correlate_label(part, "flute", {n: by.top("flute", n, 4) for n in ("audio", "visual")}, SETTINGS, number)
        for number, (part, by) in enumerate(zip(parts, (CHOICES[0], CHOICES[1]), strict=True))
    ]

    def p_in(result, audio, visual):
        block = result.null.p_values
        return block[result.names.index(audio), result.names.index(visual) - result.audio_count]

    both = min(p_in(result, "a0002", "v0000") for result in alone)
    assert p_in(joined, "a0002", "v0000") == pytest.approx(min(1, 2 * both))
    assert p_in(joined, "a0000", "v0002") == p_in(alone[0], "a0000", "v0002")
    assert p_in(joined, "a0005", "v0007") == p_in(alone[1], "a0005", "v0007")
    finite = np.isfinite(joined.null.p_values)
    assert finite.sum() == 12 + 9 - 4  # the pairs of a0001, a0002 with v0000, v0003 are in both
    np.testing.assert_allclose(
        joined.null.q_values[finite], stats.false_discovery_control(joined.null.p_values[finite]), atol=1e-12
    )
    # The block is judged by the mean over the halves, chance's too.
    assert joined.across.value == pytest.approx(np.mean([result.across.value for result in alone]))
    np.testing.assert_allclose(
        joined.null.mean_absolute, np.mean([result.null.mean_absolute for result in alone], axis=0)
    )
    assert joined.across.low < joined.across.value < joined.across.high
    assert label_summary(joined)["pairs"] == 17


def test_the_halves_have_permutations_of_their_own():
    values = np.random.default_rng(1).normal(size=(20, 7))
    part = features_of(values[:, :3], values[:, 3:])
    first, second = (correlate_label(part, "flute", everything(part), SETTINGS, number) for number in (0, 1))
    assert not np.allclose(first.null.mean_absolute, second.null.mean_absolute)


def test_one_part_joined_is_itself(parts):
    alone = correlate_label(parts[0], "flute", everything(parts[0]), SETTINGS)
    assert label_summary(join([alone])) == label_summary(alone)
    np.testing.assert_array_equal(join([alone]).rho, alone.rho)
    np.testing.assert_array_equal(join([alone]).null.q_values, alone.null.q_values)


def test_a_feature_that_is_dead_in_one_half_is_judged_in_the_other(parts):
    audio = parts[0].audio.copy()
    audio[:, 1] = 0.0
    dead = dataclasses.replace(parts[0], audio=audio)
    result = cross_fit([dead, parts[1]], CHOICES, SETTINGS)[0]["flute"]
    assert result.dead == ()
    assert value_of(result, "a0001", "v0003") == pytest.approx(rho_of(parts[1], "a0001", "v0003"))
    wholly = cross_fit([dead, dataclasses.replace(parts[1], audio=np.zeros((30, 8)))], CHOICES, SETTINGS)[0][
        "flute"
    ]
    assert set(wholly.dead) == {"a0001", "a0005"}
    assert np.isfinite(wholly.across.value)


def test_a_label_that_one_half_cannot_judge_is_judged_in_the_other(parts):
    few = parts[0].rows(np.arange(4))
    results, _ = cross_fit([few, parts[1]], CHOICES, SETTINGS)
    assert results["flute"].part_recordings == (30,)
    results, skipped = cross_fit([few, parts[1].rows(np.arange(3))], CHOICES, SETTINGS)
    assert results == {}
    assert skipped["flute"].startswith("in a half, 4 recordings; at least 5 are needed; in a half, 3 recordings")


def test_every_label_of_every_part_advances_the_progress(parts):
    calls = []
    cross_fit(parts, CHOICES, dataclasses.replace(SETTINGS, permutations=1), lambda: calls.append(1))
    assert len(calls) == 2 * len(parts[0].label_names)


def test_one_modality_has_no_null():
    parts = [features_of(np.random.default_rng(seed).normal(size=(20, 8)), None) for seed in (0, 1)]
    results, _ = cross_fit(parts, CHOICES, SETTINGS)
    assert results["flute"].null is None
    assert results["flute"].names == tuple(n for n in results["flute"].names if n[0] == "a")
    assert np.isfinite(results["flute"].within_audio.value)


def test_halves_share_every_label_evenly_and_ignore_the_order():
    labels = np.zeros((21, 2), dtype=bool)
    labels[:11, 0], labels[11:, 1] = True, True
    features = features_of(np.zeros((21, 1)), np.zeros((21, 1)), labels, ("a", "b"))
    first, second = halves(features)
    assert sorted([*first, *second]) == list(range(21))
    assert np.abs(labels[first].sum(axis=0) - labels[second].sum(axis=0)).tolist() == [1, 0]
    backwards = features.rows(np.arange(21)[::-1])
    first_backwards, _ = halves(backwards)
    assert set(backwards.video_id[first_backwards]) == set(features.video_id[first])


def test_halves_share_rare_sets_of_labels_too():
    # Each recording bears another pair of labels: there is no stratum to alternate in.
    labels = np.zeros((28, 8), dtype=bool)
    for row, pair in enumerate((i, j) for i in range(8) for j in range(i)):
        labels[row, list(pair)] = True
    features = features_of(np.zeros((28, 1)), np.zeros((28, 1)), labels, tuple("abcdefgh"), multi_label=True)
    first, second = halves(features)
    assert abs(len(first) - len(second)) <= 2
    assert (
        np.abs(labels[first].sum(axis=0) - labels[second].sum(axis=0)).max() <= 1
    )  # 7 recordings bear each label


def test_a_group_stays_in_one_half():
    labels = np.arange(60)[:, np.newaxis] % 3 == np.arange(3)
    features = features_of(np.zeros((60, 1)), np.zeros((60, 1)), labels, ("a", "b", "c"))
    groups = {name: f"performer {row // 4}" for row, name in enumerate(features.video_id) if row < 48}
    first, second = halves(features, groups)
    of = [{groups.get(name) for name in features.video_id[rows]} - {None} for rows in (first, second)]
    assert not of[0] & of[1]
    assert min(map(len, of)) >= 5
    assert np.abs(labels[first].sum(axis=0) - labels[second].sum(axis=0)).max() <= 2
