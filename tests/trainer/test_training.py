import dataclasses
import os

import keras
import numpy as np
import pytest
from dataset_factory import write_dataset

from avinst.errors import UserError
from trainer.callbacks import EpochProgress
from trainer.input_pipeline import examples
from trainer.predictions import predict_split
from trainer.run import load_run, open_run
from trainer.schemes import train


@pytest.fixture
def quick(small_config):
    """One small network, and nothing random but order and first weights."""
    return dataclasses.replace(small_config, scheme="visual", augment=False, dropout=0.0, epochs=3)


def interrupt_at(monkeypatch, epoch_wanted, stage_wanted):
    """The next training ends as if killed in the middle of an epoch of a stage."""
    original = EpochProgress.on_train_batch_end

    def on_train_batch_end(self, batch, logs=None):
        original(self, batch, logs)
        if f"{stage_wanted}, epoch {epoch_wanted}/" in self._progress._what and batch == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(EpochProgress, "on_train_batch_end", on_train_batch_end)


def test_an_interrupted_training_goes_on_and_ends_as_an_undisturbed_one(
    dataset, quick, tmp_path, monkeypatch, capsys
):
    train(str(tmp_path / "whole"), dataset.data_dir, quick)
    with monkeypatch.context() as patch:
        interrupt_at(patch, 3, "visual")
        with pytest.raises(KeyboardInterrupt):
            train(str(tmp_path / "broken"), dataset.data_dir, quick)
    with pytest.raises(UserError, match="unfinished"):
        load_run(str(tmp_path / "broken"))
    capsys.readouterr()
    train(str(tmp_path / "broken"), dataset.data_dir, quick)
    lines = capsys.readouterr().err
    assert "visual: goes on after epoch 2 of 3" in lines
    assert "epoch 3/3" in lines
    assert "epoch 2/3" not in lines
    whole, broken = load_run(str(tmp_path / "whole")), load_run(str(tmp_path / "broken"))
    expected = predict_split(whole.model, dataset, "test").probabilities
    found = predict_split(broken.model, dataset, "test").probabilities
    # Sums of threads come in any order; 18 steps let that grow. A training that began the schedule or
    # the order of examples anew differs by 0.05 and more.
    np.testing.assert_allclose(found, expected, atol=5e-3)


def test_independent_goes_on_in_the_stage_that_was_interrupted(
    dataset, small_config, tmp_path, monkeypatch, capsys
):
    run_dir = tmp_path / "run"
    config = dataclasses.replace(small_config, epochs=1, fusion_epochs=2)
    with monkeypatch.context() as patch:
        interrupt_at(patch, 2, "fusion")
        with pytest.raises(KeyboardInterrupt):
            train(str(run_dir), dataset.data_dir, config)
    capsys.readouterr()
    train(str(run_dir), dataset.data_dir, config)
    lines = capsys.readouterr().err
    assert "audio: done already" in lines
    assert "visual: done already" in lines
    assert "fusion: goes on after epoch 1 of 2" in lines
    assert not list((run_dir / "checkpoints").iterdir())


def test_the_independent_run_is_built_of_its_frozen_stages(independent_run, independent_run_dir):
    for branch in ("audio", "visual"):
        stage = load_run(independent_run_dir, f"stages/{branch}/model.keras").model
        for layer in stage.layers:
            if layer.name.startswith(f"{branch}_"):
                whole = independent_run.model.get_layer(layer.name)
                assert not whole.trainable
                for expected, found in zip(layer.get_weights(), whole.get_weights(), strict=True):
                    np.testing.assert_array_equal(found, expected)


def test_it_learns_what_sound_and_picture_tell(independent_run, dataset):
    predictions = predict_split(independent_run.model, dataset, "test").by_recording()
    hits = (predictions.probabilities.argmax(axis=1) == predictions.labels.argmax(axis=1)).mean()
    assert hits >= 0.9  # 1.0 measured; chance is 1/3


