import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from dataset_factory import write_dataset

from avinst.errors import UserError
from trainer.evaluation.predictions import predict_split
from trainer.evaluation.split_evaluation import (
    check_same_dataset,
    evaluate,
    evaluate_stages,
    tell_of_other_recordings,
)

LABELS = ("cello", "drum", "flute")


def test_metrics_json_keeps_the_other_splits(independent_run, dataset):
    test = evaluate(independent_run, dataset, "test").metrics
    validation = evaluate(independent_run, dataset, "validation", batch_size=5).metrics
    written = json.loads((Path(independent_run.run_dir) / "metrics.json").read_text())
    assert written == {"test": test, "validation": validation}
    assert list(test) == ["segment", "recording", "fingerprint"]
    assert test["segment"]["count"] == 24
    assert test["recording"]["count"] == 12
    assert {name: values["count"] for name, values in test["recording"]["per_label"].items()} == dict.fromkeys(
        LABELS, 4
    )
    assert np.trace(test["recording"]["confusion"]) / 12 == test["recording"]["hit_at_1"]["value"]


def test_damaged_metrics_are_told_before_anything_is_predicted(untrained_run, dataset, monkeypatch):
    run = untrained_run("audio")
    (Path(run.run_dir) / "metrics.json").write_text("{")
    monkeypatch.setattr("trainer.evaluation.split_evaluation.predict_split", lambda *_: pytest.fail("predicted"))
    with pytest.raises(UserError, match=r"metrics\.json' is damaged"):
        evaluate(run, dataset, "test")


def test_predictions_do_not_depend_on_the_batch_size(independent_run, dataset):
    first, second = (predict_split(independent_run.model, dataset, "test", size) for size in (24, 5))
    assert first.video_ids.tolist() == second.video_ids.tolist()
    assert first.segment_index.tolist() == second.segment_index.tolist() == [0, 1] * 12
    np.testing.assert_allclose(first.probabilities, second.probabilities, atol=1e-5)  # float32
    np.testing.assert_allclose(first.probabilities.sum(axis=1), 1.0, rtol=1e-5)


def test_a_model_of_one_modality_is_evaluated_too(untrained_run, dataset):
    run = untrained_run("visual")
    assert evaluate(run, dataset, "test").metrics["recording"]["count"] == 12


def test_another_dataset_is_refused_with_the_difference(untrained_run, dataset, tmp_path):
    run = untrained_run("audio")
    check_same_dataset(run, dataset)
    other = write_dataset(tmp_path / "other", labels=("cello", "drum"))
    with pytest.raises(UserError, match="labels: cello, drum, flute in the run, cello, drum in the dataset"):
        evaluate(run, other, "test")
    larger = dataclasses.replace(dataset, spec=dataclasses.replace(dataset.spec, frame_size=96))
    with pytest.raises(UserError, match="frame_size: 64 in the run, 96 in the dataset"):
        check_same_dataset(run, larger)


def test_a_dataset_that_was_prepared_anew_is_told(untrained_run, dataset, capsys):
    run = untrained_run("audio")
    tell_of_other_recordings(run, dataset)
    assert not capsys.readouterr().err
    anew = dataclasses.replace(dataset, fingerprint="divided-anew")
    assert evaluate(run, anew, "test").metrics["fingerprint"] == "divided-anew"
    assert "is not the dataset that " in (told := capsys.readouterr().err)
    assert "(divided-anew, not " in told


def test_an_independent_run_tells_what_each_modality_does_alone(independent_run, dataset, untrained_run):
    stages = evaluate_stages(independent_run, dataset, "test")
    assert list(stages) == ["audio", "visual"]
    folder = Path(independent_run.run_dir) / "stages"
    for stage, alone in stages.items():
        assert json.loads((folder / stage / "metrics.json").read_text()) == {"test": alone.metrics}
        assert alone.metrics["fingerprint"] == dataset.fingerprint
    assert evaluate_stages(untrained_run("joint"), dataset, "test") == {}
