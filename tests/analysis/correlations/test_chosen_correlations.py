import math

import numpy as np
import pytest
from toy_models import toy_model
from toy_study_parts import SETTINGS

from analysis import correlate_features, correlation_sentences, feature_importance
from avinst.errors import UserError
from trainer.run import Run

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


@pytest.mark.parametrize("name", ["top_audio", "top_visual", "permutations", "resamples"])
def test_numbers_that_nothing_can_be_computed_with(toy_study, name):
    with pytest.raises(UserError, match=f"^{name}=0: expected at least 1$"):
        correlate_features(toy_study.features, toy_model(), **{name: 0})


@pytest.mark.parametrize(
    "settings", [{"fdr_level": 5.0}, {"fdr_level": 0.0}, {"fdr_level": math.nan}, {"seed": -1}]
)
def test_settings_that_the_flags_refuse_are_refused(toy_study, settings):
    with pytest.raises(UserError, match=r"expected (a share above 0, at most 1|at least 0)$"):
        correlate_features(toy_study.features, toy_model(), **settings)


def test_a_run_may_stand_for_its_model(toy_study):
    model = toy_model()
    of_run, of_model = (feature_importance(toy_study.features, it) for it in (Run("", None, None, model), model))
    np.testing.assert_array_equal(of_run.values["audio"], of_model.values["audio"])
