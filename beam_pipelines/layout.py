"""Which recordings make up which shard: decided by the manifest alone, the same on every machine and runner."""

import collections
import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence

from avinst.dataset import shard_name
from avinst.manifest_rows import SPLITS, ManifestRow
from avinst.spec import DatasetSpec
from avinst.splits import unit_interval_hash


@dataclasses.dataclass(frozen=True)
class Shard:
    """One unit of work: the recordings whose examples go into one TFRecord file.

    Attributes:
        name: without extension, such as `train-00003-of-00032`.
        rows: the recordings, in the order of their ids.
        fingerprint: sha256 of all that decides the shard's bytes: spec, label names and rows.
    """

    name: str
    rows: tuple[ManifestRow, ...]
    fingerprint: str


def label_names(rows: Sequence[ManifestRow]) -> tuple[str, ...]:
    """All label names of a manifest, in alphabetical order: the order of the model's outputs."""
    return tuple(sorted({label for row in rows for label in row.labels}))


def lay_out(
    rows: Sequence[ManifestRow],
    split_of_row: Sequence[str],
    spec: DatasetSpec,
    labels: Sequence[str],
    videos_per_shard: int,
) -> list[Shard]:
    """Divides the recordings of each split among its shards by the sha256 of their ids.

    Args:
        rows: the manifest.
        split_of_row: train, validation or test, for each row.
        spec: what is made of a recording; part of the fingerprints.
        labels: the dataset's label names; part of the fingerprints, for examples hold positions in them.
        videos_per_shard: how many recordings a shard holds on average.

    Returns:
        The shards that hold a recording, in the order of their names.
    """
    count = {split: -(-split_of_row.count(split) // videos_per_shard) for split in SPLITS}
    members: dict[str, list[ManifestRow]] = collections.defaultdict(list)
    for row, split in zip(rows, split_of_row, strict=True):
        number = int(shard_position(row.video_id) * count[split])
        members[shard_name(split, number, count[split])].append(row)
    return [
        Shard(name, ordered, shard_fingerprint(ordered, spec, labels))
        for name, unordered in sorted(members.items())
        if (ordered := in_order(unordered))
    ]


def shard_position(video_id: str) -> float:
    """Where a recording stands among the shards of its split, in [0, 1)."""
    # Another salt than the split's: there, train holds the low hashes only.
    return unit_interval_hash("shard:" + video_id)


def in_order(rows: Sequence[ManifestRow]) -> tuple[ManifestRow, ...]:
    """The rows of a shard in the order in which they are written, however they arrived."""
    return tuple(sorted(rows, key=lambda row: row.video_id))


def shard_fingerprint(rows: Sequence[ManifestRow], spec: DatasetSpec, labels: Sequence[str]) -> str:
    """Sha256 over what decides the bytes of a shard; the rows must be in order."""
    return _sha256({"spec": spec.to_json(), "labels": list(labels), "rows": [_essence(row) for row in rows]})


def dataset_fingerprint(shards: Sequence[Shard]) -> str:
    """Sha256 over what decides the bytes of a whole dataset."""
    return _sha256({shard.name: shard.fingerprint for shard in shards})


def _essence(row: ManifestRow) -> list[object]:
    # The group and the manifest's split decide only where a row goes, which the shard's name says already.
    return [row.video_id, row.video_path, list(row.labels), row.start_seconds, row.end_seconds]


def _sha256(value: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
