import dataclasses

import numpy as np
import pytest
from scipy import stats
from toy_models import toy_model
from toy_study_parts import SETTINGS, toy_batches, toy_dataset

from analysis.importance import head_of, importance
from analysis.maps.evidence import EvidenceSettings
from analysis.maps.regions import NO_EVIDENCE
from analysis.study import study_model
from analysis.words import summary_sentences
from avinst.errors import UserError


def test_features_are_chosen_on_one_split_and_correlated_on_another(toy_study):
    assert set(toy_study.features.video_id) == {f"test/{number:02d}" for number in range(30)}
    assert set(toy_study.selection.video_id) == {f"validation/{number:02d}" for number in range(30)}
    assert toy_study.segments == 60
    label, result = next(iter(toy_study.correlations.items()))
    (chosen,) = toy_study.selection_importance
    names = [f"a{index:04d}" for index in chosen.top(label, "audio", 3)]
    assert set(result.names[:3]) == set(names)
    names = [f"v{index:04d}" for index in chosen.top(label, "visual", 4)]
    assert set(result.names[3:]) == set(names)
    column = toy_study.features.labels[:, toy_study.features.label_names.index(label)]
    first = toy_study.features.audio[column][:, int(result.names[0][1:])]
    last = toy_study.features.visual[column][:, int(result.names[-1][1:])]
    assert result.rho[0, -1] == pytest.approx(stats.spearmanr(first, last).statistic)


def test_the_analyzed_split_has_no_say_in_the_choice(monkeypatch):
    given = {}

    def spy(features, chosen_by, settings, *, advance):
        given.update(features=features, chosen_by=chosen_by)
        return {}, {}

    monkeypatch.setattr("analysis.correlations.chosen.correlate", spy)
    study = study_model(toy_model(), toy_dataset(), SETTINGS, toy_batches)
    assert given["features"] is study.features
    expected = importance(study.selection, head_of(toy_model()))
    np.testing.assert_allclose(given["chosen_by"].values["audio"], expected.values["audio"], rtol=1e-5)
    assert not np.allclose(given["chosen_by"].values["audio"], study.importance.values["audio"], equal_nan=True)


def test_cross_fitted_features_are_chosen_on_the_other_half(monkeypatch):
    given = {}

    def spy(parts, chosen_by, settings, advance):
        given.update(parts=parts, chosen_by=chosen_by)
        return {}, {}

    monkeypatch.setattr("analysis.correlations.chosen.cross_fit", spy)
    settings = dataclasses.replace(SETTINGS, selection_split="cross_fit")
    groups = {f"test/{number:02d}": f"performer {number // 3}" for number in range(30)}
    study = study_model(toy_model(), toy_dataset(), settings, toy_batches, groups=groups)
    assert study.selection_text.startswith("Features were cross-fitted")
    assert "Recordings of a group are in one half." in study.selection_text
    assert sorted(study.halves[0] + study.halves[1]) == study.features.video_id.tolist()
    assert not {groups[name] for name in study.halves[0]} & {groups[name] for name in study.halves[1]}
    assert tuple(tuple(part.video_id) for part in given["parts"]) == study.halves
    for chosen_by, other in zip(given["chosen_by"], reversed(given["parts"]), strict=True):
        expected = importance(other, head_of(toy_model()))
        np.testing.assert_allclose(chosen_by.values["audio"], expected.values["audio"], rtol=1e-5)
        assert not np.allclose(chosen_by.values["audio"], study.importance.values["audio"], equal_nan=True)
    assert study.selection_importance == tuple(reversed(given["chosen_by"]))