def test_a_run_leaves_curves_and_a_preview_for_tensorboard(independent_run_dir):
    from pathlib import Path

    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logs = Path(independent_run_dir) / "logs"
    curve = EventAccumulator(str(logs / "audio" / "validation")).Reload()
    assert [event.step for event in curve.Tensors("epoch_accuracy")] == [0, 1, 2, 3]
    preview = EventAccumulator(str(logs / "preview"), size_guidance={"tensors": 0}).Reload()
    assert preview.Tags()["tensors"] == ["training_examples"]


def test_without_validation_the_last_weights_are_kept_and_it_says_so_once(quick, tmp_path, capsys):
    small = write_dataset(tmp_path / "data", recordings={"train": 6, "validation": 0, "test": 0}, shards=1)
    config = dataclasses.replace(quick, scheme="audio", epochs=2)
    train(str(tmp_path / "run"), small.data_dir, config)
    lines = capsys.readouterr().err
    assert lines.count("has no validation examples") == 1
    assert "audio: the last epoch is kept" in lines
    train(str(tmp_path / "run"), small.data_dir, config)
    assert "finished already" in capsys.readouterr().err


def test_a_loss_that_is_no_number_stops_with_stage_and_step(dataset, quick, tmp_path):
    with pytest.raises(UserError, match=r"loss of stage visual is (nan|inf) at step \d+; lower --learning_rate"):
        train(str(tmp_path / "run"), dataset.data_dir, dataclasses.replace(quick, learning_rate=1e30))


def test_after_a_failure_at_the_start_the_directory_takes_other_settings(dataset, quick, tmp_path):
    run_dir = str(tmp_path / "run")
    with pytest.raises(UserError, match="inception_v3 needs 75"):
        train(run_dir, dataset.data_dir, dataclasses.replace(quick, visual_backbone="inception_v3"))
    other = dataclasses.replace(quick, epochs=1)
    train(run_dir, dataset.data_dir, other)
    assert load_run(run_dir).config == other


def test_training_clears_what_a_killed_one_left(dataset, quick, tmp_path):
    config, leftovers = dataclasses.replace(quick, epochs=1), []
    open_run(str(tmp_path / "run"), config, dataset)
    for folder in ("", "stages/visual", "checkpoints/visual"):
        (tmp_path / "run" / folder).mkdir(parents=True, exist_ok=True)
        leftovers.append(tmp_path / "run" / folder / f".tmp-{os.getpid()}-0123abcd-model.keras")
        leftovers[-1].touch()
    train(str(tmp_path / "run"), dataset.data_dir, config)
    assert not any(leftover.exists() for leftover in leftovers)
    assert not list((tmp_path / "run").rglob(".*"))


def test_what_nothing_can_be_learned_from_is_refused(quick, tmp_path):
    one = write_dataset(tmp_path / "one", labels=("cello",))
    with pytest.raises(UserError, match=r"one label only \(cello\)"):
        train(str(tmp_path / "run"), one.data_dir, quick)
    empty = write_dataset(tmp_path / "empty", recordings={"train": 0, "validation": 2, "test": 2})
    with pytest.raises(UserError, match="'train' has no examples"):
        train(str(tmp_path / "run"), empty.data_dir, quick)
    assert not (tmp_path / "run").exists()


def test_the_saved_statistics_are_those_of_the_training_examples(dataset, independent_run_dir):
    model = load_run(independent_run_dir, "stages/visual/model.keras").model
    before_norm = keras.Model(model.inputs, model.get_layer("visual_block1_conv").output)
    # 48 examples are 6 full batches of 8: each counts once, and none is augmented.
    seen = np.concatenate([before_norm(features) for features, _ in examples(dataset, "train", 8)])
    norm = model.get_layer("visual_block1_bn")
    np.testing.assert_allclose(norm.moving_mean, seen.mean(axis=(0, 1, 2)), atol=1e-4)  # float32, values about 1
    np.testing.assert_allclose(norm.moving_variance, seen.var(axis=(0, 1, 2)), rtol=1e-3, atol=1e-4)
