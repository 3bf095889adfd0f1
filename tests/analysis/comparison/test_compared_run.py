import dataclasses

import numpy as np
import pytest
from dataset_factory import write_dataset
from toy_models import toy_model
from toy_study_parts import SETTINGS, toy_batches, toy_dataset

from analysis.comparison.other_run import compare_with, load_compared
from analysis.importance import head_of, importance
from analysis.maps.evidence import EvidenceSettings
from analysis.study import study_model
from avinst.errors import UserError
from trainer.config import TrainConfig
from trainer.run import Run, open_run

QUICK = dataclasses.replace(SETTINGS, gradcam_per_label=0, evidence=EvidenceSettings(trust_recordings=0))
COUNTS = {"train": 2, "validation": 2, "test": 2}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data"), recordings=COUNTS)


def begun(folder, dataset, scheme="joint"):
    """A run directory with its config only: what cannot be compared is told before a model is read."""
    config = TrainConfig(scheme=scheme, audio_backbone="small_cnn", visual_backbone="small_cnn")
    open_run(str(folder), config, dataset)
    return str(folder)


def refused(run_dir, compare_to, dataset):
    with pytest.raises(UserError) as caught:
        load_compared(compare_to, run_dir, dataset)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_run_is_not_compared_with_itself(tmp_path, dataset, monkeypatch):
    run_dir = begun(tmp_path / "run", dataset)
    assert "give another run" in refused(run_dir, f"{run_dir}/", dataset)
    monkeypatch.chdir(tmp_path)
    assert "give another run" in refused(run_dir, "run", dataset)


@pytest.mark.parametrize(("scheme", "other"), [("audio", "joint"), ("joint", "visual")])
def test_both_runs_need_both_modalities(tmp_path, dataset, scheme, other):
    message = refused(begun(tmp_path / "run", dataset, scheme), begun(tmp_path / "other", dataset, other), dataset)
    assert "has one modality" in message
    assert "independent or joint" in message


def test_both_runs_are_of_one_dataset(tmp_path, dataset):
    run_dir = begun(tmp_path / "run", dataset)
    labels = dataclasses.replace(dataset, labels=("a", "b"))
    assert "its labels are a, b" in refused(run_dir, begun(tmp_path / "labels", labels), dataset)
    other = dataclasses.replace(dataset, fingerprint="0" * 64)
    message = refused(run_dir, begun(tmp_path / "other", other), dataset)
    assert "000000000000" in message
    assert dataset.fingerprint[:12] in message


def test_a_run_that_is_not_there_or_not_finished(tmp_path, dataset):
    run_dir = begun(tmp_path / "run", dataset)
    assert "no run directory" in refused(run_dir, str(tmp_path / "nowhere"), dataset)
    assert "unfinished" in refused(run_dir, begun(tmp_path / "other", dataset, "independent"), dataset)


@pytest.mark.parametrize("selection_split", ["validation", "cross_fit"])
def test_both_runs_figures_are_those_of_their_own_studies(selection_split):
    settings = dataclasses.replace(QUICK, selection_split=selection_split)
    names = {"runs/this": "joint", "runs/other": "independent"}
    runs = [
        Run(folder, TrainConfig(scheme=scheme), toy_dataset(), toy_model(seed=seed))
        for seed, (folder, scheme) in zip((6, 2), names.items(), strict=True)  # both predict two of the labels
    ]
    this, other = (study_model(run.model, toy_dataset(), settings, toy_batches) for run in runs)
    found = compare_with(this, *runs, toy_batches)
    assert (found.this.title, found.other.title) == ("this (joint)", "other (independent)")
    assert dataclasses.replace(found.this, name="joint").title == "joint"
    assert found.other.alignment == other.alignment
    assert set(this.correlations) & set(other.correlations) == {one.label for one in found.labels} != set()
    for run, compared, study in zip(runs, (found.this, found.other), (this, other), strict=True):
        for part, others in zip(compared.parts, reversed(study.halves), strict=bool(study.halves)):
            choosing = study.features.rows(np.isin(study.features.video_id, others))
            assert not set(part.recordings.video_id) & set(others)
            expected = importance(choosing, head_of(run.model)).values["visual"]
            np.testing.assert_allclose(part.chosen_by.values["visual"], expected, rtol=1e-5)
    # A half in which one run never predicts a label is left out of both; a study leaves it out of its own only.
    of_all = [
        one
        for one in found.labels
        if all(study.correlations[one.label].recordings == one.recordings for study in (this, other))
    ]
    assert of_all
    for one in of_all:
        for block, attribute in (("audio", "within_audio"), ("visual", "within_visual"), ("across", "across")):
            expected = [getattr(study.correlations[one.label], attribute).value for study in (this, other)]
            assert (one.blocks[block].this, one.blocks[block].other) == pytest.approx(expected)
            assert one.blocks[block].difference.value == pytest.approx(expected[0] - expected[1])
        own = [study.correlations[one.label] for study in (this, other)]
        assert one.p_values == tuple(study.block_p_value for study in own)
        assert [tuple(band[1:]) for band in one.chance] == [pytest.approx(study.null.band) for study in own]


def test_runs_of_one_name_are_told_apart_by_their_places():
    runs = [Run(f"{folder}/run", TrainConfig(scheme="joint"), toy_dataset(), toy_model()) for folder in "ab"]
    study = study_model(runs[0].model, toy_dataset(), QUICK, toy_batches)
    found = compare_with(study, *runs, toy_batches)
    assert (found.this.name, found.other.name) == ("a/run", "b/run")
    # The same weights: no difference at all.
    assert {tuple(one.blocks["across"].difference) for one in found.labels} == {(0.0, 0.0, 0.0)}
