"""Models of a few weights with the contract's layer names, and batches for them."""

import keras
import numpy as np
from keras import layers

LOG_MEL_SHAPE = (24, 16)
FRAME_SIZE = 32
LABEL_COUNT = 3


def toy_model(modalities=("audio", "visual"), hidden_units=0, activation="relu", labels=LABEL_COUNT, seed=0):
    """Flat, GAP over one convolution for each modality: 5 audio and 6 visual features, then the head."""
    keras.utils.set_random_seed(seed)
    inputs, features = {}, []
    if "audio" in modalities:
        inputs["log_mel"] = keras.Input(LOG_MEL_SHAPE, name="log_mel")
        x = layers.Reshape((*LOG_MEL_SHAPE, 1))(layers.Rescaling(1 / 40, offset=1.0)(inputs["log_mel"]))
        x = layers.Conv2D(5, 3, strides=4, padding="same", activation=activation)(x)
        x = layers.Activation("linear", name="audio_map")(x)
        features.append(layers.GlobalAveragePooling2D(name="audio_features")(x))
    if "visual" in modalities:
        inputs["frame"] = keras.Input((FRAME_SIZE, FRAME_SIZE, 3), name="frame")
        x = layers.Rescaling(1 / 127.5, offset=-1.0)(inputs["frame"])
        x = layers.Conv2D(6, 3, strides=4, padding="same", activation=activation)(x)
        x = layers.Activation("linear", name="visual_map")(x)
        features.append(layers.GlobalAveragePooling2D(name="visual_features")(x))
    x = layers.Concatenate()(features) if len(features) > 1 else features[0]
    if hidden_units:
        x = layers.Dense(hidden_units, activation="tanh", name="hidden")(x)
    x = layers.Dense(labels, name="logits", bias_initializer="random_normal")(x)
    return keras.Model(inputs, layers.Activation("softmax", name="probabilities")(x))


def batch_of(ids, labels, seed=0):
    """A batch as avinst.schema.parse_examples makes it, of noise; labels are tuples of indices."""
    generator = np.random.default_rng(seed)
    n = len(ids)
    multi_hot = np.zeros((n, LABEL_COUNT), np.float32)
    for row, indices in enumerate(labels):
        multi_hot[row, list(indices)] = 1.0
    return {
        "log_mel": generator.uniform(-90, 0, (n, *LOG_MEL_SHAPE)).astype(np.float32),
        "frame": generator.integers(0, 256, (n, FRAME_SIZE, FRAME_SIZE, 3)).astype(np.uint8),
        "label": multi_hot,
        "video_id": np.array([name.encode() for name in ids]),
        "segment_index": np.arange(n),
        "segment_start_seconds": np.arange(n, dtype=np.float32),
    }
