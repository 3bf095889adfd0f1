"""Which recordings make up which shard: decided by the manifest alone, the same on every machine and runner."""

import collections
import dataclasses
import hashlib
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Self

from avinst.dataset import shard_name
from avinst.manifests.rows import ManifestRow
from avinst.spec import DatasetSpec
from avinst.splits import unit_interval_hash


@dataclasses.dataclass(frozen=True)
class Shard:
    """One unit of work: the recordings whose examples go into one TFRecord file.

    Attributes:
        name: without extension, such as `train-00003-of-00032`.
        rows: the recordings, in the order of their ids.
        fingerprint: sha256 of all that decides the shard's bytes: the rows and what is made of them.
    """

    name: str
    rows: tuple[ManifestRow, ...]
    fingerprint: str

    def packed(self) -> bytes:
        """All of it as compressed JSON: what a row takes in a job request and in the shuffle, about 40 bytes."""
        rows = [dataclasses.astuple(row) for row in self.rows]
        return zlib.compress(json.dumps([self.name, self.fingerprint, rows]).encode())

    @classmethod
    def unpacked(cls, packed: bytes) -> Self:
        """The inverse of `packed`."""
        name, fingerprint, rows = json.loads(zlib.decompress(packed))
        return cls(
            name, tuple(ManifestRow(path, tuple(labels), *rest) for path, labels, *rest in rows), fingerprint
        )


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
    count = {
        split: -(-of_split // videos_per_shard) for split, of_split in collections.Counter(split_of_row).items()
    }
    members: dict[str, list[ManifestRow]] = collections.defaultdict(list)
    for row, split in zip(rows, split_of_row, strict=True):
        number = int(shard_position(row.video_id) * count[split])
        members[shard_name(split, number, count[split])].append(row)
    ordered = {name: _in_order(unordered) for name, unordered in members.items()}
    return [Shard(name, ordered[name], shard_fingerprint(ordered[name], spec, labels)) for name in sorted(ordered)]


def lay_out_in_order(
    rows: Sequence[ManifestRow],
    part: str,
    videos_per_shard: int,
    fingerprint: Callable[[Sequence[ManifestRow]], str],
) -> list[Shard]:
    """Divides recordings among shards of equal size, in the order of their ids: joined, the shards are in order.

    Args:
        rows: the manifest.
        part: what the shards' names begin with.
        videos_per_shard: how many recordings a shard holds.
        fingerprint: of the rows of a shard.
    """
    ordered = _in_order(rows)
    count = -(-len(rows) // videos_per_shard)
    pieces = [ordered[number * len(rows) // count : (number + 1) * len(rows) // count] for number in range(count)]
    return [
        Shard(shard_name(part, number, count), piece, fingerprint(piece)) for number, piece in enumerate(pieces)
    ]


def _in_order(rows: Sequence[ManifestRow]) -> tuple[ManifestRow, ...]:
    return tuple(sorted(rows, key=lambda row: row.video_id))


def shard_position(video_id: str) -> float:
    """Where a recording stands among the shards of its split, in [0, 1)."""
    # Another salt than the split's: there, train holds the low hashes only.
    return unit_interval_hash("shard:" + video_id)


def shard_fingerprint(rows: Sequence[ManifestRow], spec: DatasetSpec, labels: Sequence[str]) -> str:
    """Sha256 over what decides the bytes of a shard of examples; the rows must be in order."""
    return sha256_of({"spec": spec.to_json(), "labels": list(labels), "rows": [essence(row) for row in rows]})


def whole_fingerprint(shards: Sequence[Shard]) -> str:
    """Sha256 over what decides the bytes of all shards."""
    return sha256_of({shard.name: shard.fingerprint for shard in shards})


def essence(row: ManifestRow) -> list[object]:
    """What of a row decides what is made of it."""
    # The group and the manifest's split decide only where a row goes, which the shard's name says already.
    return [row.video_id, row.video_path, list(row.labels), row.start_seconds, row.end_seconds]


def sha256_of(value: Mapping[str, object]) -> str:
    """Of plain JSON values, whatever the order of the keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
