from pathlib import Path

import pytest
import tensorflow as tf
from dataset_factory import write_dataset

from avinst.errors import UserError
from trainer.inputs.damaged_files import damaged_files_named
from trainer.inputs.pipeline import examples


def read(dataset):
    with damaged_files_named(dataset, ["train"]):
        list(examples(dataset, "train", 4))


def test_a_damaged_file_is_told_by_its_name_and_so_is_one_that_is_gone(tmp_path):
    dataset = write_dataset(tmp_path, recordings={"train": 6, "validation": 0, "test": 0}, shards=2)
    read(dataset)
    second = Path(dataset.tfrecord_paths("train")[1])
    content = second.read_bytes()
    second.write_bytes(content[:-9])
    with pytest.raises(UserError, match=rf"'{second}' is damaged; delete .* avinst prepare again"):
        read(dataset)
    # One bit of many, so that the size stays.
    second.write_bytes(content[:500] + bytes([content[500] ^ 1]) + content[501:])
    with pytest.raises(UserError, match=rf"'{second}' is damaged"):
        read(dataset)
    # What is damaged elsewhere is nobody's business here.
    with pytest.raises(tf.errors.DataLossError), damaged_files_named(dataset, ["validation"]):
        list(examples(dataset, "train", 4))
    second.unlink()
    with pytest.raises(UserError, match=rf"'{second}' is gone"):
        read(dataset)


def test_what_is_lost_elsewhere_passes(tmp_path):
    dataset = write_dataset(tmp_path, recordings={"train": 2, "validation": 0, "test": 0}, shards=1)
    with pytest.raises(tf.errors.DataLossError, match="a checkpoint"), damaged_files_named(dataset, ["train"]):
        raise tf.errors.DataLossError(None, None, "a checkpoint")
