"""A dataset directory: `dataset.json`, the names of its files, and how readers find and check them."""

import contextlib
import dataclasses
import logging
import math
import os
from collections.abc import Mapping
from typing import Any

from avinst import paths
from avinst.errors import UserError
from avinst.json_values import check_types, read_json_object
from avinst.manifests.rows import SPLITS
from avinst.nearest import expected, file_hint
from avinst.paths import StrPath
from avinst.spec import DatasetSpec

DATASET_FILE = "dataset.json"
REJECTS_FILE = "rejects.jsonl"
SHARDS_FOLDER = "shards"
FORMAT_VERSION = 1
_LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Dataset:
    """What `dataset.json` says.

    Attributes:
        data_dir: the directory; not stored, so that a dataset can be moved.
        spec: what an example holds.
        labels: label names; an example's label indices count from 0 in this order.
        multi_label: whether any recording bears more than one label.
        shards: split to shard names without extension, e.g. `train-00003-of-00032`.
        recordings: split to number of recordings that gave at least one example.
        segments: split to number of examples.
        label_segments: split to label name to number of examples.
        rejects: number of lines in `rejects.jsonl`.
        log_mel_mean_db: mean of all log-mel values of the training split, dB.
        log_mel_std_db: their standard deviation, dB.
        fingerprint: sha256 of all that decides the examples: spec, label names and manifest rows.
        versions: of the packages and libraries that made the dataset, FFmpeg's among them.
    """

    data_dir: str
    spec: DatasetSpec
    labels: tuple[str, ...]
    multi_label: bool
    shards: Mapping[str, tuple[str, ...]]
    recordings: Mapping[str, int]
    segments: Mapping[str, int]
    label_segments: Mapping[str, Mapping[str, int]]
    rejects: int
    log_mel_mean_db: float
    log_mel_std_db: float
    fingerprint: str
    versions: Mapping[str, str]

    def tfrecord_paths(self, split: str) -> list[str]:
        """The split's TFRecord files in a fixed order.

        Raises:
            UserError: the split is unknown or has no examples.
        """
        if split not in SPLITS:
            raise UserError(f"no split {split!r}; {expected(split, SPLITS)}")
        if not self.segments.get(split):
            found = ", ".join(f"{name} {self.segments.get(name, 0)}" for name in SPLITS)
            raise UserError(f"{self.data_dir}: split {split!r} has no examples (segments: {found})")
        return [paths.join(self.data_dir, f"{name}.tfrecord") for name in self.shards[split]]

    def to_json(self) -> dict[str, Any]:
        """What is stored: everything but the directory."""
        values = dataclasses.asdict(self)
        del values["data_dir"]
        return {"format_version": FORMAT_VERSION, **values}


def damaged_files(dataset: Dataset) -> list[str]:
    """The TFRecord files that are not there, or not of the size that they were written with.

    Sizes are those of the shards' records; only names are compared on a cloud file system, where each size is a
    request, and of shards without a readable record.

    Returns:
        What is wrong, a file each, in the order of the splits: `train-00000-of-00002.tfrecord is missing`.
    """
    there = set(paths.list_directory(dataset.data_dir))
    found = []
    for name in (name for names in dataset.shards.values() for name in names):
        file = f"{name}.tfrecord"
        if file not in there:
            found.append(f"{file} is missing")
            continue
        if paths.is_remote(dataset.data_dir):
            continue
        size, written = paths.size(paths.join(dataset.data_dir, file)), _written_bytes(dataset.data_dir, name)
        if written is not None and size != written:
            found.append(f"{file} has {size} bytes instead of {written}")
    return found


def _written_bytes(data_dir: str, shard: str) -> int | None:
    """The size of a shard's TFRecord file as its record says; None where that cannot be known."""
    with contextlib.suppress(UserError, OSError):
        written = read_json_object(paths.join(data_dir, SHARDS_FOLDER, f"{shard}.json"), "").get("tfrecord_bytes")
        return written if isinstance(written, int) else None
    return None


def shard_name(split: str, number: int, count: int) -> str:
    """Name of a shard without extension: `train-00003-of-00032`."""
    return f"{split}-{number:05d}-of-{count:05d}"


def load_dataset(data_dir: StrPath) -> Dataset:
    """Reads what `dataset.json` says of a finished dataset; its examples are read by others.

    Args:
        data_dir: the directory that `avinst prepare` made.

    Raises:
        UserError: no such directory, an unfinished dataset, or one that this version cannot read.
    """
    data_dir = os.fspath(data_dir)
    file = paths.join(data_dir, DATASET_FILE)
    if not paths.is_directory(data_dir):
        raise UserError(f"no dataset directory {data_dir!r}{file_hint(data_dir)}; make it with avinst prepare")
    if not paths.exists(file) and not paths.is_directory(paths.join(data_dir, SHARDS_FOLDER)):
        raise UserError(f"{data_dir!r} is no dataset: it has no {DATASET_FILE}; make one with avinst prepare")
    if not paths.exists(file):
        raise UserError(f"{data_dir!r} has no {DATASET_FILE}: unfinished; run the same avinst prepare again")
    dataset = dataset_from_json(read_json_object(file, "run avinst prepare again"), data_dir)
    _LOG.info("dataset %s: %d labels, segments %s", data_dir, len(dataset.labels), dict(dataset.segments))
    return dataset


def dataset_from_json(values: Mapping[str, Any], data_dir: str) -> Dataset:
    """The inverse of `Dataset.to_json`; raises UserError for another version, missing or odd values."""
    values = dict(values)
    version = values.pop("format_version", None)
    if version != FORMAT_VERSION:
        raise UserError(
            f"{data_dir!r}: dataset format {version}, this avinst reads {FORMAT_VERSION}; prepare it anew"
        )
    names = {field.name for field in dataclasses.fields(Dataset)} - {"data_dir"}
    if set(values) != names:
        odd = ", ".join(sorted(names.symmetric_difference(values)))
        raise UserError(f"{data_dir!r}: {DATASET_FILE} with missing or unknown values ({odd}); prepare it anew")
    try:
        check_types(Dataset, values)
        spec_values = dict(values["spec"])
        if not (math.isfinite(values["log_mel_mean_db"]) and 0 < values["log_mel_std_db"] < math.inf):
            raise ValueError("log_mel_mean_db and log_mel_std_db are no mean and deviation")
        if not set(values["shards"]) <= set(SPLITS):
            raise ValueError(f"shards of other splits than {', '.join(SPLITS)}")
        if any(set(name) & set("/\0") for names in values["shards"].values() for name in names):
            raise ValueError("a shard that lies elsewhere")
    except (TypeError, ValueError, OverflowError) as error:
        raise UserError(f"{data_dir!r}: {DATASET_FILE} is damaged ({error}); prepare it anew") from error
    values["spec"] = DatasetSpec.from_json(spec_values)
    values["labels"] = tuple(values["labels"])
    values["shards"] = {split: tuple(names) for split, names in values["shards"].items()}
    return Dataset(data_dir=data_dir, **values)
