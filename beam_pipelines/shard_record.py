"""What a finished shard says of itself: done-marker, statistics and rejects, in `shards/<shard>.json`."""

import dataclasses
import json
import os
from collections.abc import Sequence
from typing import Any, Self, TypeVar

from avinst import paths
from avinst.dataset import SHARDS_FOLDER
from avinst.errors import UserError
from avinst.json_values import check_types, read_json_object
from avinst.manifests.rows import ManifestRow
from avinst.media.types import LIMIT_REASONS, DecodeLimits

Record = TypeVar("Record", bound="ShardRecord")
_UNREADABLE = "unreadable"  # the decoder's reason for a file that is there and cannot be opened


@dataclasses.dataclass(frozen=True)
class Reject:
    """One recording, or one segment of it, that gave no example.

    Attributes:
        video_id: the recording.
        path: relative to the media root.
        segment: the segment's index, or None where the whole recording (or an unknown part) is meant.
        stage: where it failed: find, open, decode, segment, ...
        reason: short stable name, such as `no_audio_stream`.
        detail: a sentence for people.
    """

    video_id: str
    path: str
    segment: int | None
    stage: str
    reason: str
    detail: str


@dataclasses.dataclass(frozen=True)
class ShardRecord:
    """Written after the shard's other files are whole; without it the shard counts as not done.

    Attributes:
        name: the shard's name without extension.
        fingerprint: of what decided the shard's bytes (`layout.Shard`).
        segments_of_video: video id to number of segments used, for every manifest row of the shard.
        media_bytes: video id to the size of its file, -1 where there was none: tells whether it was changed since.
        rejects: all that was not used.
        limits: what one recording might cost (`avinst.media.types.DecodeLimits`).
        versions: of what made the shard.
    """

    name: str
    fingerprint: str
    segments_of_video: dict[str, int]
    media_bytes: dict[str, int]
    rejects: tuple[Reject, ...]
    limits: dict[str, float]
    versions: dict[str, str]

    def file_bytes(self) -> dict[str, int]:
        """The shard's other files, relative to the job's directory, and their sizes."""
        raise NotImplementedError

    @property
    def split(self) -> str:
        """The split that the shard belongs to."""
        return self.name.split("-", 1)[0]

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The inverse of dataclasses.asdict; raises KeyError or TypeError for other values."""
        check_types(cls, values)
        for reject in values["rejects"]:
            check_types(Reject, reject)
        rejects = tuple(Reject(**reject) for reject in values["rejects"])
        return cls(**{**values, "rejects": rejects})


@dataclasses.dataclass(frozen=True)
class ExamplesRecord(ShardRecord):
    """Of a shard of examples.

    Attributes:
        name: the shard's name without extension.
        fingerprint: of what decided the shard's bytes (`layout.shard_fingerprint`).
        tfrecord_bytes: size of the TFRecord file.
        segments_of_video: video id to number of examples, for every manifest row of the shard.
        media_bytes: video id to the size of its file, -1 where there was none: tells whether it was changed since.
        label_segments: label name to number of examples.
        log_mel_count, log_mel_sum_db, log_mel_square_sum: over all log-mel values, for mean and deviation.
        rejects: all that gave no example.
        limits: what one recording might cost (`avinst.media.types.DecodeLimits`).
        versions: of what made the shard.
    """

    tfrecord_bytes: int
    label_segments: dict[str, int]
    log_mel_count: int
    log_mel_sum_db: float
    log_mel_square_sum: float

    def file_bytes(self) -> dict[str, int]:
        """The TFRecord file."""
        return {f"{self.name}.tfrecord": self.tfrecord_bytes}


@dataclasses.dataclass(frozen=True)
class PredictionsRecord(ShardRecord):
    """Of a shard of predictions.

    Attributes:
        name: the shard's name without extension.
        fingerprint: of what decided the shard's predictions.
        segments_of_video: video id to number of segments predicted, for every row of the shard.
        media_bytes: video id to the size of its file, -1 where there was none: tells whether it was changed since.
        rejects: all that was not predicted.
        limits: what one recording might cost (`avinst.media.types.DecodeLimits`).
        versions: of what made the shard.
        files: the shard's files relative to the output directory, and their sizes in bytes.
    """

    files: dict[str, int]

    def file_bytes(self) -> dict[str, int]:
        """Recordings, segments and, where asked for, features."""
        return self.files


def record_path(directory: str, name: str) -> str:
    """Where a shard's record lies."""
    return paths.join(directory, SHARDS_FOLDER, f"{name}.json")


def media_changed(record: ShardRecord, rows: Sequence[ManifestRow], media_root: str) -> bool:
    """Whether a recording's file has another size than when the shard was made: mended, replaced or come since.

    One that is gone has not changed: what was made of it stays, when a disk is not there or was cleared since.
    One that could not be opened has, as soon as it may be read: its size was known before, too. On a cloud file
    system only recordings with rejects are looked at: a request for each of a million takes hours.
    """
    rejected = {reject.video_id for reject in record.rejects}
    unreadable = {reject.video_id for reject in record.rejects if reject.reason == _UNREADABLE}
    return any(
        media_size(media_root, row) not in (record.media_bytes[row.video_id], -1)
        or (row.video_id in unreadable and _may_be_read(media_root, row))
        for row in rows
        if row.video_id in rejected or not paths.is_remote(media_root)
    )


def _may_be_read(media_root: str, row: ManifestRow) -> bool:
    """Whether another try may open the file; of a remote one only the try itself tells."""
    return paths.is_remote(media_root) or os.access(paths.join(media_root, row.video_path), os.R_OK)


def limits_changed(record: ShardRecord, limits: DecodeLimits) -> bool:
    """Whether recordings were rejected for limits that are others now: they are worth another try."""
    return record.limits != dataclasses.asdict(limits) and any(
        reject.reason in LIMIT_REASONS for reject in record.rejects
    )


def media_size(media_root: str, row: ManifestRow) -> int:
    """Bytes of a recording's file; -1 where there is none or it may not be looked at."""
    try:
        return paths.size(paths.join(media_root, row.video_path))
    except OSError:
        return -1


def save_record(record: ShardRecord, directory: str) -> None:
    """Writes the record, whole or not at all."""
    text = json.dumps(dataclasses.asdict(record), indent=1, sort_keys=True, ensure_ascii=False)
    paths.write_text(record_path(directory, record.name), text + "\n")


def load_record(record_type: type[Record], directory: str, name: str, fingerprint: str) -> Record | None:
    """The record of a shard that is done under this fingerprint, else None: then it has to be written."""
    file = record_path(directory, name)
    if not paths.exists(file):
        return None
    try:
        record = record_type.from_json(read_json_object(file, "the shard is made anew"))
    except (UserError, KeyError, TypeError, AttributeError):
        return None  # of another version of avinst, or damaged: the shard is made anew
    if record.fingerprint != fingerprint:
        return None
    whole = all(paths.size(paths.join(directory, file)) == size for file, size in record.file_bytes().items())
    return record if whole else None
