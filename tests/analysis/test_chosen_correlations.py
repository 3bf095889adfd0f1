import numpy as np
from toy_models import toy_model
from toy_study_parts import SETTINGS

from analysis import correlate_features, correlation_sentences

FEW = {"top_audio": 3, "top_visual": 4, "permutations": SETTINGS.correlation.permutations}


def test_features_of_another_split_are_chosen_there(toy_study):
    found = correlate_features(toy_study.features, toy_model(), toy_study.selection, **FEW)
    assert found.halves == ()
    assert list(found.labels) == list(toy_study.correlations)
    for label, result in found.labels.items():
        assert result.names == toy_study.correlations[label].names
        np.testing.assert_allclose(result.rho, toy_study.correlations[label].rho, rtol=1e-5)


def test_without_another_split_each_half_chooses_for_the_other(toy_study):
    found = correlate_features(toy_study.features, toy_model(), **FEW)
    first, second = map(set, found.halves)
    assert first | second == set(toy_study.features.video_id)
    assert not first & second
    assert len(found.chosen_by) == 2
    assert all(len(result.part_recordings) == 2 for result in found.labels.values())


def test_every_label_has_its_sentence(toy_study):
    found = correlate_features(toy_study.features, toy_model(), toy_study.selection, **FEW)
    sentences = correlation_sentences(found)
    for label in toy_study.features.label_names:
        assert sum(sentence.startswith(f"{label}: ") for sentence in sentences) == 1
