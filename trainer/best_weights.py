"""The weights of the epoch with the best validation metric, kept over interruptions."""

import json
import math
import zipfile
from collections.abc import Mapping
from typing import Any

import keras

from avinst import paths
from avinst.errors import UserError
from avinst.json_values import read_json_object
from trainer.variable_files import read_variables, write_variables

BEST_WEIGHTS = "best.npz"
_BEST_METRIC = "best.json"
_ADVICE = "delete its folder to begin the stage anew"


class BestWeights:
    """Keeps the weights of the best epoch in a stage's checkpoint directory.

    Keras' ModelCheckpoint forgets the best value when a training is resumed. Of epochs that are equally good,
    common with the accuracy of a small validation split, the one with the smaller loss is kept. Without validation
    none is.
    """

    def __init__(self, network: keras.Model, folder: str, best_by: str) -> None:
        # Not the compiled model: that would be saved with the optimizer's state, three times as large.
        self._network, self._folder, self._best_by = network, folder, best_by

    def keep(self, epochs_done: int, logs: Mapping[str, float]) -> None:
        """Saves the weights if they are the best so far, then what they reached: each is seen whole or not."""
        if "val_loss" not in logs:
            return
        reached = {name: float(value) for name, value in logs.items() if name.startswith("val_")}
        best = self.best()
        if best and self._rank(reached) <= self._rank(best):
            return
        paths.make_directory(self._folder)
        write_variables(paths.join(self._folder, BEST_WEIGHTS), self._network.variables)
        paths.write_text(paths.join(self._folder, _BEST_METRIC), json.dumps({"epoch": epochs_done, **reached}))

    def best(self) -> dict[str, Any]:
        """`epoch` (from 1) and the `val_` metrics of the weights that are kept; empty if none are.

        Raises:
            UserError: the file is damaged.
        """
        file = paths.join(self._folder, _BEST_METRIC)
        if not paths.exists(file):
            return {}
        values = read_json_object(file, _ADVICE)
        kinds = {"epoch": int, "val_loss": float, f"val_{self._best_by}": float}
        odd = [name for name, kind in kinds.items() if not isinstance(values.get(name), kind)]
        if odd:
            raise UserError(f"{file!r} is damaged ({odd[0]} is {values.get(odd[0])!r}); {_ADVICE}")
        return values

    def epochs_without_gain(self, epochs_done: int) -> int:
        """Epochs since the best one; 0 where there is no validation."""
        best = self.best()
        return epochs_done - int(best["epoch"]) if best else 0

    def restore(self) -> None:
        """Loads the weights that are kept into the network, if there are any.

        Raises:
            UserError: the file is damaged.
        """
        file = paths.join(self._folder, BEST_WEIGHTS)
        if paths.exists(file):
            try:
                read_variables(file, self._network.variables)
            except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
                raise UserError(f"the weights {file!r} are damaged ({error}); {_ADVICE}") from error

    def _rank(self, reached: Mapping[str, Any]) -> tuple[float, ...]:
        wanted = () if self._best_by == "loss" else (reached[f"val_{self._best_by}"],)
        # Nothing compares with NaN: an epoch that reached none is worse than any.
        return tuple(-math.inf if math.isnan(value) else value for value in (*wanted, -reached["val_loss"]))
