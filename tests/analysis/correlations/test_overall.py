import dataclasses
import json

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
    found = overall(results, multi_label=False)
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
    assert overall(alone, multi_label=False) is None
    assert overall({**alone, "label0": results["label0"]}, multi_label=False).labels == 1


def test_the_papers_finding_is_said_where_it_is_seen():
    text = finding(overall(correlations(0.0), multi_label=False))
    assert text.startswith("Features move together within each modality, and not measurably across modalities, as")
    assert "unrelated features give 0.11" in text  # sqrt(2 / (49 pi)) = 0.114
    assert text.endswith("averaged over 3 labels.")


def test_features_that_are_bound_are_said_to_be_unlike_it():
    text = finding(overall(correlations(0.9), multi_label=False))
    assert "and also across modalities, unlike what" in text
    assert "one-sided p = 0.0025 across" in text  # 1 / 401


@pytest.mark.parametrize(
    ("permutations", "above", "beyond"),
    [
        (39, 0, True),  # p = 1/40, just the limit
        (38, 0, False),  # p = 1/39: no value could be beyond chance
        (119, 2, True),  # p = 3/120
        (119, 3, False),
        (20, 1, False),  # p = 2/21, though the value is above the interpolated band
    ],
)
def test_a_mean_is_beyond_chance_by_its_p_value(permutations, above, beyond):
    value = correlations(0.0)["label0"].across.value
    null = np.full(permutations, value - 0.05)
    null[:above] = value + 1e-6
    one = correlations(0.0)["label0"]
    one = dataclasses.replace(one, null=dataclasses.replace(one.null, mean_absolute=null))
    result = overall({"label0": one}, multi_label=False)
    assert result.p_value == pytest.approx((1 + above) / (1 + permutations))
    assert result.across_beyond_chance == beyond
    said = "and also across modalities" if beyond else "and not measurably across modalities"
    assert said in finding(result)


def test_unrelated_features_within_a_modality_are_not_said_to_move_together():
    generator = np.random.default_rng(1)
    run = run_of(generator.normal(size=(150, 4)), planted(generator, 150, 0.0)[1], one_of(150, 3))
    text = finding(overall(correlated(run), multi_label=False))
    assert text.startswith("Within audio features do not measurably move together, and neither do they across")


def test_only_what_was_measured_is_said_to_move_together():
    run = run_of(*planted(np.random.default_rng(0), 150, 0.0), one_of(150, 3))
    text = finding(overall(correlated(run, dataclasses.replace(SETTINGS, top_audio=1)), multi_label=False))
    assert text.startswith("Features move together within vision, and not measurably across modalities, as")
    assert "audio" not in text
    assert "nan" not in text
    shared = overall(correlated(run, dataclasses.replace(SETTINGS, top_visual=1)), multi_label=True)
    assert finding(shared).startswith("Features move together within audio for 3 of 3 labels, and for none of 3")


def test_one_feature_of_each_modality_has_nothing_within_it():
    one_each = dataclasses.replace(SETTINGS, top_audio=1, top_visual=1)
    for shared, said in ((0.0, "do not measurably move"), (0.9, "move")):
        run = run_of(*planted(np.random.default_rng(0), 150, shared), one_of(150, 3))
        result = overall(correlated(run, one_each), multi_label=False)
        assert finding(result).startswith(
            f"Features {said} together across modalities: mean |rho| is {result.across.value:.2f} ["
        )
        assert "within" not in finding(result)


def test_labels_that_share_recordings_are_judged_one_by_one():
    apart, bound = correlations(0.0), correlations(0.9)
    each = "Features move together within audio for 3 of 3 labels and within vision for 3 of 3 labels, and for "
    paper = "Slizovskaia et al. found under independent training: mean |rho| is "
    text = finding(overall(apart, multi_label=True))
    assert text.startswith(f"{each}none of 3 labels measurably across modalities, as {paper}")
    assert "[" not in text
    assert "p =" not in text
    one = finding(overall({**apart, "label1": bound["label1"]}, multi_label=True))
    assert one.startswith(f"{each}1 of 3 labels also across modalities, unlike what {paper}")
    # One label shares nothing with another.
    alone = {"label0": apart["label0"]}
    assert finding(overall(alone, multi_label=True)) == finding(overall(alone, multi_label=False))