@pytest.mark.parametrize(
    ("case", "told"),
    [
        (
            "no validation split",
            "The validation split has no recordings to choose features on, so they were cross-",
        ),
        (
            "the same split",
            "The test split is both analyzed and the one to choose features on, so they were cross-",
        ),
    ],
)
def test_without_another_split_features_are_cross_fitted(case, told):
    dataset, settings = toy_dataset(), SETTINGS
    if case == "no validation split":
        dataset = toy_dataset(segments={"train": 0, "validation": 0, "test": 60})
    else:
        settings = dataclasses.replace(SETTINGS, selection_split="test")
    study = study_model(toy_model(), dataset, settings, toy_batches)
    assert len(study.features) == 30
    assert study.selection is study.features
    assert study.selection_text.startswith(told)
    assert [len(ids) for ids in study.halves] == [15, 15]
    for result in study.correlations.values():
        assert result.part_recordings == (5, 5)


def test_exhibits_explain_the_true_label_and_what_it_was_taken_for(toy_study):
    names = toy_study.features.label_names
    for exhibit in toy_study.exhibits:
        choice = exhibit.choice
        row = toy_study.features.video_id.tolist().index(choice.video_id)
        assert toy_study.features.labels[row, choice.label_index]
        right = names[choice.label_index] in choice.predicted
        assert choice.group == "least_certain" or (choice.group == "correct") == right
        taken_for = () if right else (names.index(choice.predicted[0]),)
        assert choice.explained == (choice.label_index, *taken_for)
        assert exhibit.evidence["visual"].shape == exhibit.inputs["frame"].shape[:2]
        assert exhibit.evidence["audio"].shape == exhibit.inputs["log_mel"].shape
    doubted = [e.choice.label_index for e in toy_study.exhibits if e.choice.group == "least_certain"]
    assert doubted == [0, 0, 1, 1, 2, 2]


def test_a_label_that_is_not_there_is_refused():
    settings = dataclasses.replace(SETTINGS, gradcam_label="tuba")
    with pytest.raises(UserError, match="--gradcam_label=tuba: no label is called so; expected one of flute"):
        study_model(toy_model(), toy_dataset(), settings, toy_batches)


def test_one_modality_gives_what_it_can():
    study = study_model(toy_model(modalities=("visual",)), toy_dataset(), SETTINGS, toy_batches)
    assert study.features.audio is None
    assert list(study.importance.values) == ["visual"]
    assert list(study.exhibits[0].evidence) == ["visual"]
    for result in study.correlations.values():
        assert result.audio_count == 0
        assert np.isfinite(result.within_visual.value)


def test_a_split_without_segments_is_refused():
    with pytest.raises(UserError, match="train"):
        study_model(toy_model(), toy_dataset(), dataclasses.replace(SETTINGS, split="train"), toy_batches)


def boxes_at(folder, seconds, names=("test/03", "test/17")):
    file = folder / "regions.csv"
    lines = "".join(f"{name},{seconds},0.1,0.1,0.6,0.9\n" for name in names)
    file.write_text(f"video_id,seconds,left,top,right,bottom\n{lines}")
    evidence = EvidenceSettings(trust_recordings=0, regions=str(file))
    return dataclasses.replace(SETTINGS, evidence=evidence)


def test_boxes_beside_all_segments_are_refused_before_anything_is_computed(tmp_path):
    said = []
    settings = boxes_at(tmp_path, 100)
    with pytest.raises(UserError, match="'test/03' is analyzed from 6 to 8 s, its boxes are at 100 s"):
        study_model(toy_model(), toy_dataset(), settings, toy_batches, said.append)
    assert said == ["features of the test split, 60 segments"]


def test_regions_without_any_evidence_are_told_as_such(tmp_path):
    settings = boxes_at(tmp_path, 6.25, ["test/03"])
    shown = study_model(toy_model(), toy_dataset(), settings, toy_batches)
    assert shown.evidence.regions[0].recordings == 1
    assert NO_EVIDENCE not in summary_sentences(shown)
    model = toy_model()
    # Frames no longer reach the head: no gradient, so no evidence anywhere.
    weights = model.get_layer("logits").get_weights()
    weights[0][5:] = 0
    model.get_layer("logits").set_weights(weights)
    dead = study_model(model, toy_dataset(), settings, toy_batches)
    assert dead.evidence.regions == ()
    assert NO_EVIDENCE in summary_sentences(dead)
