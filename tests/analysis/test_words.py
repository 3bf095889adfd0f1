import dataclasses
import math

import numpy as np
import pytest

from analysis.correlations.chosen import FeatureCorrelations
from analysis.correlations.label_correlation import block_q_values
from analysis.importance_stability import Stability
from analysis.maps.segment_maps import DeadCount
from analysis.words import correlation_sentences, relation_sentences, stability_text, summary_sentences, verdict


@pytest.fixture
def result(toy_study):
    return next(iter(toy_study.correlations.values()))


def with_null(result, p_values, recordings=100, mean_null=0.1):
    shape = result.null.p_values.shape
    null = dataclasses.replace(
        result.null,
        p_values=np.full(shape, 0.5),
        q_values=np.broadcast_to(p_values, shape),
        mean_absolute=np.full(999, mean_null),
    )
    return dataclasses.replace(result, null=null, recordings=recordings, part_recordings=(recordings,))


def test_says_related_where_the_block_is_beyond_chance(result):
    text = verdict(with_null(result, 0.01), 0.002)
    assert text.startswith("Audio and visual features move together beyond chance")
    assert "12 of 12 pairs" in text
    assert "chance gives 0.10 to 0.10" in text


def test_a_label_is_judged_at_the_limit_of_everything_across_modalities(result):
    """Not at that of the pairs, 0.05: with 0.026 it can lie within its band."""
    assert result.fdr_level == 0.05
    assert verdict(with_null(result, 0.9), 0.025).startswith(
        "Audio and visual features move together beyond chance"
    )
    assert verdict(with_null(result, 0.9), 0.026).startswith("No relation beyond chance was found")


def test_says_that_single_pairs_are_no_relation_of_the_whole(result):
    assert verdict(with_null(result, 0.01), 0.4).startswith("Single pairs are related")


def test_absence_of_evidence_is_not_called_evidence_of_absence(result):
    text = verdict(with_null(result, 0.9), 0.4)
    assert text.startswith("No relation beyond chance was found")
    assert "Weaker ones cannot be excluded" in text
    few = verdict(with_null(result, 0.9, recordings=12), 0.4)
    assert "Only 12 recordings" in few
    assert "Weaker" not in few
    halves = dataclasses.replace(with_null(result, 0.9, recordings=40), part_recordings=(20, 20))
    assert "Only 20 recordings in a half" in verdict(halves, 0.4)


def test_one_modality_has_no_verdict(result):
    assert "one modality" in verdict(dataclasses.replace(result, null=None), math.nan)


def test_summary_counts_the_related_labels_after_correction(toy_study):
    labels = list(toy_study.correlations)
    related = {
        label: with_null(toy_study.correlations[label], 0.9, mean_null=0.0 if position == 0 else 1.0)
        for position, label in enumerate(labels)
    }
    # p is 1/1000 for the first and 1 for the others; corrected over the labels 1/1000 times their number.
    assert block_q_values(related)[labels[0]] == pytest.approx(len(labels) / 1000)
    sentences = summary_sentences(dataclasses.replace(toy_study, correlations=related))
    assert sentences[1].endswith(f"beyond chance for 1 of {len(labels)} labels: {labels[0]}.")
    # With 59 permutations 2/60, less than 0.05, the limit of pairs, but not at most 0.025.
    few = {
        label: dataclasses.replace(
            one, null=dataclasses.replace(one.null, mean_absolute=one.null.mean_absolute[:59])
        )
        for label, one in related.items()
    }
    assert block_q_values(few)[labels[0]] == pytest.approx(2 / 60)
    sentences = summary_sentences(dataclasses.replace(toy_study, correlations=few))
    assert sentences[1].endswith(f"beyond chance for none of {len(labels)} labels.")
    none = {label: with_null(result, 0.9, mean_null=1.0) for label, result in related.items()}
    sentences = summary_sentences(dataclasses.replace(toy_study, correlations=none))
    assert sentences[1].endswith(f"beyond chance for none of {len(labels)} labels.")


def test_summary_warns_and_names_what_is_missing(toy_study):
    text = " ".join(summary_sentences(toy_study))
    assert "Warning: fewer than 30 recordings" in text
    importance = dataclasses.replace(
        toy_study.importance, count={name: 5 * (name != "piano") for name in toy_study.importance.label_names}
    )
    study = dataclasses.replace(
        toy_study, importance=importance, skipped={"flute": "2 recordings", "piano": "2 recordings"}
    )
    text = " ".join(summary_sentences(study))
    assert "predicted as piano" in text
    assert "Without correlations: flute, piano (2 recordings)." in text


def test_a_choice_on_few_recordings_is_told_with_the_way_out(toy_study):
    def warnings(here, there, split="validation", **changed):
        def predicted(importance, count):
            return dataclasses.replace(importance, count=dict.fromkeys(importance.label_names, count))

        (chosen_by,) = toy_study.selection_importance
        study = dataclasses.replace(
            toy_study,
            importance=predicted(toy_study.importance, here),
            selection_importance=(predicted(chosen_by, there),),
            **changed,
        )
        return [text for text in summary_sentences(study) if "features were chosen on few" in text]

    told = "Warning: features were chosen on few recordings of the validation split (11 predicted as each label; "
    told += "under 30 the choice is mostly noise)"
    assert warnings(24, 11) == [f"{told}; --selection_split=cross_fit chooses them on halves of the test split."]
    assert warnings(23, 11) == [f"{told}."]  # halves would be no larger
    assert warnings(200, 30) == []
    assert warnings(24, 11, halves=(("a",), ("b",))) == []
    labels = list(toy_study.correlations)
    one = {labels[0]: toy_study.correlations[labels[0]]}
    assert "(11 predicted as each label;" in warnings(24, 11, correlations=one)[0]


