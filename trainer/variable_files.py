"""The values of a network's variables as a file, by their order: NumPy arrays in a zip archive.

Not HDF5: where the disk is full, its library cannot close the file and crashes the process.
"""

import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np

from avinst import paths


def write_variables(path: str, variables: Sequence[Any]) -> None:
    """Writes the values; the file appears whole or not at all.

    Args:
        path: local or remote.
        variables: of Keras, in an order that the architecture alone decides.

    Raises:
        OSError: it cannot be written, or the disk is full.
    """
    with paths.writing_locally(path) as local, zipfile.ZipFile(local, "w") as archive:
        for number, variable in enumerate(variables):
            with archive.open(f"{number}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asarray(variable.numpy()), allow_pickle=False)


def read_variables(path: str, variables: Sequence[Any]) -> None:
    """Assigns the values of a file to variables of the same order and shapes.

    Raises:
        ValueError, KeyError, EOFError, zipfile.BadZipFile: the file is damaged, or of another network.
    """
    with paths.local_copy(path) as local, np.load(local, allow_pickle=False) as arrays:
        if len(arrays.files) != len(variables):
            raise ValueError(f"{len(arrays.files)} arrays, {len(variables)} expected")
        for number, variable in enumerate(variables):
            variable.assign(arrays[str(number)])
