"""Requests that TensorFlow Serving runs while it loads a model, so that the first caller does not wait for that.

They lie in `assets.extra/tf_serving_warmup_requests`, a TFRecord of tensorflow.serving.PredictionLog messages. Few
fields of these are needed, so they are written by hand; a test holds them equal to tensorflow-serving-api's.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from avinst import paths
from avinst.frames import encode_jpeg
from avinst.log_mel import log_mel
from avinst.saved_model import EXTRA_FOLDER
from avinst.schema import Example, encode_example
from avinst.spec import DatasetSpec
from trainer.exported.signatures import Endpoint

WARM_UP_FILE = "tf_serving_warmup_requests"
MODEL_NAME = "avinst"
# (signature, segments in the request): TensorFlow prepares itself for each signature, and for a batch again.
_REQUESTS = (("serving_default", 1), ("examples", 1), ("serving_default", 4), ("examples", 4))
_LARGEST_BYTES = 1_000_000
_LENGTH_DELIMITED = 2


def write_warm_up(directory: str, signatures: Mapping[str, Endpoint], spec: DatasetSpec) -> None:
    """Adds the warm-up requests to a SavedModel that is being written: a megabyte at most, but at least one.

    Sound and pictures are made up: a model that is given away must not give away what it was trained on.

    Args:
        directory: of the SavedModel, local.
        signatures: of `trainer.exported.signatures.endpoints`.
        spec: what a segment is.
    """
    made_up = made_up_segment(spec)
    folder = paths.join(directory, EXTRA_FOLDER)
    paths.make_directory(folder)
    written = 0
    with tf.io.TFRecordWriter(paths.join(folder, WARM_UP_FILE)) as writer:
        for signature, count in _REQUESTS:
            names = [tensor.name for tensor in signatures[signature][1]]
            record = prediction_log(signature, {name: np.stack([made_up[name]] * count) for name in names})
            if not written or written + len(record) <= _LARGEST_BYTES:
                writer.write(record)
                written += len(record)


def made_up_segment(spec: DatasetSpec) -> dict[str, Any]:
    """One segment: `waveform` float32 [segment_samples], a chord; `jpeg` and `examples`, bytes objects."""
    seconds = np.arange(spec.segment_samples) / spec.sample_rate_hz
    chord = np.sin(2 * np.pi * seconds * np.array([[220.0], [277.2], [329.6]]))
    waveform = (0.2 * chord.sum(axis=0)).astype(np.float32)
    ramp = np.linspace(0, 255, spec.frame_size)
    picture = np.stack(
        [ramp[:, None] + 0 * ramp, ramp + 0 * ramp[:, None], np.full((ramp.size,) * 2, 128)], axis=-1
    )
    jpeg = encode_jpeg(picture.astype(np.uint8), spec)
    example = Example(log_mel(waveform, spec).numpy(), jpeg, (0,), "warm-up", 0, 0.0)
    return {
        "waveform": waveform,
        "jpeg": np.array(jpeg, object),
        "examples": np.array(encode_example(example, spec), object),
    }


def prediction_log(signature: str, inputs: Mapping[str, np.ndarray]) -> bytes:
    """A serialized tensorflow.serving.PredictionLog: a PredictRequest, in fields in the order of their numbers.

    Args:
        signature: name of the signature.
        inputs: name of an input to its values; strings as bytes objects.
    """
    model_spec = _field(1, MODEL_NAME.encode()) + _field(3, signature.encode())
    request = _field(1, model_spec)
    for name in sorted(inputs):  # a map is a list of entries: key 1, value 2
        tensor = tf.make_tensor_proto(inputs[name]).SerializeToString(deterministic=True)
        request += _field(2, _field(1, name.encode()) + _field(2, tensor))
    predict_log = _field(1, request)
    return _field(6, predict_log)


def _field(number: int, payload: bytes) -> bytes:
    """A field that holds a message or a string: tag, length, payload."""
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
