import pytest

import trainer
from avinst import UserError
from trainer import fitting
from trainer.run import loaded


def test_settings_are_the_fields_of_the_config(monkeypatch, dataset):
    given = []
    monkeypatch.setattr(fitting, "train", lambda *arguments: given.append(arguments))
    monkeypatch.setattr(fitting, "load_run", lambda run_dir: f"loaded {run_dir}")
    assert trainer.fit(dataset, "RUN", scheme="audio", epochs=3) == "loaded RUN"
    assert trainer.fit("DATA", "RUN", log_dir="LOGS") == "loaded RUN"
    assert given == [
        ("RUN", dataset.data_dir, trainer.TrainConfig(scheme="audio", epochs=3), ""),
        ("RUN", "DATA", trainer.TrainConfig(), "LOGS"),
    ]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"epoch": 3}, "no setting 'epoch'; did you mean 'epochs'?"),
        ({"scheme": "both"}, "--scheme=both: expected one of audio, visual, independent, joint"),
    ],
)
def test_a_wrong_setting_is_told_before_anything_is_written(settings, told, tmp_path):
    with pytest.raises(UserError) as error:
        trainer.fit("DATA", str(tmp_path / "run"), **settings)
    assert str(error.value) == told
    assert not (tmp_path / "run").exists()


def test_a_run_may_be_given_as_its_directory(untrained_run):
    run = untrained_run("audio")
    assert loaded(run) is run
    assert loaded(run.run_dir).config == run.config


def test_a_split_that_is_not_there_is_told():
    with pytest.raises(
        UserError, match=r"^split='tests': expected one of train, validation, test; did you mean 'test'\?$"
    ):
        trainer.evaluate_run("RUN", "tests")
