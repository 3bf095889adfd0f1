import dataclasses

import numpy as np
import pytest
from comparison_parts import one_of, planted, run_of

from analysis.correlations.alignment import MEASURES, Alignment, Chance
from analysis.correlations.correlation import CorrelationSettings, correlate
from analysis.correlations.overall import overall
from analysis.correlations.overall_words import alignment_sentence, finding
from analysis.correlations.tables import overall_summary

SETTINGS = CorrelationSettings(top_audio=4, top_visual=5, permutations=400, resamples=200)


def correlated(run, settings=SETTINGS):
    (part,) = run.parts
    return correlate(part.recordings, part.chosen_by, settings)[0]


def correlations(shared, number=150, seed=0):
    run = run_of(*planted(np.random.default_rng(seed), number, shared), one_of(number, 3))
    return correlated(run)


def test_is_the_mean_over_labels_beside_the_mean_null():
    results = correlations(0.0)
    found = overall(results)
    assert found.labels == 3
    assert found.across.value == pytest.approx(np.mean([one.across.value for one in results.values()]))
    assert found.within_audio.value == pytest.approx(np.mean([one.within_audio.value for one in results.values()]))
    null = np.mean([one.null.mean_absolute for one in results.values()], axis=0)
    assert found.by_chance.value == pytest.approx(null.mean())
    assert found.p_value == pytest.approx((1 + (null >= found.across.value).sum()) / 401)
    # Three labels together are surer than one.
    assert found.across.high - found.across.low < results["label0"].across.high - results["label0"].across.low


def test_labels_without_anything_across_are_left_out():
    results = correlations(0.0)
    alone = {name: dataclasses.replace(one, null=None) for name, one in results.items()}
    assert overall(alone) is None
    assert overall({**alone, "label0": results["label0"]}).labels == 1


def test_the_papers_finding_is_said_where_it_is_seen():
    text = finding(overall(correlations(0.0)), [], multi_label=False)
    assert text.startswith("Features move together within each modality, and not measurably across modalities, as")
    assert "unrelated features give 0.11" in text  # sqrt(2 / (49 pi)) = 0.114
    assert text.endswith("averaged over 3 labels.")


def test_features_that_are_bound_are_said_to_be_unlike_it():
    text = finding(overall(correlations(0.9)), ["label0"], multi_label=False)
    assert "and also across modalities, unlike what" in text
    assert "one-sided p = 0.0025 across" in text  # 1 / 401


def test_a_mean_within_the_band_is_not_called_beyond_chance_whatever_its_one_sided_p_value():
    result = dataclasses.replace(overall(correlations(0.0)), p_value=0.04)
    high = result.by_chance.high
    within, above = (
        dataclasses.replace(result, across=dataclasses.replace(result.across, value=high + step))
        for step in (-1e-6, 1e-6)
    )
    assert "and not measurably across modalities" in finding(within, [], multi_label=False)
    assert "and also across modalities" in finding(above, [], multi_label=False)


def test_unrelated_features_within_a_modality_are_not_said_to_move_together():
    generator = np.random.default_rng(1)
    run = run_of(generator.normal(size=(150, 4)), planted(generator, 150, 0.0)[1], one_of(150, 3))
    text = finding(
        overall(correlate(run.parts[0].recordings, run.parts[0].chosen_by, SETTINGS)[0]), [], multi_label=False
    )
    assert text.startswith("Within audio features do not measurably move together, and neither do they across")


def test_one_feature_of_a_modality_has_nothing_within_it():
    run = run_of(*planted(np.random.default_rng(0), 150, 0.0), one_of(150, 3))
    settings = dataclasses.replace(SETTINGS, top_audio=1)
    text = finding(
        overall(correlate(run.parts[0].recordings, run.parts[0].chosen_by, settings)[0]), [], multi_label=False
    )
    assert "within audio" not in text
    assert "nan" not in text


def test_labels_that_share_recordings_are_judged_one_by_one():
    result = overall(correlations(0.0))
    assert "and also across modalities" in finding(result, ["label0"], multi_label=True)
    text = finding(result, [], multi_label=True)
    assert "not measurably across" in text
    assert "p =" not in text
    shared = overall_summary(result, multi_label=True)["null"]
    assert shared["value"] == pytest.approx(result.by_chance.value, abs=1e-6)
    assert {shared[name] for name in ("low", "high", "p_value")} == {None}
    assert overall_summary(result, multi_label=False)["null"]["p_value"] == pytest.approx(result.p_value, abs=1e-6)


def aligned(whole_p, within_p):
    chance = Chance(0.1, 0.0, 0.2, 0.5)
    by_label = dataclasses.replace(chance, p_value=whole_p)
    within = Chance(0.01, -0.1, 0.12, within_p)
    return tuple(Alignment(name, 0.7, chance, by_label, 0.03, within, 60, 60) for name in MEASURES)


def test_alignment_begins_with_the_verdict_and_says_what_each_number_is_beside():
    text = alignment_sentence(aligned(0.3, 0.4))
    assert text.startswith(
        "Beyond the label, all audio features together share nothing measurable with all visual ones. Over all "
        "recordings, where the label makes both modalities alike: linear CKA, unbiased 0.70 (the label alone: "
        "0.00 to 0.20); "
    )
    assert (
        "; none beyond that. Within labels: linear CKA, unbiased 0.03 (chance: -0.10 to 0.12, corrected p = 1); "
        in text
    )
    assert text.endswith("; none beyond it.")


def test_three_measures_are_corrected_for():
    # 3 x 0.02 is more than 0.05, 3 x 0.01 is not.
    text = alignment_sentence(aligned(0.02, 0.02))
    assert "share nothing measurable with" in text
    assert "; none beyond that. " in text
    assert "unbiased 0.03 (chance: -0.10 to 0.12, corrected p = 0.06)" in text
    assert text.endswith("; none beyond it.")
    for whole, within in ((0.01, 0.01), (0.01, 0.4), (0.4, 0.01)):
        text = alignment_sentence(aligned(whole, within))
        assert "share something with" in text
        assert ("held out beyond that. " in text) == (whole == 0.01)
        assert text.endswith("held out beyond it.") == (within == 0.01)


def test_what_could_not_be_measured_is_left_out():
    assert alignment_sentence(()) == ""
    none = Chance(np.nan, np.nan, np.nan, np.nan)
    found = tuple(
        dataclasses.replace(one, within_value=np.nan, within_by_chance=none) for one in aligned(0.3, 0.3)
    )
    assert alignment_sentence(found).endswith("Within labels there are too few recordings to tell.")
    dead = tuple(dataclasses.replace(one, value=np.nan, by_label=none) for one in found)
    assert alignment_sentence(dead) == ""
