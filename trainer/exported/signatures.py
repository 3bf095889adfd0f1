"""The signatures of an exported model: what each takes and gives, and the graph functions behind them."""

import functools
from collections.abc import Callable

import keras
import tensorflow as tf

from avinst.dataset import Dataset
from avinst.log_mel import log_mel
from avinst.schema import as_stored, decode_jpegs, parse_inputs
from trainer.models import sub_model

Endpoint = tuple[Callable[..., dict[str, tf.Tensor]], list[tf.TensorSpec]]
MODALITIES = ("audio", "visual")


def endpoints(model: keras.Model, dataset: Dataset) -> dict[str, Endpoint]:
    """The signatures as functions with their inputs; a model of one modality has only its own inputs.

    `serving_default` (waveform float32 [batch, samples] in [-1, 1], jpeg string [batch]), `tensors` (log_mel
    float32 [batch, frames, mels] dB, frame uint8 [batch, size, size, 3]) and `examples` (string [batch], each a
    tf.train.Example) give `probabilities` float32 [batch, labels]; `features` takes what `serving_default`
    takes and gives `audio_features` float32 [batch, 1024] and `visual_features` [batch, 2048] as well.

    The log-mel of a waveform is rounded as a dataset stores it; `tensors` computes with what it is given.
    """
    spec = dataset.spec
    names = [source.name for source in model.inputs]
    outputs = [*feature_names(model), "probabilities"]
    with_features = sub_model(model, outputs)
    raw_specs = {
        "log_mel": tf.TensorSpec([None, spec.segment_samples], tf.float32, "waveform"),
        "frame": tf.TensorSpec([None], tf.string, "jpeg"),
    }
    tensor_specs = {
        "log_mel": tf.TensorSpec([None, spec.log_mel_frames, spec.mel_bands], tf.float32, "log_mel"),
        "frame": tf.TensorSpec([None, spec.frame_size, spec.frame_size, 3], tf.uint8, "frame"),
    }
    network_specs = {name: tf.TensorSpec(tensor.shape, tf.float32) for name, tensor in tensor_specs.items()}

    # Traced once and called by all signatures: the network is by far the most of each graph.
    @functools.partial(tf.function, input_signature=[[network_specs[name] for name in names]])
    def compute(tensors: list[tf.Tensor]) -> dict[str, tf.Tensor]:
        found = with_features(tensors, training=False)
        return {name: tf.cast(values, tf.float32) for name, values in zip(outputs, found, strict=True)}

    def probabilities(tensors: list[tf.Tensor]) -> dict[str, tf.Tensor]:
        return {"probabilities": compute([tf.cast(tensor, tf.float32) for tensor in tensors])["probabilities"]}

    def checked(tensors: tuple[tf.Tensor, ...], specs: dict[str, tf.TensorSpec]) -> list[tf.Tensor]:
        # A server does not compare shapes with the signature: another length would be computed with, and be wrong.
        return [tf.ensure_shape(tensor, specs[name].shape) for name, tensor in zip(names, tensors, strict=True)]

    def from_raw(raw: tuple[tf.Tensor, ...]) -> list[tf.Tensor]:
        convert = {"log_mel": lambda x: as_stored(log_mel(x, spec)), "frame": lambda x: decode_jpegs(x, spec)}
        given = checked(raw, raw_specs)
        return [convert[name](tensor) for name, tensor in zip(names, given, strict=True)]

    def features(*raw: tf.Tensor) -> dict[str, tf.Tensor]:
        return compute([tf.cast(tensor, tf.float32) for tensor in from_raw(raw)])

    def parsed(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        parts = parse_inputs(serialized, spec, names)
        return probabilities([parts[name] for name in names])

    return {
        "serving_default": (lambda *raw: probabilities(from_raw(raw)), [raw_specs[name] for name in names]),
        "tensors": (
            lambda *given: probabilities(checked(given, tensor_specs)),
            [tensor_specs[name] for name in names],
        ),
        "examples": (parsed, [tf.TensorSpec([None], tf.string, "examples")]),
        "features": (features, [raw_specs[name] for name in names]),
    }


def feature_names(model: keras.Model) -> list[str]:
    """`audio_features` and `visual_features`, or the one that a model of one modality has."""
    there = {layer.name for layer in model.layers}
    return [f"{modality}_features" for modality in MODALITIES if f"{modality}_features" in there]
