import keras
import numpy as np

from trainer.callbacks import BestWeights, ResumePoint


def one_weight(value):
    source = keras.Input((1,))
    model = keras.Model(source, keras.layers.Dense(1, use_bias=False, name="only")(source))
    set_weight(model, value)
    return model


def set_weight(model, value):
    model.get_layer("only").set_weights([np.array([[value]], np.float32)])


def weight_of(model):
    return float(model.get_layer("only").get_weights()[0][0, 0])


def kept_after(folder, best_by, epochs):
    """The weight (the epoch's number) that is kept after epochs of (accuracy, loss), interrupted after each."""
    for epoch, (accuracy, loss) in enumerate(epochs):
        model = one_weight(epoch)
        BestWeights(model, str(folder), best_by).on_epoch_end(epoch, {"val_accuracy": accuracy, "val_loss": loss})
    BestWeights(model, str(folder), best_by).restore()
    return weight_of(model)


def test_the_best_epoch_is_kept_over_interruptions_and_ties_go_to_the_smaller_loss(tmp_path):
    epochs = [(0.5, 1.0), (0.75, 0.9), (0.75, 0.7), (0.75, 0.8), (0.5, 0.6)]
    assert kept_after(tmp_path / "accuracy", "accuracy", epochs) == 2
    assert kept_after(tmp_path / "loss", "loss", epochs) == 4


def test_without_validation_no_epoch_is_kept(tmp_path):
    best = BestWeights(one_weight(1.0), str(tmp_path), "accuracy")
    best.on_epoch_end(0, {"loss": 1.0})
    assert best.best() == {}
    assert list(tmp_path.iterdir()) == []


def test_a_resume_point_holds_weights_step_and_moments_of_the_last_epoch(tmp_path):
    model = one_weight(1.0)
    model.compile(optimizer="adam", loss="mse")
    point = ResumePoint(str(tmp_path))
    assert point.epochs_done() == 0
    ones = np.ones((6, 1), np.float32)
    model.fit(ones, 3 * ones, batch_size=2, epochs=2, verbose=0, callbacks=[point])
    assert [path.name for path in tmp_path.iterdir()] == ["epoch-00002.weights.h5"]
    # What a kill leaves of an unfinished write is not taken for a state.
    (tmp_path / ".tmp-1-epoch-00003.weights.h5").write_bytes(b"half")
    again = one_weight(0.0)
    again.compile(optimizer="adam", loss="mse")
    restored = ResumePoint(str(tmp_path))
    assert restored.epochs_done() == 2
    restored.restore(again)
    assert weight_of(again) == weight_of(model)
    assert int(again.optimizer.iterations.numpy()) == 6
    for found, expected in zip(again.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(found.numpy(), expected.numpy())
