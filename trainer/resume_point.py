"""The state of a training at a step, in one file: what it needs to go on as if it had never stopped."""

import dataclasses
import re
import zipfile
from typing import Any

import keras

from avinst import paths
from avinst.errors import UserError
from trainer.variable_files import read_variables, write_variables

_NAME = re.compile(r"state-(\d+)-(\d+)\.npz")


@dataclasses.dataclass(frozen=True, order=True)
class Position:
    """Where a training is.

    Attributes:
        epoch: whole epochs done.
        step: steps done of the next one; all of them where only its validation is missing.
    """

    epoch: int = 0
    step: int = 0


class ResumePoint:
    """Keeps the newest state of a stage in its checkpoint directory.

    A state is weights, optimizer (step and moments), the state of random layers, and the training metrics of the
    epoch that is under way. The position is in the file's name and the file appears whole or not at all, so that a
    process killed at any moment leaves one that is good. (Keras' BackupAndRestore writes weights and epoch to two
    files: killed between them it takes the schedule one epoch too far; and it knows no position within an epoch.)
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def position(self) -> Position:
        """Where the interrupted training was; the beginning if there was none."""
        return max(self._files(), default=Position())

    def save(self, model: keras.Model, position: Position) -> None:
        """Writes the state of a compiled model, then deletes older ones."""
        older = self._files()
        older.pop(position, None)
        paths.make_directory(self._folder)
        name = f"state-{position.epoch:05d}-{position.step:07d}.npz"
        write_variables(paths.join(self._folder, name), _variables(model))
        for name in older.values():
            paths.remove(paths.join(self._folder, name))

    def restore(self, model: keras.Model) -> Position:
        """Loads the newest state into a compiled model, optimizer and metrics built; returns its position.

        Raises:
            UserError: the file is damaged, or of another network.
        """
        files = self._files()
        if not files:
            return Position()
        position = max(files)
        file = paths.join(self._folder, files[position])
        try:
            read_variables(file, _variables(model))
        except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise UserError(
                f"the state {file!r} is damaged or of another version of avinst ({error}); delete it to begin the "
                "stage anew"
            ) from error
        return position

    def _files(self) -> dict[Position, str]:
        matches = (_NAME.fullmatch(name) for name in paths.list_directory(self._folder))
        return {Position(int(match[1]), int(match[2])): match[0] for match in matches if match}


def _variables(model: keras.Model) -> list[Any]:
    """All that a step of training reads and changes, in an order that depends on the architecture alone."""
    return [*model.variables, *model.optimizer.variables, *model.metrics_variables]
