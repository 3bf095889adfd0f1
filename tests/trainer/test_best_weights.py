import math

import keras
import numpy as np
import pytest

from avinst.errors import UserError
from trainer.best_weights import BEST_WEIGHTS, BestWeights


def one_weight(value):
    source = keras.Input((1,))
    model = keras.Model(source, keras.layers.Dense(1, use_bias=False, name="only")(source))
    model.get_layer("only").set_weights([np.array([[value]], np.float32)])
    return model


def kept_after(folder, best_by, epochs):
    """The weight (the epoch's number) that is kept after epochs with these metrics, interrupted after each."""
    for epoch, metrics in enumerate(epochs, start=1):
        BestWeights(one_weight(epoch), str(folder), best_by).keep(epoch, metrics)
    model = one_weight(0)
    BestWeights(model, str(folder), best_by).restore()
    return float(model.get_layer("only").get_weights()[0][0, 0])


@pytest.mark.parametrize(
    ("best_by", "expected"),
    # Of two equally accurate epochs that with the smaller loss; the later of them has a better mAP.
    [("accuracy", 3), ("loss", 5), ("f1_macro", 1), ("map", 4)],
)
def test_the_best_epoch_is_kept_over_interruptions_and_ties_go_to_the_smaller_loss(tmp_path, best_by, expected):
    rows = [
        (0.5, 1.0, 0.9, 0.1),
        (0.75, 0.9, 0.2, 0.3),
        (0.75, 0.7, 0.2, 0.3),
        (0.75, 0.8, 0.2, 0.4),
        (0.5, 0.6, 0, 0),
    ]
    names = ("val_accuracy", "val_loss", "val_f1_macro", "val_map")
    epochs = [dict(zip(names, row, strict=True)) for row in rows]
    assert kept_after(tmp_path, best_by, epochs) == expected


def test_an_epoch_without_a_number_is_never_the_best(tmp_path):
    epochs = [{"val_accuracy": 0.5, "val_loss": loss} for loss in (math.nan, 2.0, math.nan)]
    assert kept_after(tmp_path, "loss", epochs) == 2


def test_epochs_without_gain_are_counted_from_the_best_one_over_interruptions(tmp_path):
    for epoch, (loss, expected) in enumerate([(1.0, 0), (0.5, 0), (0.6, 1), (0.7, 2), (0.4, 0)], start=1):
        best = BestWeights(one_weight(epoch), str(tmp_path), "loss")
        best.keep(epoch, {"val_accuracy": 0.0, "val_loss": loss})
        assert best.epochs_without_gain(epoch) == expected


def test_without_validation_no_epoch_is_kept(tmp_path):
    best = BestWeights(one_weight(1.0), str(tmp_path), "accuracy")
    best.keep(1, {"loss": 1.0})
    assert best.best() == {}
    assert best.epochs_without_gain(7) == 0
    assert list(tmp_path.iterdir()) == []


def test_damaged_weights_are_told(tmp_path):
    BestWeights(one_weight(1.0), str(tmp_path), "loss").keep(1, {"val_loss": 1.0})
    file = tmp_path / BEST_WEIGHTS
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(UserError, match=r"are damaged .*; delete its folder to begin the stage anew"):
        BestWeights(one_weight(0.0), str(tmp_path), "loss").restore()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"epoch": 1, "val_loss": 1.', "is damaged (Expecting"),
        ("[1]", "is damaged (expected an object, found list)"),
        ('{"val_loss": 1.0, "val_accuracy": 0.5}', "is damaged (epoch is None)"),
        ('{"epoch": 1, "val_loss": 1.0}', "is damaged (val_accuracy is None)"),
        ('{"epoch": 1, "val_loss": "low", "val_accuracy": 0.5}', "is damaged (val_loss is 'low')"),
    ],
)
def test_damage_to_what_the_best_epoch_reached_is_told(tmp_path, content, told):
    (tmp_path / "best.json").write_text(content)
    best = BestWeights(one_weight(1.0), str(tmp_path), "accuracy")
    for ask in (best.best, lambda: best.epochs_without_gain(3), lambda: best.keep(2, {"val_loss": 1.0})):
        with pytest.raises(UserError, match=r"; delete its folder to begin the stage anew$") as error:
            ask()
        assert told in str(error.value)