def test_labels_within_a_modality_are_counted_by_their_own_intervals_and_bands():
    generator = np.random.default_rng(1)
    unrelated = run_of(generator.normal(size=(150, 4)), planted(generator, 150, 0.0)[1], one_of(150, 3))
    results = correlated(unrelated)
    assert finding(overall(results, multi_label=True)).startswith(
        "Features move together within audio for none of 3 labels and within vision for 3 of 3 labels, and for "
        "none of 3 labels measurably across modalities: mean |rho| is "
    )
    mixed = overall({**results, "label2": correlations(0.0)["label2"]}, multi_label=True)
    assert (mixed.by_label["audio"].related, mixed.by_label["audio"].judged) == (1, 3)


def test_means_over_labels_that_share_recordings_have_no_intervals():
    results = correlations(0.0)
    means = overall(results, multi_label=False)
    shared = json.loads(json.dumps(overall_summary(overall(results, multi_label=True)), allow_nan=False))
    kept = overall_summary(means)
    for block in ("audio_audio", "visual_visual", "audio_visual", "null"):
        assert shared[block]["value"] == kept[block]["value"]
        assert (shared[block]["low"], shared[block]["high"]) == (None, None)
        assert kept[block]["low"] < kept[block]["value"] < kept[block]["high"]
    assert shared["null"]["p_value"] is None
    assert kept["null"]["p_value"] == pytest.approx(means.p_value, abs=1e-6)


def aligned(whole_p, within_p):
    chance = Chance(0.1, 0.0, 0.2, 0.5)
    by_label = dataclasses.replace(chance, p_value=whole_p)
    within = Chance(0.01, -0.1, 0.12, within_p)
    return tuple(Alignment(name, 0.7, chance, by_label, 0.03, within, 60, 60, 0.7, 60) for name in MEASURES)


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
    # 3 x 0.01 is more than 0.025, 3 x 0.008 is not.
    text = alignment_sentence(aligned(0.01, 0.01))
    assert "share nothing measurable with" in text
    assert "; none beyond that. " in text
    assert "unbiased 0.03 (chance: -0.10 to 0.12, corrected p = 0.03)" in text
    assert text.endswith("; none beyond it.")
    for whole, within in ((0.008, 0.008), (0.008, 0.4), (0.4, 0.008)):
        text = alignment_sentence(aligned(whole, within))
        assert "share something with" in text
        assert ("held out beyond that. " in text) == (whole == 0.008)
        assert text.endswith("held out beyond it.") == (within == 0.008)


def test_what_could_not_be_measured_is_left_out():
    assert alignment_sentence(()) == ""
    none = Chance(np.nan, np.nan, np.nan, np.nan)
    found = tuple(
        dataclasses.replace(one, within_value=np.nan, within_by_chance=none) for one in aligned(0.3, 0.3)
    )
    assert alignment_sentence(found).endswith("Within labels there are too few recordings to tell.")
    dead = tuple(dataclasses.replace(one, value=np.nan, by_label=none) for one in found)
    assert alignment_sentence(dead) == ""


def unknown_by_label(one):
    unknown = Chance(np.nan, np.nan, np.nan, np.nan)
    return dataclasses.replace(
        one,
        by_label=unknown,
        within_value=np.nan,
        within_by_chance=unknown,
        shared_value=np.nan,
        shared_recordings=4,
    )


def test_what_the_label_alone_gives_is_not_told_where_hardly_any_change_places():
    assert alignment_sentence([unknown_by_label(one) for one in aligned(0.3, 0.3)]) == (
        "Whether all audio features together share something with all visual ones beyond the label cannot be "
        "told: fewer than 20 recordings can change places with others of the same labels. Over all recordings, "
        "the label's part included: linear CKA, unbiased 0.70; mutual nearest neighbours 0.70; first canonical "
        "correlation, held out 0.70."
    )


def test_a_measure_without_that_null_is_named_and_the_others_are_told():
    cka, neighbours, cca = aligned(0.001, 0.3)
    text = alignment_sentence([cka, neighbours, unknown_by_label(cca)])
    assert (
        "unbiased and mutual nearest neighbours beyond that. For first canonical correlation, held out it" in text
    )
    assert "it cannot be told: fewer than 20 recordings" in text
    assert "others of the same labels within their fold of the cross-validation." in text
    assert text.count("0.70") == 2


def test_the_value_beside_the_label_alone_is_over_the_recordings_that_change_places():
    found = [dataclasses.replace(one, shared_value=0.31, shared_recordings=40) for one in aligned(0.3, 0.3)]
    text = alignment_sentence(found)
    assert "Over the recordings that share their labels with others, where the label makes" in text
    assert "linear CKA, unbiased 0.31 (the label alone: 0.00 to 0.20, 40 of 60 recordings); " in text
    assert "0.70" not in text
