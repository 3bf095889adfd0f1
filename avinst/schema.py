"""What an example holds: the only place that knows the features' names, with encoder and parser side by side."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from avinst.spec import DatasetSpec

AUDIO_LOG_MEL = "audio/log_mel"
FRAME_JPEG = "frame/jpeg"
LABEL_INDEX = "label/index"
VIDEO_ID = "video/id"
SEGMENT_INDEX = "segment/index"
SEGMENT_START_SECONDS = "segment/start_seconds"

# Name to stored type and meaning; docs/schema.md is made from it.
FEATURES = {
    AUDIO_LOG_MEL: ("bytes", "float16 [log_mel_frames, mel_bands], dB, little-endian, row by row"),
    FRAME_JPEG: ("bytes", "JPEG, RGB, frame_size x frame_size pixels"),
    LABEL_INDEX: ("int64 list", "positions in the `labels` of `dataset.json`, ascending, at least one"),
    VIDEO_ID: ("bytes", "UTF-8; the recording that the segment is of"),
    SEGMENT_INDEX: ("int64", "number of the segment in its recording, from 0"),
    SEGMENT_START_SECONDS: ("float", "where the segment begins in the file, seconds"),
}


@dataclasses.dataclass(frozen=True)
class Example:
    """One segment: a second of sound and the frame shown at its middle.

    Attributes:
        log_mel: float32 or float16 [log_mel_frames, mel_bands], dB.
        jpeg: the frame as a JPEG, RGB, frame_size x frame_size.
        label_indices: positions in the dataset's label names, ascending.
        video_id: the recording that the segment is of.
        segment_index: number of the segment in its recording, from 0.
        segment_start_seconds: where the segment begins in the file, seconds.
    """

    log_mel: np.ndarray
    jpeg: bytes
    label_indices: tuple[int, ...]
    video_id: str
    segment_index: int
    segment_start_seconds: float


# Of the log-mel: half the size of float32, off by 0.016 dB at most below 64 dB.
_STORED = np.dtype("<f2")


def as_stored(log_mel: tf.Tensor) -> tf.Tensor:
    """float32 [...] dB as an example gives it back: rounded as `encode_example` does.

    What is computed from sound and shown to a network goes through this, so that it sees what training showed it.
    """
    return tf.cast(tf.cast(log_mel, tf.dtypes.as_dtype(_STORED)), tf.float32)


def encode_example(example: Example, spec: DatasetSpec) -> bytes:
    """The example as a serialized tf.train.Example; equal examples give equal bytes.

    Raises:
        ValueError: the log-mel's shape is not the spec's.
    """
    expected = (spec.log_mel_frames, spec.mel_bands)
    if example.log_mel.shape != expected:
        raise ValueError(f"log-mel of shape {example.log_mel.shape}, the spec wants {expected}")

    def bytes_feature(value: bytes) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    def int64_feature(values: tuple[int, ...]) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    features = {
        AUDIO_LOG_MEL: bytes_feature(example.log_mel.astype(_STORED).tobytes()),
        FRAME_JPEG: bytes_feature(example.jpeg),
        LABEL_INDEX: int64_feature(example.label_indices),
        VIDEO_ID: bytes_feature(example.video_id.encode()),
        SEGMENT_INDEX: int64_feature((example.segment_index,)),
        SEGMENT_START_SECONDS: tf.train.Feature(
            float_list=tf.train.FloatList(value=[example.segment_start_seconds])
        ),
    }
    message = tf.train.Example(features=tf.train.Features(feature=features))
    return message.SerializeToString(deterministic=True)


def parse_examples(serialized: tf.Tensor, spec: DatasetSpec, num_labels: int) -> dict[str, tf.Tensor]:
    """Parses a batch; works eagerly, in tf.data and inside an exported graph.

    Args:
        serialized: string [batch], serialized tf.train.Examples.
        spec: the dataset's spec.
        num_labels: number of the dataset's label names.

    Returns:
        `log_mel` float32 [batch, log_mel_frames, mel_bands] dB; `frame` uint8 [batch, size, size, 3];
        `label` float32 [batch, num_labels], multi-hot; `video_id` string [batch]; `segment_index` int64
        [batch]; `segment_start_seconds` float32 [batch].

    Raises:
        tf.errors.InvalidArgumentError: an example that lacks a feature, whose values are of another shape or
            size than the spec's, or that has no label or one that the dataset does not have.
    """
    parsed = tf.io.parse_example(
        serialized,
        {
            AUDIO_LOG_MEL: tf.io.FixedLenFeature([], tf.string),
            FRAME_JPEG: tf.io.FixedLenFeature([], tf.string),
            LABEL_INDEX: tf.io.RaggedFeature(tf.int64),
            VIDEO_ID: tf.io.FixedLenFeature([], tf.string),
            SEGMENT_INDEX: tf.io.FixedLenFeature([], tf.int64),
            SEGMENT_START_SECONDS: tf.io.FixedLenFeature([], tf.float32),
        },
    )
    return {
        "log_mel": _decode_log_mels(parsed[AUDIO_LOG_MEL], spec),
        "frame": decode_jpegs(parsed[FRAME_JPEG], spec),
        "label": _multi_hot(parsed[LABEL_INDEX], num_labels),
        "video_id": parsed[VIDEO_ID],
        "segment_index": parsed[SEGMENT_INDEX],
        "segment_start_seconds": parsed[SEGMENT_START_SECONDS],
    }


def parse_inputs(serialized: tf.Tensor, spec: DatasetSpec, names: Sequence[str]) -> dict[str, tf.Tensor]:
    """`log_mel` and `frame` of `parse_examples`, or one of them: examples that hold nothing else will do."""
    readers = {"log_mel": (AUDIO_LOG_MEL, _decode_log_mels), "frame": (FRAME_JPEG, decode_jpegs)}
    wanted = {readers[name][0]: tf.io.FixedLenFeature([], tf.string) for name in names}
    parsed = tf.io.parse_example(serialized, wanted)
    return {name: readers[name][1](parsed[readers[name][0]], spec) for name in names}


def parse_labels(serialized: tf.Tensor, num_labels: int) -> tf.Tensor:
    """`label` of `parse_examples` alone: nothing else is read."""
    parsed = tf.io.parse_example(serialized, {LABEL_INDEX: tf.io.RaggedFeature(tf.int64)})
    return _multi_hot(parsed[LABEL_INDEX], num_labels)


def parse_video_ids(serialized: tf.Tensor) -> tf.Tensor:
    """`video_id` of `parse_examples` alone: nothing else is read."""
    return tf.io.parse_example(serialized, {VIDEO_ID: tf.io.FixedLenFeature([], tf.string)})[VIDEO_ID]


def _multi_hot(indices: tf.RaggedTensor, num_labels: int) -> tf.Tensor:
    # tf.one_hot makes nothing of an index that no label has: an example without a label would train in silence.
    known = tf.debugging.Assert(
        tf.reduce_all((indices.values >= 0) & (indices.values < num_labels))
        & tf.reduce_all(indices.row_lengths() > 0),
        [f"an example whose labels are none, or not among the dataset's {num_labels}"],
    )
    with tf.control_dependencies([] if known is None else [known]):
        indices = tf.identity(indices)
    return tf.reduce_max(tf.one_hot(indices.to_tensor(-1), num_labels), axis=1)


def _decode_log_mels(stored: tf.Tensor, spec: DatasetSpec) -> tf.Tensor:
    log_mel = tf.io.decode_raw(stored, tf.dtypes.as_dtype(_STORED), little_endian=True)
    return tf.cast(tf.reshape(log_mel, [-1, spec.log_mel_frames, spec.mel_bands]), tf.float32)


def decode_jpegs(jpegs: tf.Tensor, spec: DatasetSpec) -> tf.Tensor:
    """Decodes string [batch] to uint8 [batch, size, size, 3]; a picture of another size is an error."""
    size = [spec.frame_size, spec.frame_size]

    def decode(jpeg: tf.Tensor) -> tf.Tensor:
        # Asked of the head first: a kilobyte can hold a picture of half a gigabyte.
        is_of_size = tf.debugging.assert_equal(
            tf.io.extract_jpeg_shape(jpeg)[:2], size, f"a frame that is not {size[0]} x {size[0]} pixels"
        )
        with tf.control_dependencies([] if is_of_size is None else [is_of_size]):
            # One explicit algorithm: training, serving and analysis must see the same pixels.
            frame = tf.io.decode_jpeg(jpeg, channels=3, dct_method="INTEGER_ACCURATE")
        return tf.ensure_shape(frame, [*size, 3])

    signature = tf.TensorSpec([spec.frame_size, spec.frame_size, 3], tf.uint8)
    return tf.map_fn(decode, jpegs, fn_output_signature=signature)
