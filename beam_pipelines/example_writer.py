"""Writes one shard: decodes its recordings one after the other, computes log-mel, writes the TFRecord file."""

import functools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from avinst import paths
from avinst.log_mel import log_mel
from avinst.manifests.rows import ManifestRow
from avinst.media.decoder import Decoder
from avinst.media.types import DecodeLimits
from avinst.schema import Example, encode_example
from avinst.spec import DatasetSpec
from beam_pipelines.layout import Shard
from beam_pipelines.row_segments import RejectRow, batched, segments_of
from beam_pipelines.shard_record import ExamplesRecord, media_size, save_record
from beam_pipelines.tally import Tally

# Segments whose log-mel is computed at once: one call of the graph, and a bound on what is held in memory.
_BATCH = 60


def write_examples(
    shard: Shard, *, spec: DatasetSpec, labels: Sequence[str], media_root: str, data_dir: str, decoder: Decoder
) -> ExamplesRecord:
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
    tally = _ExamplesTally(labels)
    target = paths.join(data_dir, f"{shard.name}.tfrecord")
    with paths.replacing(target) as temporary, tf.io.TFRecordWriter(temporary) as writer:
        for row in shard.rows:
            tally.start(row, media_size(media_root, row))
            for example in examples_of(row, spec, labels, media_root, decoder, tally.reject):
                writer.write(encode_example(example, spec))
                tally.add(example)
            tally.finish([row])
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
    for segments in batched(segments_of(row, spec, media_root, decoder, reject), _BATCH):
        batch = log_mel_of(spec)(tf.constant(np.stack([segment.waveform for segment in segments]))).numpy()
        for segment, values in zip(segments, batch, strict=True):
            yield Example(
                values.astype(np.float16),
                segment.jpeg,
                indices,
                row.video_id,
                segment.index,
                segment.start_seconds,
            )


@functools.cache
def log_mel_of(spec: DatasetSpec) -> Callable[[tf.Tensor], tf.Tensor]:
    """`log_mel` compiled for the spec: float32 [batch, segment_samples] to float32 [batch, frames, mels]."""
    signature = [tf.TensorSpec([None, spec.segment_samples], tf.float32)]
    return tf.function(functools.partial(log_mel, spec=spec), input_signature=signature)


class _ExamplesTally(Tally):
    """Adds up labels and log-mel values, too."""

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__()
        self._labels = labels
        self._label_segments: dict[str, int] = dict.fromkeys(labels, 0)
        self._count, self._sum, self._square_sum = 0, 0.0, 0.0

    def add(self, example: Example) -> None:
        self.add_segment(example.video_id)
        for index in example.label_indices:
            self._label_segments[self._labels[index]] += 1
        stored = example.log_mel.astype(np.float64)
        self._count += stored.size
        self._sum += float(stored.sum())
        self._square_sum += float(np.square(stored).sum())

    def record(self, shard: Shard, tfrecord_bytes: int, limits: DecodeLimits) -> ExamplesRecord:
        return ExamplesRecord(
            **self.common(shard, limits),
            tfrecord_bytes=tfrecord_bytes,
            label_segments=self._label_segments,
            log_mel_count=self._count,
            log_mel_sum_db=self._sum,
            log_mel_square_sum=self._square_sum,
        )
