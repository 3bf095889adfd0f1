"""Adds up what a shard's record tells of its recordings, so that none is lost in silence."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from avinst.manifests.rows import ManifestRow
from avinst.media.types import DecodeLimits
from avinst.versions import ffmpeg_versions, package_versions
from beam_pipelines.layout import Shard
from beam_pipelines.shard_record import Reject


class Tally:
    """Counts the segments and keeps the rejects of a shard's recordings."""

    def __init__(self) -> None:
        self._segments_of_video: dict[str, int] = {}
        self._media_bytes: dict[str, int] = {}
        self._rejects: list[Reject] = []

    def start(self, row: ManifestRow, media_bytes: int) -> None:
        """A recording is next."""
        self._segments_of_video[row.video_id] = 0
        self._media_bytes[row.video_id] = media_bytes

    def add_segment(self, video_id: str) -> None:
        """One segment of a recording was used."""
        self._segments_of_video[video_id] += 1

    def reject(self, row: ManifestRow, segment: int | None, stage: str, reason: str, detail: str) -> None:
        """A segment, or (None) the whole recording or an unknown part of it, was not used."""
        self._rejects.append(Reject(row.video_id, row.video_path, segment, stage, reason, detail))

    def finish(self, rows: Sequence[ManifestRow]) -> None:
        """A recording of which nothing was told would be lost in silence: it becomes a reject."""
        told = {reject.video_id for reject in self._rejects}
        for row in rows:
            if not self._segments_of_video[row.video_id] and row.video_id not in told:
                self.reject(row, None, "decode", "no_segments", "the file was read to its end but gave no segment")

    def common(self, shard: Shard, limits: DecodeLimits) -> dict[str, Any]:
        """What every kind of `ShardRecord` holds, by the names of its fields."""
        return {
            "name": shard.name,
            "fingerprint": shard.fingerprint,
            "segments_of_video": self._segments_of_video,
            "media_bytes": self._media_bytes,
            "rejects": tuple(self._rejects),
            "limits": dataclasses.asdict(limits),
            "versions": {**package_versions(), **ffmpeg_versions()},
        }
