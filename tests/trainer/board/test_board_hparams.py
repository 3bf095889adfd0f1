import dataclasses

from dataset_factory import write_dataset

from trainer.board.hparams import hparams, trial_id
from trainer.run import Run


def test_all_settings_are_there_as_plain_values(small_config, tmp_path):
    dataset = write_dataset(tmp_path / "data", recordings={"train": 3, "validation": 0, "test": 3})
    found = hparams(Run(str(tmp_path), small_config, dataset, None), dataset, "test")
    for field in dataclasses.fields(small_config):
        assert found[field.name] == getattr(small_config, field.name)
    assert found["evaluation_split"] == "test"
    assert {type(value) for value in found.values()} <= {bool, int, float, str}


def test_runs_and_splits_have_ids_of_their_own(tmp_path):
    names = [trial_id(run, split) for run in ("a/run", "b/run", "a/run/") for split in ("test", "validation")]
    assert len(set(names)) == 4
    assert names[0].startswith("run ")
    assert names[0].endswith(" test")
    assert names[0] == trial_id("a/run/", "test")
