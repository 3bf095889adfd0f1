"""The check at the end of an export, on a SavedModel that is made once."""

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from dataset_factory import write_dataset

from avinst.errors import UserError
from trainer.exported import check as export_check
from trainer.exported.check import Checked, check_export
from trainer.exported.exporting import export_to
from trainer.exported.precision import in_precision
from trainer.run import load_run


@pytest.fixture(scope="module")
def exported(independent_run, tmp_path_factory):
    directory = str(tmp_path_factory.mktemp("exported") / "1")
    return directory, export_to(independent_run, directory)


def checked(run, directory, dataset=None):
    if dataset is not None:
        run = dataclasses.replace(run, dataset_info=dataset)
    return check_export(run, run.model, "float32", directory)


def test_real_segments_of_the_test_split_are_compared(exported):
    found = exported[1]
    assert (found.segments, found.split, found.reason) == (8, "test", "")
    assert 0 <= found.difference <= found.tolerance == 1e-5
    assert found.in_words().startswith("checked on 8 real segments of the test split: largest difference ")


def test_without_a_test_split_validation_or_training_is_taken(exported, independent_run, tmp_path):
    there = write_dataset(tmp_path / "data", recordings={"train": 2, "validation": 1, "test": 0})
    found = checked(independent_run, exported[0], there)
    assert (found.segments, found.split) == (2, "validation")


def test_where_the_dataset_is_gone_or_another_the_check_says_so(exported, independent_run, dataset, tmp_path):
    gone = dataclasses.replace(dataset, data_dir=str(tmp_path / "moved"))
    found = checked(independent_run, exported[0], gone)
    assert (found.segments, found.split) == (0, "")
    assert f"checked on made-up segments (the run's dataset is no longer in '{gone.data_dir}')" in found.in_words()
    other = write_dataset(tmp_path / "moved", seed=1)
    assert other.fingerprint != gone.fingerprint
    assert "another dataset is in" in checked(independent_run, exported[0], gone).reason
    for content, reason in ((b"cut", "hold no examples"), (b"damaged" * 10, "cannot be read: DataLossError")):
        for file in Path(other.data_dir).glob("test*"):
            file.write_bytes(content)
        found = checked(independent_run, exported[0], other)
        assert (found.segments, found.split) == (0, "")
        assert reason in found.reason


@pytest.mark.parametrize(
    ("signature", "rows", "factor"),
    # 8 are the real segments, 3 the made-up ones.
    [
        ("examples", 8, 1 + 1e-3),
        ("examples", 3, 1 + 1e-3),
        ("features", 3, 1 + 1e-3),
        ("tensors", 8, float("nan")),
    ],
)
def test_one_signature_that_gives_something_else_is_found(
    exported, independent_run, monkeypatch, signature, rows, factor
):
    load = tf.saved_model.load

    def load_altered(directory):
        loaded = load(directory)
        right = loaded.signatures[signature]

        class Altered:
            structured_input_signature = right.structured_input_signature

            def __call__(self, **inputs):
                outputs = right(**inputs)
                name = "visual_features" if signature == "features" else "probabilities"
                wrong = factor if outputs[name].shape[0] == rows else 1.0
                return {**outputs, name: outputs[name] * wrong}

        class Model:
            signatures = {**loaded.signatures, signature: Altered()}  # noqa: RUF012
            keeps_the_variables = loaded

        return Model()

    monkeypatch.setattr(tf.saved_model, "load", load_altered)
    with pytest.raises(RuntimeError, match=rf"is off by .* from the model: .* of signature {signature}"):
        checked(independent_run, exported[0])


def test_numbers_that_are_none_are_no_agreement():
    assert np.isnan(export_check._difference([np.nan, 0.5], [0.5, 0.5]))
    assert export_check._difference([0.25, 0.5], [0.5, 0.5]) == 0.25
    assert export_check._difference([100.0, 3.0], [102.0, 200.0]) == 197 / 200  # in shares of the largest


def test_another_precision_has_the_same_weights_and_nearly_the_same_probabilities(independent_run, tmp_path):
    before = keras.config.dtype_policy().name
    model = in_precision(independent_run, "mixed_bfloat16")
    assert keras.config.dtype_policy().name == before
    assert {layer.compute_dtype for layer in model.layers if "conv" in layer.name} == {"bfloat16"}
    for layer in independent_run.model.layers:
        for own, other in zip(layer.weights, model.get_layer(layer.name).weights, strict=True):
            np.testing.assert_array_equal(own, other)
    assert in_precision(independent_run, "float32") is independent_run.model
    with pytest.raises(
        UserError, match="precision 'auto'; expected one of float32, mixed_bfloat16, mixed_float16"
    ):
        in_precision(independent_run, "auto")
    found = export_to(independent_run, str(tmp_path / "1"), "mixed_bfloat16")
    assert found.tolerance == export_check.TOLERANCE_MIXED
    assert 0 < found.precision_difference < export_check.TOLERANCE_OTHER_PRECISION
    assert "to the run's own precision" in found.in_words()


def test_a_precision_that_the_network_does_not_bear_is_refused(independent_run_dir, tmp_path):
    run = load_run(independent_run_dir)
    layer = run.model.get_layer("visual_scaling")
    layer.scale = 1e38  # float32 bears it, what follows in float16 does not
    with pytest.raises(UserError, match=r"--precision=mixed_float16: .* differ by .*; give --precision=float32"):
        export_to(run, str(tmp_path / "1"), "mixed_float16")
    assert list(tmp_path.iterdir()) == []


def test_the_words_for_a_difference():
    made_up = Checked(0, "", "gone", 0.0, 1e-5)
    assert made_up.in_words() == "checked on made-up segments (gone): largest difference 0"
    mixed = Checked(8, "train", "", 2.34e-7, 3e-2, 0.0123)
    assert mixed.in_words() == (
        "checked on 8 real segments of the train split: largest difference 2e-07, to the run's own precision 0.01"
    )
