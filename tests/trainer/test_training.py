import dataclasses
import itertools
import os
import signal

import keras
import numpy as np
import pytest
from dataset_factory import write_dataset

from avinst import paths
from avinst.errors import Interrupted, UserError
from trainer import interruption
from trainer.config import TrainConfig
from trainer.evaluation.predictions import predict_split
from trainer.inputs.pipeline import examples
from trainer.resume_point import Position, ResumePoint
from trainer.run import load_run, open_run
from trainer.schemes import train
from trainer.validation import Validation

# One small network of 6 steps an epoch, with everything that is random.
QUICK = TrainConfig(
    scheme="visual", visual_backbone="small_cnn", audio_backbone="small_cnn", epochs=3, batch_size=8
)


@pytest.fixture
def quick():
    return dataclasses.replace(QUICK, augment=False, dropout=0.0)


def after_steps(monkeypatch, count, action):
    """The action takes place in the middle of a training, after so many steps of all its stages."""
    hold, steps = interruption.hold, itertools.count(1)

    def counted():
        hold()
        if next(steps) == count:
            action()

    monkeypatch.setattr(interruption, "hold", counted)


def killed():
    raise KeyboardInterrupt


def check_equal(run_dir, expected_dir):
    found, expected = load_run(str(run_dir)).model, load_run(str(expected_dir)).model
    for weight, wanted in zip(found.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, wanted)


