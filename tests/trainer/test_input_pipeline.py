import numpy as np
import pytest
from dataset_factory import write_dataset

from avinst.errors import UserError
from trainer.input_pipeline import examples, keyed_examples, steps_per_epoch


@pytest.fixture(scope="module")
def sharded(tmp_path_factory):
    return write_dataset(
        tmp_path_factory.mktemp("sharded"), recordings={"train": 21, "validation": 3, "test": 0}, shards=3
    )


def fingerprints(batches):
    """Each example's log-mel as bytes: unique in these datasets."""
    return [[row.tobytes() for row in features["log_mel"].numpy()] for features, _ in batches]


def training(dataset, batches, **settings):
    return fingerprints(examples(dataset, "train", 8, training=True, **settings).take(batches))


def test_the_order_is_a_function_of_seed_and_epoch(sharded):
    assert steps_per_epoch(sharded.segments["train"], 8) == 5
    twice = training(sharded, 10)
    assert training(sharded, 10) == twice
    assert training(sharded, 5, first_epoch=1) == twice[5:]
    assert twice[:5] != twice[5:]
    assert training(sharded, 5, seed=1) != twice[:5]


def test_the_order_does_not_depend_on_the_programs_random_state(sharded):
    import keras

    first = training(sharded, 5)
    keras.utils.set_random_seed(0)
    assert training(sharded, 5) == first


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
    batches = examples(sharded, "validation", 100, training=True)
    assert [len(label) for _, label in batches.take(2)] == [6, 6]
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
    plain = list(examples(sharded, "train", 8))
    for (features, label), batch in zip(plain, batches, strict=True):
        np.testing.assert_array_equal(features["log_mel"], batch["log_mel"])
        np.testing.assert_array_equal(features["frame"], batch["frame"])
        np.testing.assert_array_equal(label, batch["label"])


def test_only_the_inputs_asked_for_are_given(sharded):
    features, _ = next(iter(examples(sharded, "train", 4, inputs=["frame"])))
    assert list(features) == ["frame"]


def test_an_empty_split_is_an_error_that_tells_the_counts(sharded):
    with pytest.raises(UserError, match="'test' has no examples"):
        examples(sharded, "test", 8)
