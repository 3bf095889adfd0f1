"""Datasets at the edge of what can be learned from: right results, or one line that says why not."""

import contextlib
import dataclasses
import io
import json
import warnings

import numpy as np
import pytest
from dataset_factory import write_dataset

from avinst.dataset import DATASET_FILE, load_dataset
from avinst.errors import UserError
from avinst.spec import DatasetSpec
from trainer import evaluate as evaluate_command
from trainer.evaluation.split_evaluation import evaluate
from trainer.run import load_run
from trainer.schemes import train

SPEC = DatasetSpec(frame_size=48)


@pytest.fixture(scope="module")
def one_example(tmp_path_factory, small_config):
    """Trained on a single example of cello; nothing to validate on; a test split without flute."""
    folder = tmp_path_factory.mktemp("one")
    counts = {"train": 1, "validation": 0, "test": 2}
    dataset = write_dataset(folder / "data", recordings=counts, segments_per_recording=1, shards=1, spec=SPEC)
    config = dataclasses.replace(small_config, scheme="audio", epochs=2)
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        train(str(folder / "run"), dataset.data_dir, config)
    (folder / "said.txt").write_text(said.getvalue())
    return folder


def test_one_example_trains_and_is_measured(one_example):
    run, dataset = load_run(str(one_example / "run")), load_dataset(str(one_example / "data"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metrics = evaluate(run, dataset, "test").metrics["recording"]
    per_label = metrics["per_label"]
    assert [per_label[label]["count"] for label in ("cello", "drum", "flute")] == [1, 1, 0]
    assert per_label["flute"]["f1"] is None
    present = [per_label[label]["average_precision"] for label in ("cello", "drum")]
    assert metrics["map"]["value"] == pytest.approx(np.mean(present))
    assert json.loads((one_example / "run" / "metrics.json").read_text())["test"]["recording"] == metrics
    assert np.array(metrics["confusion"]).sum(axis=1).tolist() == [1, 1, 0]


def test_labels_without_training_examples_are_named_once(one_example):
    lines = [line for line in (one_example / "said.txt").read_text().splitlines() if "no training example" in line]
    assert len(lines) == 1
    assert "drum, flute" in lines[0]


def test_a_missing_split_is_one_line(one_example, capsys):
    run_dir = f"--run_dir={one_example}/run"
    assert evaluate_command.main(["x", run_dir, "--split=validation"]) == 1
    error = capsys.readouterr().err
    assert "split 'validation' has no examples (segments: train 1, validation 0, test 2)" in error
    assert error.count("\n") == 1


def test_a_spec_changed_since_training_is_one_line(one_example, tmp_path, capsys):
    counts = {"train": 1, "validation": 0, "test": 2}
    other = write_dataset(tmp_path / "data", recordings=counts, spec=DatasetSpec(frame_size=64, hop_samples=240))
    arguments = ["x", f"--run_dir={one_example}/run", f"--data_dir={other.data_dir}"]
    assert evaluate_command.main(arguments) == 1
    error = capsys.readouterr().err
    assert "hop_samples: 220 in the run, 240 in the dataset; frame_size: 48 in the run, 64 in the dataset" in error
    assert error.count("\n") == 1


def test_a_rare_label_counts_as_much_as_a_common_one(untrained_run, tmp_path):
    dataset = write_dataset(tmp_path / "data", labels=("common", "rare"), label_of=lambda number: int(number == 7))
    assert dataset.label_segments["test"] == {"common": 22, "rare": 2}
    metrics = evaluate(untrained_run("audio", dataset), dataset, "test").metrics["recording"]
    assert metrics["per_label"]["rare"]["count"] == 1
    f1 = [metrics["per_label"][label]["f1"] for label in ("common", "rare")]
    assert metrics["f1_macro"]["value"] == pytest.approx(np.mean(f1))
    # A draw without the rare recording (35 % of them) leaves it out of the mean instead of spoiling it.
    assert np.isfinite([metrics["map"]["low"], metrics["map"]["high"]]).all()


def test_a_dataset_that_says_nothing_of_a_split_has_no_examples_there(untrained_run, tmp_path):
    dataset = write_dataset(tmp_path / "data", recordings={"train": 3, "test": 3})
    assert "validation" not in json.loads((tmp_path / "data" / DATASET_FILE).read_text())["segments"]
    with pytest.raises(UserError, match="'validation' has no examples"):
        evaluate(untrained_run("audio", dataset), dataset, "validation")
