"""A tiny dataset whose one file is exchanged for hostile bytes, read as training reads it."""

import io
from pathlib import Path

import numpy as np
import tensorflow as tf
from dataset_factory import write_dataset
from PIL import Image

from avinst.dataset import Dataset
from avinst.errors import UserError
from avinst.schema import Example, encode_example, parse_examples
from avinst.spec import DatasetSpec
from trainer.inputs.damaged_files import damaged_files_named
from trainer.inputs.pipeline import examples

SPEC = DatasetSpec(
    sample_rate_hz=8000, segment_seconds=0.2, window_samples=512, mel_bands=8, mel_high_hz=4000.0, frame_size=32
)
LABELS = ("cello", "drum", "flute")
BATCH = 3  # three files, so that a bad example stands beside good ones


class HostileFile:
    """A finished dataset of six examples in one file, whose content is another at each reading."""

    def __init__(self, folder: Path) -> None:
        recordings = {"train": 6, "validation": 0, "test": 0}
        self.dataset: Dataset = write_dataset(
            folder, labels=LABELS, recordings=recordings, segments_per_recording=1, spec=SPEC, shards=1
        )
        self._file = Path(self.dataset.tfrecord_paths("train")[0])
        self.content = self._file.read_bytes()
        self.records = [record.numpy() for record in tf.data.TFRecordDataset(str(self._file))]
        self._batches = examples(self.dataset, "train", BATCH)
        signature = [tf.TensorSpec([None], tf.string)]
        self._parse = tf.function(
            lambda batch: parse_examples(batch, SPEC, len(LABELS)), input_signature=signature
        )

    def read_file(self, content: bytes) -> str:
        """Reads the file with this content; returns "" or the UserError's text."""
        self._file.write_bytes(content)
        count = 0
        try:
            with damaged_files_named(self.dataset, ["train"]):
                for features, label in self._batches:
                    _check(features["log_mel"].numpy(), features["frame"].numpy(), label.numpy())
                    count += len(label)
        except UserError as error:
            assert "\n" not in str(error)
            return str(error)
        assert count == len(self.records), f"{count} examples"
        return ""

    def read_records(self, records: list[bytes]) -> str:
        """Reads a file of these records, whole ones with right checksums; returns as `read_file`."""
        with tf.io.TFRecordWriter(str(self._file)) as writer:
            for record in records:
                writer.write(record)
        return self.read_file(self._file.read_bytes())

    def parse(self, record: bytes) -> str:
        """Parses a good example and this one, as an exported model does; returns "" or the error's kind."""
        try:
            parsed = self._parse(tf.constant([self.records[0], record]))
        except (
            tf.errors.InvalidArgumentError,
            UnicodeDecodeError,
        ):  # the latter of a message that quotes the record
            return "InvalidArgumentError"
        _check(parsed["log_mel"].numpy(), parsed["frame"].numpy(), parsed["label"].numpy())
        alone = self._parse(tf.constant([record]))
        for name, values in alone.items():  # no neighbour changes it
            np.testing.assert_array_equal(values.numpy()[0], parsed[name].numpy()[1])
        return ""


def _check(log_mel: np.ndarray, frame: np.ndarray, label: np.ndarray) -> None:
    count = len(label)
    assert log_mel.shape == (count, SPEC.log_mel_frames, SPEC.mel_bands)
    assert log_mel.dtype == np.float32
    assert frame.shape == (count, 32, 32, 3)
    assert frame.dtype == np.uint8
    assert label.shape == (count, len(LABELS))
    assert set(np.unique(label)) <= {0.0, 1.0}


def jpeg_of(width: int, height: int, declared: tuple[int, int] | None = None, kind: str = "JPEG") -> bytes:
    """A black picture; with `declared` its head says another width and height."""
    file = io.BytesIO()
    Image.new("RGB", (width, height)).save(file, kind)
    data = bytearray(file.getvalue())
    if declared:
        place = data.index(b"\xff\xc0") + 5
        data[place : place + 4] = declared[1].to_bytes(2, "big") + declared[0].to_bytes(2, "big")
    return bytes(data)


def example_with(jpeg: bytes | None = None, labels: tuple[int, ...] = (1,), **features: tf.train.Feature) -> bytes:
    """A good example but for what is given; a feature is named with `__` for `/`."""
    shape = (SPEC.log_mel_frames, SPEC.mel_bands)
    good = Example(np.full(shape, -40.0, np.float32), jpeg_of(32, 32), labels, "a", 0, 0.0)
    message = tf.train.Example.FromString(encode_example(good, SPEC))
    if jpeg is not None:
        message.features.feature["frame/jpeg"].bytes_list.value[:] = [jpeg]
    for name, feature in features.items():
        message.features.feature[name.replace("__", "/")].CopyFrom(feature)
    return message.SerializeToString(deterministic=True)
