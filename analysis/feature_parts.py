"""The parts of a pass over a split that lie on disk, so that an analysis that was killed goes on with them."""

import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any, cast

import keras
import numpy as np
import tensorflow as tf

from avinst import paths
from avinst.dataset import Dataset

PARTS_FOLDER = "feature_parts"
# Segments of a part: about 25 MB, and a minute or two of computing on two cores.
SEGMENTS_A_PART = 2048
_PART_NAME = re.compile(r"part-(\d+)-(\d+)\.npz")
# What a file that is not whole makes numpy raise.
_DAMAGE = (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error)


def pass_key(model: keras.Model, dataset: Dataset, split: str, batch_size: int) -> str:
    """32 characters that name all that decides a split's features: model, weights, dataset, order, versions."""
    digest = hashlib.sha256()
    about = {
        "model": model.to_json(),
        "dataset": dataset.to_json(),
        "split": split,
        # It decides in which order sums are rounded.
        "batch_size": batch_size,
        "versions": [tf.__version__, keras.__version__],
    }
    digest.update(json.dumps(about, sort_keys=True).encode())
    for weight in model.weights:
        digest.update(np.ascontiguousarray(keras.ops.convert_to_numpy(weight)).data.cast("B"))
    return digest.hexdigest()[:32]


class FeatureParts:
    """Parts of one pass, each a file with the arrays of the rows from one number to another.

    Attributes:
        rows: number of rows, from the first on, that lie on disk.
    """

    def __init__(self, folder: str, key: str) -> None:
        """Finds what there is.

        Args:
            folder: of the parts of all passes.
            key: what `pass_key` gives; parts of another key are not looked at.
        """
        self._folder = paths.join(folder, key)
        self._files: list[str] = []
        self.rows = 0
        self._find()

    def _find(self) -> None:
        spans = [
            (int(match[1]), int(match[2]), name)
            for name in paths.list_directory(self._folder)
            if (match := _PART_NAME.fullmatch(name))
        ]
        for start, stop, name in sorted(spans):
            file = paths.join(self._folder, name)
            if start == self.rows and _is_whole(file, stop - start):
                self._files.append(file)
                self.rows = stop

    def load(self) -> list[dict[str, np.ndarray]]:
        """The parts in the order of their rows: name to array."""
        return [_read(file) for file in self._files]

    def add(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Writes the rows that follow; the file appears whole or not at all."""
        count = len(next(iter(arrays.values())))
        file = paths.join(self._folder, f"part-{self.rows:09d}-{self.rows + count:09d}.npz")
        paths.make_directory(self._folder)
        buffer = io.BytesIO()
        np.savez(buffer, **cast(dict[str, Any], arrays))
        paths.write_bytes(file, buffer.getvalue())
        self._files.append(file)
        self.rows += count


def remove_parts(folder: str) -> None:
    """Deletes the parts of all passes, stale ones too."""
    if paths.exists(folder):
        paths.remove(folder)


def _is_whole(file: str, rows: int) -> bool:
    try:
        return all(len(values) == rows for values in _read(file).values())
    except _DAMAGE:
        return False  # computed again


def _read(file: str) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(paths.read_bytes(file)), allow_pickle=False) as arrays:
        return dict(arrays)
