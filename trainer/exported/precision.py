"""A run's network in another precision: the same weights, float32 as ever, in layers that compute otherwise."""

import dataclasses

import keras

from avinst.errors import UserError
from trainer.config import PRECISIONS
from trainer.models import build_model, copy_weights
from trainer.run import Run


def in_precision(run: Run, precision: str) -> keras.Model:
    """The run's model whose layers compute in a precision; its own model where that is the run's.

    Args:
        run: a finished run.
        precision: one of `trainer.config.PRECISIONS`.

    Raises:
        UserError: no such precision.
        RuntimeError: the network that the settings give does not take the run's weights: a defect of this program.
    """
    if precision == run.config.precision:
        return run.model
    if precision not in PRECISIONS:  # `auto` would ask this machine, and not the one that serves
        raise UserError(f"precision {precision!r}; expected one of {', '.join(PRECISIONS)}")
    # The weights follow at once: none are fetched.
    config = dataclasses.replace(run.config, precision=precision, visual_weights="none")
    model = build_model(config.scheme, config, run.dataset_info)
    copied = copy_weights(run.model, model)
    if copied != len(model.weights):
        raise RuntimeError(f"{copied} of {len(model.weights)} weights were found in the run's model")
    return model
