"""The detectors: one flat graph of branches and head, in which every layer is found by its name."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras

from avinst.dataset import Dataset
from avinst.errors import UserError
from trainer.config import TrainConfig
from trainer.models.audio import AUDIO_BACKBONES, AUDIO_FEATURES
from trainer.models.visual import VISUAL_BACKBONES, VISUAL_FEATURES

MODALITIES = {
    "audio": ("audio",),
    "visual": ("visual",),
    "independent": ("audio", "visual"),
    "joint": ("audio", "visual"),
}
FEATURE_COUNTS = {"audio": AUDIO_FEATURES, "visual": VISUAL_FEATURES}
INPUT_OF = {"audio": "log_mel", "visual": "frame"}


def build_model(scheme: str, config: TrainConfig, dataset: Dataset) -> keras.Model:
    """Builds a scheme's detector with fresh weights.

    Args:
        scheme: audio, visual, independent or joint (the last two are the same network).
        config: backbones, their options, precision.
        dataset: gives the shapes, the number of labels, and the log-mel's mean and deviation.

    Returns:
        A model with a list of inputs: `log_mel` float32 [batch, frames, mels] dB and `frame`
        [batch, size, size, 3] in 0..255, or one of them; a dict by these names may be passed as well. Its
        output is `probabilities` float32 [batch, labels], softmax of `logits`, or sigmoid where the dataset is
        multi-label.

    Raises:
        UserError: a backbone does not give as many features as the schemes need.
    """
    with _dtype_policy(config.precision):
        inputs, features = [], []
        for modality in MODALITIES[scheme]:
            source, feature = (_audio_branch if modality == "audio" else _visual_branch)(config, dataset)
            _check_features(modality, feature, config)
            inputs.append(source)
            features.append(feature)
        return keras.Model(inputs, _head(features, config, dataset), name=scheme)


def build_fusion_head(config: TrainConfig, dataset: Dataset) -> keras.Model:
    """The fusion head alone: inputs `audio_features` [batch, 1024] and `visual_features` [batch, 2048]."""
    with _dtype_policy(config.precision):
        inputs = [keras.Input((count,), name=f"{modality}_features") for modality, count in FEATURE_COUNTS.items()]
        return keras.Model(inputs, _head(inputs, config, dataset), name="fusion")


def sub_model(model: keras.Model, outputs: Sequence[str]) -> keras.Model:
    """The same layers with other outputs: a list of the named layers' outputs, in that order.

    Called with one name, the model gives that output itself, as Keras does.
    """
    return keras.Model(model.inputs, [model.get_layer(name).output for name in outputs])


def copy_weights(source: keras.Model, target: keras.Model, prefix: str = "") -> int:
    """Copies the weights of all layers whose names begin with the prefix; returns the number of arrays.

    Raises:
        ValueError: the target has no such layer, or one of another shape.
    """
    count = 0
    for layer in source.layers:
        if layer.weights and layer.name.startswith(prefix):
            target.get_layer(layer.name).set_weights(layer.get_weights())
            count += len(layer.weights)
    return count


def _check_features(modality: str, feature: Any, config: TrainConfig) -> None:
    """The fusion head, the analysis and the exported signatures go by these numbers."""
    shape, wanted = tuple(feature.shape[1:]), FEATURE_COUNTS[modality]
    if shape != (wanted,):
        name = getattr(config, f"{modality}_backbone")
        raise UserError(
            f"--{modality}_backbone={name} gives features of the shape {shape}, "
            f"not ({wanted},); end it with features_of(x, {modality!r}) of a map with {wanted} channels"
        )


def _audio_branch(config: TrainConfig, dataset: Dataset) -> tuple[Any, Any]:
    spec = dataset.spec
    source = keras.Input((spec.log_mel_frames, spec.mel_bands), name="log_mel", dtype="float32")
    x = keras.layers.Normalization(
        axis=None,
        mean=dataset.log_mel_mean_db,
        variance=dataset.log_mel_std_db**2,
        name="audio_normalization",
        dtype="float32",  # 80 dB below the mean: bfloat16 would round to steps of 0.5 dB
    )(source)
    x = keras.layers.Reshape((spec.log_mel_frames, spec.mel_bands, 1), name="audio_channel")(x)
    return source, AUDIO_BACKBONES[config.audio_backbone](x, config)


def _visual_branch(config: TrainConfig, dataset: Dataset) -> tuple[Any, Any]:
    size = dataset.spec.frame_size
    source = keras.Input((size, size, 3), name="frame", dtype="float32")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="visual_scaling", dtype="float32")(source)
    return source, VISUAL_BACKBONES[config.visual_backbone](x, config)


def _head(features: Sequence[Any], config: TrainConfig, dataset: Dataset) -> Any:
    x = features[0]
    if len(features) > 1:
        x = keras.layers.Concatenate(name="fusion_features")(list(features))
        if config.fusion_hidden_units:
            x = keras.layers.Dense(config.fusion_hidden_units, activation="relu", name="fusion_hidden")(x)
    if config.dropout:
        x = keras.layers.Dropout(config.dropout, seed=config.seed, name="head_dropout")(x)
    logits = keras.layers.Dense(len(dataset.labels), dtype="float32", name="logits")(x)
    activation = "sigmoid" if dataset.multi_label else "softmax"
    return keras.layers.Activation(activation, dtype="float32", name="probabilities")(logits)


@contextlib.contextmanager
def _dtype_policy(name: str) -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
