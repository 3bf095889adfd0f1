import dataclasses
import json
import sys
from pathlib import Path

import pytest

from avinst.errors import UserError
from trainer.config import TrainConfig
from trainer.run import load_run, open_run, read_config, read_metrics


def begin(run_dir, config, dataset, *files):
    """Begins a run that came as far as the files tell."""
    open_run(run_dir, config, dataset)
    for name in files:
        file = Path(run_dir, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")


def test_a_run_of_which_nothing_was_trained_is_begun_anew_with_other_settings(tmp_path, dataset, small_config):
    run_dir = tmp_path / "run"
    begin(str(run_dir), small_config, dataset, "logs/preview/events", "checkpoints/audio/.tmp-1-0123abcd-epoch")
    other = dataclasses.replace(small_config, batch_size=2)
    open_run(str(run_dir), other, dataclasses.replace(dataset, fingerprint="0123456789abcdef"))
    assert read_config(str(run_dir))[0] == other
    assert read_config(str(run_dir))[1].fingerprint == "0123456789abcdef"
    assert [path.name for path in run_dir.iterdir()] == ["config.json"]


@pytest.mark.parametrize(
    "trained", ["model.keras", "metrics.json", "stages/audio/model.keras", "checkpoints/audio/best.json"]
)
def test_what_was_trained_is_never_deleted(tmp_path, dataset, small_config, trained):
    run_dir = tmp_path / "run"
    begin(str(run_dir), small_config, dataset, trained, "logs/audio/events")
    with pytest.raises(UserError, match="begun otherwise"):
        open_run(str(run_dir), dataclasses.replace(small_config, seed=7), dataset)
    assert (run_dir / trained).exists()
    assert (run_dir / "logs" / "audio" / "events").exists()
    assert read_config(str(run_dir))[0] == small_config


def test_a_run_that_was_begun_with_the_same_settings_is_opened_again(tmp_path, dataset, small_config):
    run_dir = str(tmp_path / "run")
    open_run(run_dir, small_config, dataset)
    moved = dataclasses.replace(dataset, data_dir="/elsewhere")
    open_run(run_dir, small_config, moved)
    assert read_config(run_dir) == (small_config, dataset)


def test_other_settings_are_refused_with_the_differences(tmp_path, dataset, small_config):
    run_dir = str(tmp_path / "run")
    begin(run_dir, small_config, dataset, "checkpoints/audio/epoch-00001.weights.h5")
    other = dataclasses.replace(small_config, epochs=5, seed=7)
    with pytest.raises(UserError, match=r"\(epochs: 4 there, 5 now; seed: 0 there, 7 now\)"):
        open_run(run_dir, other, dataset)


def test_another_dataset_is_refused(tmp_path, dataset, small_config):
    run_dir = str(tmp_path / "run")
    begin(run_dir, small_config, dataset, "stages/audio/model.keras")
    with pytest.raises(UserError, match="fingerprint"):
        open_run(run_dir, small_config, dataclasses.replace(dataset, fingerprint="0123456789abcdef"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"segments": {"train": 50, "validation": 24, "test": 24}}, r"\(train segments: 48 there, 50 now\)"),
        (
            {"label_segments": {"train": {"cello": 15, "drum": 17, "flute": 15}}},
            r"\(train segments of cello: 16 there, 15 now; train segments of drum: 16 there, 17 now; .* more\)",
        ),
        ({"log_mel_mean_db": -40.5}, r"\(log_mel_mean_db: -[\d.]+ there, -40\.5 now\)"),
        ({"log_mel_std_db": 9.5}, r"\(log_mel_std_db: [\d.]+ there, 9\.5 now\)"),
    ],
    ids=["segments", "labels", "mean", "deviation"],
)
def test_a_dataset_that_was_prepared_again_with_mended_files_is_not_gone_on_with(
    tmp_path, dataset, small_config, change, told
):
    run_dir = str(tmp_path / "run")
    mended = dataclasses.replace(dataset, **change)  # its fingerprint, which knows no files' contents, is the same
    open_run(run_dir, small_config, dataset)
    open_run(run_dir, small_config, mended)  # nothing is trained yet
    assert read_config(run_dir)[1] == mended
    begin(run_dir, small_config, mended, "checkpoints/audio/best.json")
    with pytest.raises(UserError, match=r"prepared again since .*; train into another --run_dir"):
        open_run(run_dir, small_config, dataset)
    begin(str(tmp_path / "other"), small_config, dataset, "checkpoints/audio/best.json")
    with pytest.raises(UserError, match=told) as error:
        open_run(str(tmp_path / "other"), small_config, mended)
    assert "\n" not in str(error.value)


