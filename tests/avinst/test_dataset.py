import json

import pytest
from dataset_factory import write_dataset

from avinst.dataset import load_dataset, shard_name
from avinst.errors import UserError


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data") / "set", segments_per_recording=1)


def copy_of(dataset, folder, change):
    values = dataset.to_json()
    folder.mkdir()
    (folder / "dataset.json").write_text(json.dumps(change(values)))
    return str(folder)


def test_json_round_trip(dataset):
    assert load_dataset(dataset.data_dir) == dataset
    assert "data_dir" not in dataset.to_json()


def test_names_of_shards():
    assert shard_name("train", 3, 32) == "train-00003-of-00032"


def test_a_split_without_examples(dataset):
    with pytest.raises(UserError, match="no split 'valid'; expected one of train, validation, test"):
        dataset.tfrecord_paths("valid")


def test_missing_and_unfinished(tmp_path):
    with pytest.raises(UserError, match="no dataset directory"):
        load_dataset(str(tmp_path / "none"))
    with pytest.raises(UserError, match="is no dataset: it has no"):
        load_dataset(str(tmp_path))
    (tmp_path / "shards").mkdir()
    with pytest.raises(UserError, match="unfinished; run the same avinst prepare again"):
        load_dataset(str(tmp_path))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda values: {**values, "format_version": 99}, "dataset format 99, this avinst reads 1"),
        (lambda values: {**values, "extra": 1}, "missing or unknown values .extra"),
        (lambda values: {k: v for k, v in values.items() if k != "labels"}, "missing or unknown values .labels"),
        (lambda values: {**values, "spec": {**values["spec"], "colour": 1}}, "dataset spec: unknown"),
        (lambda values: [1], "expected an object, found list"),
        (lambda values: {**values, "labels": "ab"}, "labels: expected .*, found .ab."),
        (lambda values: {**values, "segments": {"train": "2"}}, "segments: expected"),
        (
            lambda values: {**values, "spec": {**values["spec"], "hop_samples": 1.5}},
            "hop_samples: expected int, found .1.5.",
        ),
        (
            lambda values: {**values, "spec": {**values["spec"], "sample_rate_hz": 10**400}},
            "all numbers must be finite",
        ),
        (lambda values: {**values, "log_mel_std_db": 0}, "are no mean and deviation"),
        (lambda values: {**values, "shards": {"dev": []}}, "shards of other splits"),
        (
            lambda values: {**values, "shards": {**values["shards"], "test": ["../../train-00000-of-00001"]}},
            "a shard that lies elsewhere",
        ),
    ],
)
def test_damaged_files(dataset, tmp_path, change, message):
    with pytest.raises(UserError, match=message):
        load_dataset(copy_of(dataset, tmp_path / "copy", change))