def test_the_choice_is_judged_by_the_recordings_that_importance_is_over(toy_study):
    """Not by those that bear the label: a rare prediction of a common label is a choice on few recordings."""
    (chosen_by,) = toy_study.selection_importance
    first, *others = toy_study.correlations
    count = {**dict.fromkeys(chosen_by.label_names, 40), first: 3}
    bearing = np.ones((40, len(chosen_by.label_names)), dtype=bool)
    study = dataclasses.replace(
        toy_study,
        selection=dataclasses.replace(toy_study.selection, labels=bearing),
        selection_importance=(dataclasses.replace(chosen_by, count=count),),
    )
    (told,) = (text for text in summary_sentences(study) if "features were chosen on few" in text)
    assert f"(3 predicted as {first}; under 30" in told
    assert not any(name in told for name in others)


def dead_in(result, modality, *, chosen=True):
    """A label's correlations where the modality's features are the same in all recordings, or none is chosen."""
    of_audio = np.arange(len(result.names)) < result.audio_count
    dead = of_audio if modality == "audio" else ~of_audio
    rho = np.where(dead[:, np.newaxis] | dead, np.nan, result.rho)
    blocks = {
        name: dataclasses.replace(getattr(result, name), value=np.nan)
        for name in ("across", "within_audio" if modality == "audio" else "within_visual")
    }
    names = np.array(result.names)
    if chosen:
        return dataclasses.replace(result, rho=rho, dead=tuple(names[dead].tolist()), **blocks)
    return dataclasses.replace(
        result,
        rho=rho[~dead][:, ~dead],
        names=tuple(names[~dead].tolist()),
        audio_count=int((of_audio & ~dead).sum()),
        null=None,
        **blocks,
    )


@pytest.mark.parametrize(
    ("modality", "chosen", "reason"),
    [
        ("visual", True, "the visual features that were chosen are the same in all recordings of each label"),
        ("audio", True, "the audio features that were chosen are the same in all recordings of each label"),
        ("visual", False, "no visual feature contributes to any label (importance 0 where features were chosen)"),
    ],
)
def test_a_dead_branch_is_not_called_a_model_of_one_modality(toy_study, modality, chosen, reason):
    dead = {label: dead_in(one, modality, chosen=chosen) for label, one in toy_study.correlations.items()}
    text = relation_sentences(dataclasses.replace(toy_study, correlations=dead))[0]
    assert text.startswith(f"The model has two modalities, but {reason} (so it is where a branch of the model is")
    assert f"within {'audio' if modality == 'visual' else 'vision'}, averaged over" in text
    assert "nan" not in text
    found = FeatureCorrelations(dead, {}, toy_study.selection_importance, (), multi_label=False)
    assert correlation_sentences(found)[0] == text


def test_two_dead_branches_have_no_mean_and_one_modality_is_called_that(toy_study):
    both = {
        label: dead_in(dead_in(one, "audio"), "visual", chosen=False)
        for label, one in toy_study.correlations.items()
    }
    text = relation_sentences(dataclasses.replace(toy_study, correlations=both))[0]
    assert "the audio features that were chosen are the same" in text
    assert " and no visual feature contributes" in text
    assert "Mean |rho|" not in text
    apart = dict(toy_study.correlations)
    first, *others = apart
    apart = {first: dead_in(apart[first], "audio"), **{name: dead_in(apart[name], "visual") for name in others}}
    text = relation_sentences(dataclasses.replace(toy_study, correlations=apart))[0]
    assert "for no label do chosen features of both vary over the same recordings: nothing" in text
    alone = {label: dead_in(one, "visual", chosen=False) for label, one in toy_study.correlations.items()}
    seen = dataclasses.replace(toy_study.features, visual=None)
    study = dataclasses.replace(toy_study, features=seen, correlations=alone)
    assert relation_sentences(study)[0].startswith("The model has one modality, so nothing can be said about the")


def test_stability_is_said_of_the_features_that_are_most_important(toy_study):
    label = next(iter(toy_study.correlations))
    index = toy_study.importance.label_names.index(label)
    top = toy_study.importance.top(label, "audio", 3)
    shares = {name: np.zeros_like(value) for name, value in toy_study.importance.values.items()}
    shares["audio"][index, top] = 0.6
    stability = Stability({"audio": 3, "visual": 4}, shares)
    text = stability_text(dataclasses.replace(toy_study.importance, stability=stability), label)
    assert f"in 60 % for the top {len(top)} of audio and 0 % for the top" in text
    assert stability_text(dataclasses.replace(toy_study.importance, stability=None), label) == ""


@pytest.mark.parametrize(("permutations", "told"), [(118, True), (119, False)])
def test_permutations_too_few_to_find_anything_are_told(toy_study, permutations, told):
    correlation = dataclasses.replace(toy_study.settings.correlation, permutations=permutations)
    settings = dataclasses.replace(toy_study.settings, correlation=correlation)
    judged = sum(result.null is not None for result in toy_study.correlations.values())
    assert (judged <= 3, len(toy_study.alignment)) == (True, 3)  # so the measures need the most
    sentences = summary_sentences(dataclasses.replace(toy_study, settings=settings))
    assert any("cannot be found beyond chance" in one and "--permutations=119" in one for one in sentences) == told


def test_dead_maps_of_all_segments_are_told(toy_study):
    count = DeadCount("piano", "audio", 20, 3, 10, ("test/02",))
    evidence = dataclasses.replace(toy_study.evidence, dead=(count,))
    sentences = summary_sentences(dataclasses.replace(toy_study, evidence=evidence))
    where = "(piano 3 of 20); in no segment of test/02."
    assert f"3 of 20 audio maps show no evidence for the true label anywhere {where}" in sentences
