import pytest

from trainer.overfitting import overfitting_sentence


def epochs(*losses):
    return {number: {"loss": loss, "val_loss": validation} for number, (loss, validation) in enumerate(losses, 1)}


def test_a_validation_loss_that_rose_while_the_training_loss_fell_is_told():
    assert overfitting_sentence(epochs((2.0, 2.0), (1.0, 1.0), (0.5, 1.1), (0.2, 1.2)), kept=2) == (
        "after epoch 2 of 4 it only fitted the training split (validation loss 1.000, at the end 1.200); "
        "--patience=3 ends such a training earlier"
    )


@pytest.mark.parametrize(
    ("reached", "kept"),
    [
        (epochs((1.0, 1.0), (0.5, 1.19)), 1),  # as epochs differ
        (epochs((1.0, 1.0), (1.0, 3.0)), 1),  # worse on the training split too: that is another trouble
        (epochs((1.0, 1.0), (0.5, 3.0)), 2),  # the last one is kept
        ({2: {"loss": 0.5, "val_loss": 3.0}}, 1),  # the kept one was reached before an interruption
        ({}, 1),
    ],
)
def test_else_nothing_is_said(reached, kept):
    assert overfitting_sentence(reached, kept) == ""
