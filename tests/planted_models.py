"""A model that is known to look at one band of the spectrogram and one corner of the frame, and nowhere else."""

import keras
import numpy as np
from keras import layers
from toy_models import FRAME_SIZE, LOG_MEL_SHAPE

# Cells of 4 x 4 windows and bands, and of 8 x 8 pixels.
BAND, CORNER = slice(4, 8), slice(0, 8)
MEAN_DB = -40.0


def planted_model():
    """Label 0 speaks for loudness in the second cell of bands and for brightness in the upper left corner.

    The maps' weights are made so that only those cells count; label 1 has what is left to 1.
    """
    log_mel = keras.Input(LOG_MEL_SHAPE, name="log_mel")
    frame = keras.Input((FRAME_SIZE, FRAME_SIZE, 3), name="frame")
    sound = layers.Reshape((*LOG_MEL_SHAPE, 1))(layers.Rescaling(1 / 40, offset=1.0)(log_mel))
    sound = layers.AveragePooling2D(4)(sound)
    sound = layers.Conv2D(1, 1, activation="relu", kernel_initializer="ones")(sound)
    sound = Where(np.arange(LOG_MEL_SHAPE[1] // 4)[np.newaxis, :] == 1, name="audio_map")(sound)
    picture = layers.AveragePooling2D(8)(layers.Rescaling(1 / 255)(frame))
    places = np.add.outer(np.arange(FRAME_SIZE // 8), np.arange(FRAME_SIZE // 8)) == 0
    picture = Where(places, name="visual_map")(picture)
    features = [
        layers.GlobalAveragePooling2D(name="audio_features")(sound),
        layers.GlobalAveragePooling2D(name="visual_features")(picture),
    ]
    kernel = np.array([[8.0, -8.0]] + [[16.0, -16.0]] * 3)
    logits = layers.Dense(2, name="logits", kernel_initializer=keras.initializers.Constant(kernel))(
        layers.Concatenate()(features)
    )
    model = keras.Model(
        {"log_mel": log_mel, "frame": frame}, layers.Activation("softmax", name="probabilities")(logits)
    )
    return model


class Where(layers.Layer):
    """Lets through the cells of a mask [rows, columns] (or one that spreads to it)."""

    def __init__(self, mask, **settings):
        super().__init__(**settings)
        self.mask = np.asarray(mask, np.float32)[np.newaxis, ..., np.newaxis]

    def call(self, inputs):
        return inputs * self.mask


def planted_batch(count, seed=0):
    """Recordings that are loud in the band and bright in the corner, and of noise elsewhere."""
    generator = np.random.default_rng(seed)
    log_mel = generator.uniform(-40, -25, (count, *LOG_MEL_SHAPE))
    log_mel[:, :, BAND] += 25
    frame = generator.integers(0, 120, (count, FRAME_SIZE, FRAME_SIZE, 3))
    frame[:, CORNER, CORNER] += 130
    return {"log_mel": log_mel.astype(np.float32), "frame": frame.astype(np.float32)}
