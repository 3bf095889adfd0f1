"""A SavedModel whose answers are known: the loudness and the brightness of a segment."""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf

from avinst.schema import decode_jpegs
from avinst.spec import DatasetSpec

SPEC = DatasetSpec(frame_size=32)
LABELS = ("loud", "bright")


class Known(tf.Module):
    """Probability of `loud`: the mean amplitude, as of a sine; of `bright`: the mean of the picture.

    Its `features` are both of them doubled, and the batch's size, by which batches can be told.
    """

    def __init__(self, with_picture: bool, gain: float):
        super().__init__()
        self.gain = tf.Variable(gain)  # graphs that differ in nothing else have other fingerprints
        sound = tf.TensorSpec([None, SPEC.segment_samples], tf.float32, name="waveform")
        picture = tf.TensorSpec([None], tf.string, name="jpeg")
        inputs = [sound, picture] if with_picture else [sound]
        self.serve = tf.function(self._both if with_picture else self._sound_only).get_concrete_function(*inputs)
        self.describe = tf.function(self._features).get_concrete_function(sound, picture)

    def _sound_only(self, waveform):
        loud = self._amplitude(waveform)
        return {"probabilities": tf.stack([loud, 1 - loud], axis=1)}

    def _amplitude(self, waveform):
        return self.gain * tf.reduce_mean(tf.abs(waveform), axis=1) * np.pi / 2

    def _both(self, waveform, jpeg):
        bright = tf.reduce_mean(tf.cast(decode_jpegs(jpeg, SPEC), tf.float32), axis=[1, 2, 3]) / 255
        return {"probabilities": tf.stack([self._amplitude(waveform), bright], axis=1)}

    def _features(self, waveform, jpeg):
        given = self._both(waveform, jpeg)
        size = tf.fill([tf.shape(waveform)[0], 1], tf.cast(tf.shape(waveform)[0], tf.float32))
        return {**given, "audio_features": 2 * given["probabilities"], "visual_features": size}


def save_known(folder: Path, *, with_picture: bool = True, gain: float = 1.0) -> str:
    """Writes it as `avinst export` would."""
    module = Known(with_picture, gain)
    signatures = {"serving_default": module.serve}
    if with_picture:
        signatures["features"] = module.describe
    tf.saved_model.save(module, str(folder), signatures=signatures)
    (folder / "assets").mkdir(exist_ok=True)
    (folder / "assets" / "labels.txt").write_text("".join(f"{label}\n" for label in LABELS))
    (folder / "assets" / "dataset_spec.json").write_text(json.dumps(SPEC.to_json()))
    return str(folder)
