import dataclasses

import numpy as np
import pytest
from dataset_factory import write_dataset

from avinst.errors import UserError
from trainer.config import TrainConfig
from trainer.inputs.pipeline import examples, keyed_examples, steps_per_epoch, training_examples

CONFIG = TrainConfig(batch_size=8, augment=False)


@pytest.fixture(scope="module")
def sharded(tmp_path_factory):
    return write_dataset(
        tmp_path_factory.mktemp("sharded"), recordings={"train": 21, "validation": 3, "test": 0}, shards=3
    )


def fingerprints(batches):
    """Each example's log-mel as bytes: unique in these datasets."""
    return [[row.tobytes() for row in features["log_mel"].numpy()] for features, *_ in batches]


def training(dataset, batches, first_epoch=0, **settings):
    config = dataclasses.replace(CONFIG, **settings)
    return fingerprints(training_examples(dataset, config, first_epoch=first_epoch).take(batches))


def test_the_order_is_a_function_of_seed_and_epoch(sharded):
    assert steps_per_epoch(sharded.segments["train"], 8) == 5
    twice = training(sharded, 10)
    assert training(sharded, 10) == twice
    assert training(sharded, 5, first_epoch=1) == twice[5:]
    assert twice[:5] != twice[5:]
    assert training(sharded, 5, seed=1) != twice[:5]


def test_the_order_does_not_depend_on_the_programs_random_state(sharded):
    import keras

    first = training(sharded, 5, balance="sampling", augment=True)
    keras.utils.set_random_seed(0)
    assert training(sharded, 5, balance="sampling", augment=True) == first


@pytest.mark.parametrize("cache", ["none", "memory"])
def test_an_epoch_shows_no_example_twice(sharded, cache):
    epoch = [example for batch in training(sharded, 5, cache=cache) for example in batch]
    assert len(set(epoch)) == len(epoch) == 40  # of 42: full batches only


def test_examples_of_all_files_are_mixed(sharded):
    in_files = [example for batch in fingerprints(examples(sharded, "train", 8)) for example in batch]
    positions = [in_files.index(example) for batch in training(sharded, 2) for example in batch]
    assert {position * 3 // len(in_files) for position in positions} == {0, 1, 2}
    assert positions != sorted(positions)


def test_a_split_smaller_than_a_batch_is_one_batch(sharded):
    assert [len(batch) for batch in training(sharded, 2, batch_size=100)] == [42, 42]
    assert steps_per_epoch(6, 100) == 1


def test_without_training_every_example_comes_once_in_the_order_of_the_files(sharded):
    batches = list(keyed_examples(sharded, "train", 8))
    assert [len(batch["label"]) for batch in batches] == [8, 8, 8, 8, 8, 2]
    keys = [
        (video_id.decode(), int(index))
        for batch in batches
        for video_id, index in zip(batch["video_id"].numpy(), batch["segment_index"].numpy(), strict=True)
    ]
    expected = [
        (f"train/{recording:03d}", segment)
        for shard in range(3)
        for recording in range(shard, 21, 3)
        for segment in range(2)
    ]
    assert keys == expected
    rest = np.concatenate([batch["video_id"] for batch in keyed_examples(sharded, "train", 8, skip=16)])
    assert [video_id.decode() for video_id in rest] == [video_id for video_id, _ in expected[16:]]
    plain = list(examples(sharded, "train", 8))
    for (features, label), batch in zip(plain, batches, strict=True):
        np.testing.assert_array_equal(features["log_mel"], batch["log_mel"])
        np.testing.assert_array_equal(features["frame"], batch["frame"])
        np.testing.assert_array_equal(label, batch["label"])


def test_only_the_inputs_asked_for_are_given(sharded):
    features, _ = next(iter(examples(sharded, "train", 4, inputs=["frame"])))
    assert list(features) == ["frame"]
    features, _ = next(iter(training_examples(sharded, TrainConfig(mix="mixup"), inputs=["log_mel"])))
    assert list(features) == ["log_mel"]


def test_an_empty_split_is_an_error_that_tells_the_counts(sharded):
    with pytest.raises(UserError, match="'test' has no examples"):
        examples(sharded, "test", 8)


@pytest.mark.slow
def test_a_resumed_training_sees_the_alterations_that_an_undisturbed_one_does(sharded):
    config = dataclasses.replace(CONFIG, augment=True, rand_augment=5.0, mix="cutmix")
    undisturbed = list(training_examples(sharded, config).skip(7).take(3))
    resumed = list(training_examples(sharded, config, first_epoch=1, first_batch=2).take(3))
    for (features, label), (again, same_label) in zip(undisturbed, resumed, strict=True):
        np.testing.assert_array_equal(label, same_label)
        for name, values in features.items():
            np.testing.assert_array_equal(values, again[name])
    first = next(iter(training_examples(sharded, config)))
    assert not np.array_equal(first[0]["frame"], resumed[0][0]["frame"])


def test_no_two_batches_are_altered_alike(sharded):
    config = dataclasses.replace(CONFIG, augment=True)
    batches = training_examples(sharded, config, inputs=["log_mel"]).take(10)
    masked = [
        (features["log_mel"] == np.float32(sharded.log_mel_mean_db)).numpy().tobytes() for features, _ in batches
    ]
    assert len(set(masked)) == 10


def test_plain_training_examples_are_those_that_are_stored(sharded):
    config = TrainConfig(batch_size=8, mix="mixup", rand_augment=5.0, balance="weights")
    stored = {example for batch in fingerprints(examples(sharded, "train", 8)) for example in batch}
    batches = list(training_examples(sharded, config, plain=True).take(5))
    assert {len(batch) for batch in batches} == {2}
    assert {example for batch in fingerprints(batches) for example in batch} <= stored
    assert batches[0][0]["frame"].dtype == np.uint8


def test_wrong_arguments_are_told_in_one_line(sharded):
    for make in (examples, keyed_examples):
        with pytest.raises(UserError, match=r"^batch_size=0: expected at least 1$"):
            make(sharded, "train", 0)
    with pytest.raises(
        UserError, match=r"^inputs='logmel': expected one of log_mel, frame; did you mean 'log_mel'\?$"
    ):
        examples(sharded, "train", 8, inputs=["logmel"])
