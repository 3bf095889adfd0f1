"""Writes one shard: decodes its recordings one after the other, computes log-mel, writes the TFRecord file."""

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from avinst import paths
from avinst.decoder import Decoder
from avinst.log_mel import log_mel
from avinst.manifest_rows import ManifestRow
from avinst.media_types import DecodeLimits, Loss, MediaError, Segment
from avinst.schema import Example, encode_example
from avinst.spec import DatasetSpec
from avinst.versions import ffmpeg_versions, package_versions
from beam_pipelines.layout import Shard
from beam_pipelines.shard_record import Reject, ShardRecord, media_size, save_record, tfrecord_path

# Segments whose log-mel is computed at once: one call of the graph, and a bound on what is held in memory.
_BATCH = 60
RejectRow = Callable[[ManifestRow, int | None, str, str, str], None]


def write_shard(
    shard: Shard, *, spec: DatasetSpec, labels: Sequence[str], media_root: str, data_dir: str, decoder: Decoder
) -> ShardRecord:
    """Makes a shard's TFRecord file and then its record; a crash before the record leaves it undone.

    Args:
        shard: which recordings; their bytes depend on nothing else but `spec` and `labels`.
        spec: what is made of a recording.
        labels: the dataset's label names.
        media_root: the folder that the recordings' paths are relative to.
        data_dir: the dataset directory.
        decoder: the child process that decodes.

    Returns:
        The record, as it was saved.
    """
    tally = _Tally(labels)
    target = tfrecord_path(data_dir, shard.name)
    with paths.replacing(target) as temporary, tf.io.TFRecordWriter(temporary) as writer:
        for row in shard.rows:
            tally.start(row, media_size(media_root, row))
            for example in examples_of(row, spec, labels, media_root, decoder, tally.reject):
                writer.write(encode_example(example, spec))
                tally.add(example)
            tally.finish(row)
    record = tally.record(shard, paths.size(target), decoder.limits)
    save_record(record, data_dir)
    return record


def examples_of(
    row: ManifestRow,
    spec: DatasetSpec,
    labels: Sequence[str],
    media_root: str,
    decoder: Decoder,
    reject: RejectRow,
) -> Iterator[Example]:
    """The examples of one recording; what gives none goes to `reject` (row, segment, stage, reason, detail)."""
    indices = tuple(sorted(labels.index(name) for name in row.labels))
    path = paths.join(media_root, row.video_path)
    try:
        found = paths.exists(path) and not paths.is_directory(path)
    except OSError as error:
        reject(row, None, "find", "not_readable", f"{row.video_path!r} cannot be looked at: {error.strerror}")
        return
    if not found:
        reject(row, None, "find", "not_found", f"there is no file {row.video_path!r} below the media root")
        return
    with contextlib.ExitStack() as copies:
        try:
            local = copies.enter_context(paths.local_copy(path))
        except paths.RemoteFileError as error:
            reject(row, None, "find", "not_readable", f"{row.video_path!r} cannot be fetched: {error.strerror}")
            return
        yield from _decoded(row, local, spec, indices, decoder, reject)


def _decoded(
    row: ManifestRow, local: str, spec: DatasetSpec, indices: tuple[int, ...], decoder: Decoder, reject: RejectRow
) -> Iterator[Example]:
    pending: list[Segment] = []

    def flush() -> Iterator[Example]:
        batch = log_mel_of(spec)(tf.constant(np.stack([segment.waveform for segment in pending]))).numpy()
        for segment, values in zip(pending, batch, strict=True):
            yield Example(
                values.astype(np.float16),
                segment.jpeg,
                indices,
                row.video_id,
                segment.index,
                segment.start_seconds,
            )
        pending.clear()

    try:
        for item in decoder.decode(local, spec, row.start_seconds, row.end_seconds):
            if isinstance(item, Loss):
                reject(row, item.segment, item.stage, item.reason, item.detail)
                continue
            pending.append(item)
            if len(pending) == _BATCH:
                yield from flush()
    except MediaError as error:
        reject(row, None, error.stage, error.reason, error.detail)
    if pending:
        yield from flush()


@functools.cache
def log_mel_of(spec: DatasetSpec) -> Callable[[tf.Tensor], tf.Tensor]:
    """`log_mel` compiled for the spec: float32 [batch, segment_samples] to float32 [batch, frames, mels]."""
    signature = [tf.TensorSpec([None, spec.segment_samples], tf.float32)]
    return tf.function(functools.partial(log_mel, spec=spec), input_signature=signature)


class _Tally:
    """Adds up what a shard's record tells."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels
        self._segments_of_video: dict[str, int] = {}
        self._media_bytes: dict[str, int] = {}
        self._label_segments: dict[str, int] = dict.fromkeys(labels, 0)
        self._rejects: list[Reject] = []
        self._count, self._sum, self._square_sum = 0, 0.0, 0.0

    def start(self, row: ManifestRow, media_bytes: int) -> None:
        self._segments_of_video[row.video_id] = 0
        self._media_bytes[row.video_id] = media_bytes

    def add(self, example: Example) -> None:
        self._segments_of_video[example.video_id] += 1
        for index in example.label_indices:
            self._label_segments[self._labels[index]] += 1
        stored = example.log_mel.astype(np.float64)
        self._count += stored.size
        self._sum += float(stored.sum())
        self._square_sum += float(np.square(stored).sum())

    def reject(self, row: ManifestRow, segment: int | None, stage: str, reason: str, detail: str) -> None:
        self._rejects.append(Reject(row.video_id, row.video_path, segment, stage, reason, detail))

    def finish(self, row: ManifestRow) -> None:
        """A recording that gave neither an example nor a reject would be lost in silence."""
        told = any(reject.video_id == row.video_id for reject in self._rejects)
        if not self._segments_of_video[row.video_id] and not told:
            self.reject(row, None, "decode", "no_segments", "the file was read to its end but gave no segment")

    def record(self, shard: Shard, tfrecord_bytes: int, limits: DecodeLimits) -> ShardRecord:
        return ShardRecord(
            shard.name,
            shard.fingerprint,
            tfrecord_bytes,
            self._segments_of_video,
            self._media_bytes,
            self._label_segments,
            self._count,
            self._sum,
            self._square_sum,
            tuple(self._rejects),
            dataclasses.asdict(limits),
            {**package_versions(), **ffmpeg_versions()},
        )
