import keras
import numpy as np
import tensorflow as tf
from keras import layers
from tf_keras_vis.scorecam import Scorecam
from toy_models import batch_of, toy_model

from analysis.maps.gradcam import EvidenceMaps


def test_equals_tf_keras_vis_where_it_can_be_asked():
    # One input with channels whose mean is 0, as tf-keras-vis masks towards 0, and maps of the input's own size,
    # as it spreads maps over the input in another way.
    keras.utils.set_random_seed(1)
    frame = keras.Input((12, 12, 3), name="frame")
    x = layers.Conv2D(5, 3, padding="same", activation="relu", name="visual_map")(frame)
    x = layers.Conv2D(4, 3, activation="tanh")(x)
    x = layers.Dense(3, name="logits")(layers.GlobalMaxPooling2D()(x))
    model = keras.Model([frame], x)
    frames = np.random.default_rng(0).normal(size=(4, 12, 12, 3)).astype(np.float32)
    frames -= frames.mean(axis=(1, 2, 3), keepdims=True)
    labels = np.array([0, 2, 1, 1])
    expected = Scorecam(model, clone=False)(
        lambda scores: tf.gather(scores, labels, batch_dims=1),
        [tf.constant(frames)],
        penultimate_layer="visual_map",
        seek_penultimate_conv_layer=False,
        expand_cam=False,
        normalize_cam=False,
    )
    # tf-keras-vis takes the logits and applies the softmax itself.
    whole = keras.Model([frame], layers.Softmax(name="probabilities")(x))
    found = EvidenceMaps(whole, "scorecam")({"frame": frames}, labels)["visual"]
    np.testing.assert_allclose(found, expected, rtol=1e-5)  # float32


def test_the_other_modality_is_left_as_it_is():
    # A head that is deaf: whatever of the sound is shown, each channel weighs the whole segment's probability.
    model, batch = toy_model(seed=3), batch_of(list("ab"), [(0,)] * 2)
    kernel, bias = model.get_layer("logits").get_weights()
    kernel[:5] = 0
    model.get_layer("logits").set_weights([kernel, bias])
    extractor = keras.Model(model.inputs, [model.get_layer("audio_map").output, model.output])
    maps, probabilities = extractor([batch[tensor.name].astype(np.float32) for tensor in model.inputs])
    labels = np.array([0, 1])
    found = EvidenceMaps(model, "scorecam")(batch, labels)
    expected = np.asarray(probabilities)[[0, 1], labels, None, None] * np.asarray(maps).sum(axis=-1)
    assert expected.max() > 0
    np.testing.assert_allclose(found["audio"], expected, rtol=1e-5)  # float32
    assert found["visual"].shape == (2, 8, 8)


def test_labels_that_do_not_exclude_each_other_have_probabilities_of_their_own():
    frame = keras.Input((8, 8, 3), name="frame")
    x = layers.Conv2D(2, 3, padding="same", activation="relu", name="visual_map")(frame)
    logits = layers.Dense(2, name="logits")(layers.GlobalAveragePooling2D()(x))
    model = keras.Model([frame], layers.Activation("sigmoid", name="probabilities")(logits))
    # Whatever is shown, both labels are certain: each would have half of a softmax.
    logits_layer = model.get_layer("logits")
    logits_layer.set_weights([np.zeros((2, 2), np.float32), np.array([50, 50], np.float32)])
    frames = np.random.default_rng(0).uniform(1, 2, (3, 8, 8, 3)).astype(np.float32)
    maps = np.asarray(keras.Model(model.inputs, model.get_layer("visual_map").output)([frames]))
    found = EvidenceMaps(model, "scorecam")({"frame": frames}, np.array([0, 1, 1]))["visual"]
    np.testing.assert_allclose(found, maps.sum(axis=-1), rtol=1e-5)  # float32
    assert found.max() > 0


def test_what_is_not_shown_is_the_mean_of_the_segments_own_input():
    # An even spectrogram stays what it is however it is masked, so each channel has the segment's own probability.
    model, batch = toy_model(seed=3), batch_of(["a"], [(0,)])
    batch["log_mel"][:] = -20.0
    extractor = keras.Model(model.inputs, [model.get_layer("audio_map").output, model.output])
    maps, probabilities = extractor([batch[tensor.name].astype(np.float32) for tensor in model.inputs])
    expected = np.asarray(probabilities)[0, 1] * np.asarray(maps)[0].sum(axis=-1)
    assert expected.max() > 0
    found = EvidenceMaps(model, "scorecam")(batch, np.array([1]))["audio"][0]
    np.testing.assert_allclose(found, expected, rtol=1e-5)  # float32