def test_a_dataset_that_trains_the_same_is_gone_on_with(tmp_path, dataset, small_config):
    begin(str(tmp_path), small_config, dataset, "checkpoints/audio/best.json")
    segments = {**dataset.segments, "test": 25}
    open_run(str(tmp_path), small_config, dataclasses.replace(dataset, segments=segments))
    # The last digits depend on the processor.
    mean = dataset.log_mel_mean_db + 1e-9
    open_run(str(tmp_path), small_config, dataclasses.replace(dataset, log_mel_mean_db=mean))


def test_a_finished_run_is_not_asked_what_it_was_trained_on(tmp_path, dataset, small_config):
    begin(str(tmp_path), small_config, dataset, "model.keras")
    open_run(str(tmp_path), small_config, dataclasses.replace(dataset, log_mel_mean_db=-40.5))
    with pytest.raises(UserError, match="was begun otherwise"):
        open_run(str(tmp_path), dataclasses.replace(small_config, seed=7), dataset)


def test_a_directory_with_other_things_is_left_alone(tmp_path, dataset, small_config):
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(UserError, match=r"holiday\.jpg"):
        open_run(str(tmp_path), small_config, dataset)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


def test_runs_that_are_missing_unfinished_or_damaged_say_so(tmp_path, dataset, small_config):
    with pytest.raises(UserError, match="no run directory"):
        load_run(str(tmp_path / "none"))
    with pytest.raises(UserError, match=r"no config\.json"):
        load_run(str(tmp_path))
    run_dir = tmp_path / "run"
    open_run(str(run_dir), small_config, dataset)
    with pytest.raises(UserError, match="unfinished; run the same avinst train again"):
        load_run(str(run_dir))
    (run_dir / "model.keras").write_bytes(b"no model")
    with pytest.raises(
        UserError, match=r"is damaged or unreadable \(no whole Keras file, 8 bytes\); delete it and run"
    ):
        load_run(str(run_dir))
    (run_dir / "config.json").write_text("{")
    with pytest.raises(UserError, match="damaged"):
        load_run(str(run_dir))


def test_a_damaged_model_is_not_said_to_be_missing(untrained_run):
    run_dir = untrained_run("audio").run_dir
    file = Path(run_dir) / "model.keras"
    whole = file.read_bytes()
    middle = len(whole) // 2
    # Cut off, and with other bytes among the weights: a whole archive whose checksum is wrong.
    for damaged in (whole[:middle], whole[:middle] + bytes(64) + whole[middle + 64 :], b""):
        file.write_bytes(damaged)
        with pytest.raises(UserError, match="is damaged or unreadable") as caught:
            load_run(run_dir)
        assert "not found" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"flags": None},
        {"flags": [1, 2]},
        {"flags": "scheme"},
        {"flags": {"scheme": "joint", "sorcery": 1}},
        {"flags": {**TrainConfig().to_json(), "epochs": "ten"}},
        {"flags": {**TrainConfig().to_json(), "scheme": "both"}},
        {"dataset": 7},
        {"dataset": None},
        {"dataset_spec": 3},
        {"data_dir": None},
        {"format_version": "one"},
    ],
)
def test_a_damaged_value_in_config_json_is_told_with_the_file(tmp_path, dataset, small_config, change):
    open_run(str(tmp_path), small_config, dataset)
    file = tmp_path / "config.json"
    values = json.loads(file.read_text())
    if "dataset_spec" in change:
        change = {"dataset": {**values["dataset"], "spec": change["dataset_spec"]}}
    file.write_text(json.dumps({**values, **change}))
    with pytest.raises(UserError, match=r"config\.json'"):
        read_config(str(tmp_path))


@pytest.mark.parametrize("damaged", ["{", "[1]", "\x00", '"test"'])
def test_damaged_metrics_say_so(tmp_path, damaged):
    assert read_metrics(str(tmp_path)) == {}
    (tmp_path / "metrics.json").write_text(damaged)
    with pytest.raises(UserError, match=r"metrics\.json' is damaged .*; delete it and run avinst evaluate again"):
        read_metrics(str(tmp_path))


def test_config_json_tells_command_seed_and_versions(tmp_path, dataset, small_config, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/somebody/bin/avinst", "train", "--run_dir=my run"])
    open_run(str(tmp_path / "run"), dataclasses.replace(small_config, seed=11), dataset)
    values = json.loads((tmp_path / "run" / "config.json").read_text())
    assert values["seed"] == 11
    assert values["command"] == "avinst train '--run_dir=my run'"
    assert set(values["versions"]) >= {"avinst", "python", "tensorflow", "keras"}
    assert values["dataset"]["fingerprint"] == dataset.fingerprint