@pytest.fixture(scope="module")
def undisturbed(dataset, tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("undisturbed") / "run"
    train(str(run_dir), dataset.data_dir, QUICK)
    return run_dir


def test_the_same_command_gives_the_same_weights_to_the_bit(dataset, undisturbed, tmp_path):
    train(str(tmp_path / "run"), dataset.data_dir, QUICK)
    check_equal(tmp_path / "run", undisturbed)


def test_a_killed_training_goes_on_after_the_last_epoch_and_ends_as_an_undisturbed_one(
    dataset, undisturbed, tmp_path, monkeypatch, capsys
):
    initialized = []
    monkeypatch.setattr("trainer.schemes.initialize", lambda network, **_: initialized.append(network))
    with monkeypatch.context() as patch:
        after_steps(patch, 14, killed)
        with pytest.raises(KeyboardInterrupt):
            train(str(tmp_path / "run"), dataset.data_dir, QUICK)
    with pytest.raises(UserError, match="unfinished"):
        load_run(str(tmp_path / "run"))
    capsys.readouterr()
    train(str(tmp_path / "run"), dataset.data_dir, QUICK)
    lines = capsys.readouterr().err
    assert "visual: goes on after epoch 2 of 3" in lines
    assert "epoch 3/3" in lines
    assert "epoch 2/3" not in lines
    assert len(initialized) == 1
    check_equal(tmp_path / "run", undisturbed)


def test_a_training_told_to_end_goes_on_after_the_step_and_ends_as_an_undisturbed_one(
    dataset, undisturbed, tmp_path, monkeypatch, capsys
):
    with monkeypatch.context() as patch, interruption.handled("told to"):
        after_steps(patch, 8, lambda: os.kill(os.getpid(), signal.SIGTERM))
        with pytest.raises(Interrupted, match="told to"):
            train(str(tmp_path / "run"), dataset.data_dir, QUICK)
    assert ResumePoint(str(tmp_path / "run" / "checkpoints" / "visual")).position() == Position(1, 2)
    train(str(tmp_path / "run"), dataset.data_dir, QUICK)
    assert "visual: goes on after step 2 of epoch 2 of 3" in capsys.readouterr().err
    check_equal(tmp_path / "run", undisturbed)


def test_a_run_on_a_cloud_file_system_is_the_same_and_goes_on_too(dataset, undisturbed, monkeypatch, capsys):
    run_dir = "ram://runs/cloud"  # TensorFlow's file system in memory stands for one
    with monkeypatch.context() as patch:
        after_steps(patch, 14, killed)
        with pytest.raises(KeyboardInterrupt):
            train(run_dir, dataset.data_dir, QUICK)
    assert ResumePoint(f"{run_dir}/checkpoints/visual").position() == Position(2)
    capsys.readouterr()
    train(run_dir, dataset.data_dir, QUICK)
    assert "visual: goes on after epoch 2 of 3" in capsys.readouterr().err
    check_equal(run_dir, undisturbed)
    assert paths.list_directory(f"{run_dir}/checkpoints") == []
    assert paths.list_directory(f"{run_dir}/logs/visual") == ["train", "validation"]


def test_a_signal_while_an_early_stop_is_saved_ends_the_training_too(dataset, tmp_path, monkeypatch):
    config = dataclasses.replace(QUICK, patience=1)
    with monkeypatch.context() as patch, interruption.handled("told to"):
        patch.setattr(Validation, "measure", lambda *_: {"val_loss": 1.0, "val_accuracy": 0.5})
        save = ResumePoint.save

        def save_and_be_told(self, model, position):
            save(self, model, position)
            if position == Position(2):
                os.kill(os.getpid(), signal.SIGTERM)

        patch.setattr(ResumePoint, "save", save_and_be_told)
        with pytest.raises(Interrupted, match="told to"):
            train(str(tmp_path / "run"), dataset.data_dir, config)
    assert ResumePoint(str(tmp_path / "run" / "checkpoints" / "visual")).position() == Position(2)


def test_long_epochs_are_saved_within_too(dataset, tmp_path, monkeypatch):
    positions = []
    monkeypatch.setattr("trainer.loop.SECONDS_BETWEEN_STATES", 0.0)
    monkeypatch.setattr(ResumePoint, "save", lambda self, model, position: positions.append(position))
    train(str(tmp_path / "run"), dataset.data_dir, dataclasses.replace(QUICK, epochs=1))
    assert positions == [*(Position(0, step) for step in range(1, 7)), Position(1)]


def test_patience_ends_a_training_after_epochs_without_gain_also_when_it_is_resumed(
    dataset, tmp_path, monkeypatch, capsys
):
    losses = iter([1.0, 0.5, 0.6, 0.7, 0.1])
    monkeypatch.setattr(
        Validation, "measure", lambda self, after_batch: {"val_loss": next(losses), "val_accuracy": 0.5}
    )
    config = dataclasses.replace(QUICK, epochs=6, patience=2, best_by="loss")
    with monkeypatch.context() as patch:
        patch.setattr("trainer.schemes.save_stage", lambda *_: killed())
        with pytest.raises(KeyboardInterrupt):
            train(str(tmp_path / "run"), dataset.data_dir, config)
    lines = capsys.readouterr().err
    assert "epoch 4/6" in lines
    assert "epoch 5/6" not in lines
    assert "visual: epoch 2, validation loss 0.500, is kept" in lines
    assert "visual: after epoch 2 of 4 it only fitted the training split" in lines
    train(str(tmp_path / "run"), dataset.data_dir, config)
    lines = capsys.readouterr().err
    assert "epoch 5/6" not in lines
    assert "visual: epoch 2, validation loss 0.500, is kept" in lines


def test_patience_without_a_validation_split_is_refused(tmp_path):
    small = write_dataset(tmp_path / "data", recordings={"train": 6, "validation": 0, "test": 0}, shards=1)
    with pytest.raises(UserError, match=r"--patience=2: .* has no validation examples to stop by"):
        train(str(tmp_path / "run"), small.data_dir, dataclasses.replace(QUICK, patience=2))


def test_independent_goes_on_in_the_stage_that_was_interrupted(
    dataset, small_config, tmp_path, monkeypatch, capsys
):
    run_dir = tmp_path / "run"
    config = dataclasses.replace(small_config, epochs=1, fusion_epochs=2)
    with monkeypatch.context() as patch:
        after_steps(patch, 6 + 6 + 8, killed)  # the fusion's second epoch
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
    assert [event.step for event in curve.Tensors("epoch/accuracy")] == [0, 1, 2, 3]
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
