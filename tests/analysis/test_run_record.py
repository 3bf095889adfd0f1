import dataclasses
import json
from pathlib import Path

import pytest
from toy_study_parts import toy_dataset

from analysis.run_record import read_record
from trainer.config import TrainConfig
from trainer.run import open_run

OWN = toy_dataset()
OTHER = toy_dataset(fingerprint="e" * 64, data_dir="elsewhere")


def score(value, dataset=None):
    found = {"recording": {"hit_at_1": {"value": value}}}
    return {**found, "fingerprint": dataset.fingerprint} if dataset else found


def write(folder, entry, name="metrics.json"):
    Path(folder).mkdir(parents=True, exist_ok=True)
    Path(folder, name).write_text(json.dumps({"test": entry}))


def record(run_dir, dataset):
    return read_record(str(run_dir), dataset, "test", analyze_command="", versions={})


@pytest.fixture
def run_dir(tmp_path):
    open_run(str(tmp_path / "run"), TrainConfig(scheme="independent"), OWN)
    return tmp_path / "run"


def test_scores_and_audit_of_the_analyzed_dataset_are_read(run_dir):
    write(run_dir, score(0.7, OWN))
    write(run_dir / "stages" / "audio", score(0.6, OWN))
    write(run_dir, {"fingerprint": OWN.fingerprint, "verdict": ["x"]}, "audit.json")
    found = record(run_dir, OWN)
    assert list(found.scores) == ["audio alone", "independent (this run)"]
    assert found.audit["verdict"] == ["x"]
    assert found.of_another_dataset == ()


def test_those_of_another_dataset_are_left_out_and_named(run_dir):
    write(run_dir, score(0.7, OTHER))
    write(run_dir / "stages" / "audio", score(0.6, OTHER))
    write(run_dir, {"fingerprint": OWN.fingerprint}, "audit.json")  # evaluated on the other with --noaudit
    found = record(run_dir, OWN)
    assert found.scores == {}
    assert found.audit == {"fingerprint": OWN.fingerprint}
    assert found.of_another_dataset == ("audio alone", "independent (this run)")
    found = record(run_dir, OTHER)
    assert list(found.scores) == ["audio alone", "independent (this run)"]
    assert found.audit is None
    assert found.of_another_dataset == ("the modality audit",)
    assert "--data_dir=elsewhere" in found.evaluate_command


def test_what_earlier_versions_measured_counts_as_of_the_runs_own_dataset(run_dir):
    write(run_dir, score(0.7))
    write(run_dir, {"verdict": []}, "audit.json")
    found = record(run_dir, OWN)
    assert list(found.scores) == ["independent (this run)"]
    assert found.audit == {"verdict": []}
    found = record(run_dir, OTHER)
    assert (found.scores, found.audit) == ({}, None)
    assert found.of_another_dataset == ("independent (this run)", "the modality audit")
    assert found.stages_command == ""


def test_the_stages_of_another_run_are_asked_for_their_dataset_too(run_dir, tmp_path):
    joint = tmp_path / "joint"
    open_run(str(joint), TrainConfig(scheme="joint"), OWN)
    write(joint, score(0.8, OWN))
    write(joint, {"stages_from": str(run_dir), "fingerprint": OTHER.fingerprint}, "audit.json")
    write(run_dir, score(0.7, OTHER))
    write(run_dir / "stages" / "audio", score(0.6, OTHER))
    write(run_dir / "stages" / "visual", score(0.5))
    found = record(joint, OWN)
    assert list(found.scores) == ["visual alone", "joint (this run)"]
    assert found.audit is None
    assert found.of_another_dataset == ("audio alone", "independent", "the modality audit")
    assert found.stages_command.startswith("avinst evaluate --run_dir=")
    assert found.stages_command.split()[2] == next(
        flag.replace("--stages_from", "--run_dir")
        for flag in found.evaluate_command.split()
        if flag.startswith("--stages_from=")
    )
    # The audit that is to be made anew is of the same two runs.
    assert f"--stages_from={run_dir}" in found.evaluate_command


def test_a_dataset_that_lies_elsewhere_is_the_same_one(run_dir):
    write(run_dir, score(0.7, OWN))
    assert record(run_dir, dataclasses.replace(OWN, data_dir="moved")).scores
