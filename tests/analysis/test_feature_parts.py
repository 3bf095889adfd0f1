import dataclasses

import keras
import numpy as np
import pytest
from toy_models import toy_model
from toy_study_parts import toy_batches, toy_dataset

from analysis.extraction import split_features
from analysis.feature_parts import FeatureParts, pass_key, remove_parts

BATCH = 12
# Built once: Keras counts the layers of a process in their names, which a model in a file keeps.
MODEL = toy_model()
OTHER_WEIGHTS = keras.models.clone_model(MODEL)


def features_in(folder, model=MODEL, batches=toy_batches):
    return split_features(model, toy_dataset(), "test", batches, BATCH, str(folder))


def counted_batches(seen, stop_after=None):
    """The toy's batches; `seen` is told the rows asked for, and the pass dies after `stop_after` batches."""

    def batches(split, skip=0):
        seen.append(skip)
        for number, batch in enumerate(toy_batches(split, skip)):
            if number == stop_after:
                raise KeyboardInterrupt
            yield batch

    return batches


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr("analysis.extraction.SEGMENTS_A_PART", 24)


def test_a_killed_pass_goes_on_and_ends_as_an_undisturbed_one(tmp_path):
    seen = []
    with pytest.raises(KeyboardInterrupt):
        features_in(tmp_path, batches=counted_batches(seen, stop_after=3))
    resumed = features_in(tmp_path, batches=counted_batches(seen))
    assert seen == [0, 24]  # the third batch was of a part that was not whole
    whole = features_in("")
    for field in dataclasses.fields(whole):
        np.testing.assert_array_equal(getattr(resumed, field.name), getattr(whole, field.name))
    # Once more: nothing is left to be computed.
    features_in(tmp_path, batches=counted_batches(seen, stop_after=0))
    assert seen[-1] == 60


def test_parts_of_other_weights_are_not_taken(tmp_path):
    features_in(tmp_path)
    seen = []
    other = features_in(tmp_path, OTHER_WEIGHTS, counted_batches(seen))
    assert seen == [0]
    np.testing.assert_array_equal(other.audio, features_in("", OTHER_WEIGHTS).audio)


def test_a_key_names_all_that_decides_the_features():
    model, dataset = MODEL, toy_dataset()
    keys = {
        pass_key(model, dataset, "test", 12),
        pass_key(model, dataset, "validation", 12),
        pass_key(model, dataset, "test", 16),
        pass_key(OTHER_WEIGHTS, dataset, "test", 12),
        pass_key(model, dataclasses.replace(dataset, fingerprint="0" * 64), "test", 12),
    }
    assert len(keys) == 5
    moved = dataclasses.replace(dataset, data_dir="elsewhere")
    assert pass_key(model, moved, "test", 12) in keys


@pytest.mark.parametrize("damage", ["cut", "gone", "empty"])
def test_a_damaged_part_and_those_after_it_are_computed_again(tmp_path, damage):
    expected = features_in(tmp_path)
    middle = sorted(tmp_path.rglob("part-*.npz"))[1]
    if damage == "gone":
        middle.unlink()
    else:
        middle.write_bytes(middle.read_bytes()[:-500] if damage == "cut" else b"")
    seen = []
    np.testing.assert_array_equal(features_in(tmp_path, batches=counted_batches(seen)).visual, expected.visual)
    assert seen == [24]


def test_parts_are_taken_away(tmp_path):
    features_in(tmp_path / "parts")
    assert FeatureParts(str(tmp_path / "parts"), next((tmp_path / "parts").iterdir()).name).rows == 60
    remove_parts(str(tmp_path / "parts"))
    remove_parts(str(tmp_path / "parts"))
    assert not (tmp_path / "parts").exists()
