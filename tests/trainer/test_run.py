import dataclasses
import json

import pytest

from avinst.errors import UserError
from trainer.run import load_run, open_run, read_config


def test_a_run_that_was_begun_with_the_same_settings_is_opened_again(tmp_path, dataset, small_config):
    run_dir = str(tmp_path / "run")
    open_run(run_dir, small_config, dataset)
    moved = dataclasses.replace(dataset, data_dir="/elsewhere")
    open_run(run_dir, small_config, moved)
    assert read_config(run_dir) == (small_config, dataset)


def test_other_settings_are_refused_with_the_differences(tmp_path, dataset, small_config):
    run_dir = str(tmp_path / "run")
    open_run(run_dir, small_config, dataset)
    other = dataclasses.replace(small_config, epochs=5, seed=7)
    with pytest.raises(UserError, match=r"\(epochs: 4 there, 5 now; seed: 0 there, 7 now\)"):
        open_run(run_dir, other, dataset)


def test_another_dataset_is_refused(tmp_path, dataset, small_config):
    run_dir = str(tmp_path / "run")
    open_run(run_dir, small_config, dataset)
    with pytest.raises(UserError, match="fingerprint"):
        open_run(run_dir, small_config, dataclasses.replace(dataset, fingerprint="0123456789abcdef"))


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
    with pytest.raises(UserError, match="cannot read the model"):
        load_run(str(run_dir))
    (run_dir / "config.json").write_text("{")
    with pytest.raises(UserError, match="damaged"):
        load_run(str(run_dir))


def test_config_json_tells_command_seed_and_versions(tmp_path, dataset, small_config):
    open_run(str(tmp_path / "run"), dataclasses.replace(small_config, seed=11), dataset)
    values = json.loads((tmp_path / "run" / "config.json").read_text())
    assert values["seed"] == 11
    assert values["command"]
    assert set(values["versions"]) >= {"avinst", "python", "tensorflow", "keras"}
    assert values["dataset"]["fingerprint"] == dataset.fingerprint
