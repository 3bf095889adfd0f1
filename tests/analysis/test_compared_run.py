import dataclasses

import pytest
from dataset_factory import write_dataset

from analysis.compared_run import load_compared
from avinst.errors import UserError
from trainer.config import TrainConfig
from trainer.run import open_run

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
