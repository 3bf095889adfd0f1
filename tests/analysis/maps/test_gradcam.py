import keras
import numpy as np
import pytest
from toy_models import FRAME_SIZE, batch_of, toy_model

from analysis.maps.gradcam import EvidenceMaps, dead_maps, on_input
from analysis.maps.gradcam_reference import largest_difference, map_precision, tf_keras_vis_maps
from analysis.maps.receptive_field import cell_centres


def maps_of(model, batch, layer):
    extractor = keras.Model(model.inputs, model.get_layer(layer).output)
    return np.asarray(extractor([batch[tensor.name].astype(np.float32) for tensor in model.inputs]))


def gradcam(model, batch, label_indices, modality, batch_size=32):
    return EvidenceMaps(model).in_batches(batch, label_indices, batch_size)[modality]


@pytest.fixture(scope="module")
def case():
    return toy_model(seed=3), batch_of(list("abcde"), [(0,)] * 5, seed=1), np.array([0, 1, 2, 1, 0])


@pytest.mark.parametrize(("modality", "weights_from"), [("audio", 0), ("visual", 5)])
def test_equals_the_analytic_cam_where_the_head_is_linear_on_gap(case, modality, weights_from):
    # Zhou et al. (2016): sum over channels of weight x map; Grad-CAM divides by the number of places, for GAP.
    model, batch, indices = case
    maps = maps_of(model, batch, f"{modality}_map")
    weights = model.get_layer("logits").get_weights()[0][weights_from : weights_from + maps.shape[-1]]
    places = maps.shape[1] * maps.shape[2]
    expected = np.maximum(np.einsum("nhwc,cn->nhw", maps, weights[:, indices]) / places, 0)
    found = gradcam(model, batch, indices, modality)
    assert expected.max() > 0
    np.testing.assert_allclose(found, expected, atol=1e-6)  # float32


def deep_model():
    """Layers between the map and the features, so that the gradient differs from place to place."""
    keras.utils.set_random_seed(5)
    frame = keras.Input((32, 32, 3), name="frame")
    x = keras.layers.Conv2D(6, 3, strides=4, padding="same", activation="relu")(
        keras.layers.Rescaling(1 / 127.5, offset=-1.0)(frame)
    )
    x = keras.layers.Activation("linear", name="visual_map")(x)
    x = keras.layers.Conv2D(4, 3, activation="tanh")(x)
    x = keras.layers.GlobalMaxPooling2D(name="visual_features")(x)
    return keras.Model([frame], keras.layers.Dense(3, name="logits")(x))


@pytest.mark.parametrize("method", ["gradcam", "gradcam++"])
def test_agrees_with_tf_keras_vis_where_the_gradient_differs_from_place_to_place(case, method):
    _, batch, indices = case
    model = deep_model()
    expected = tf_keras_vis_maps(model, batch, indices, "visual", method)
    found = EvidenceMaps(model, method)(batch, indices)["visual"]
    assert expected.max() > 0
    scale = [maps.max(axis=(1, 2), keepdims=True) for maps in (found, expected)]
    alive = scale[1][:, 0, 0] > 0
    np.testing.assert_allclose(
        (found / scale[0])[alive], (expected / scale[1])[alive], atol=1e-5
    )  # float32, each by its largest: Grad-CAM++ has the factor exp(logit) there


def test_raw_maps_are_those_of_tf_keras_vis(case):
    _, batch, indices = case
    model = toy_model(hidden_units=4, activation="elu", seed=3)
    evidence_maps = EvidenceMaps(model)
    found = evidence_maps(batch, indices)
    for modality in ("audio", "visual"):
        expected = tf_keras_vis_maps(model, batch, indices, modality, "gradcam")
        assert expected.max() > 0
        np.testing.assert_allclose(found[modality], expected, atol=1e-6 * expected.max())  # float32
    assert largest_difference(evidence_maps, batch, indices) < 1e-5  # each by its own largest


def test_half_precision_is_compared_as_far_as_tf_keras_vis_goes(case):
    _, batch, indices = case
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = toy_model(seed=3)
    finally:
        keras.config.set_dtype_policy("float32")
    assert largest_difference(EvidenceMaps(model, "gradcam++"), batch, indices) is None
    assert largest_difference(EvidenceMaps(model), batch, indices) < 0.05  # bfloat16: 8 bits
    assert map_precision(EvidenceMaps(model)) == "bfloat16"
    assert map_precision(EvidenceMaps(toy_model())) == "float32"


def test_gradcam_plus_plus_is_that_of_tf_keras_vis_without_the_score(case):
    _, batch, indices = case
    model = toy_model(hidden_units=4, seed=3)
    logits = np.asarray(
        keras.Model(model.inputs, model.get_layer("logits").output)(
            [batch[tensor.name].astype(np.float32) for tensor in model.inputs]
        )
    )
    score = np.exp(logits[np.arange(5), indices])[:, np.newaxis, np.newaxis]
    found = EvidenceMaps(model, "gradcam++")(batch, indices)
    for modality in ("audio", "visual"):
        expected = tf_keras_vis_maps(model, batch, indices, modality, "gradcam++") / score
        assert expected.max() > 0
        np.testing.assert_allclose(found[modality], expected, atol=1e-6 * expected.max())  # float32
        assert not np.allclose(found[modality], EvidenceMaps(model)(batch, indices)[modality])
    # Scores that exp() cannot hold give the same maps.
    kernel, bias = model.get_layer("logits").get_weights()
    model.get_layer("logits").set_weights([kernel, bias + 200])
    raised = EvidenceMaps(model, "gradcam++")(batch, indices)
    np.testing.assert_allclose(raised["audio"], found["audio"], rtol=1e-4)  # float32


def test_one_pass_is_compiled_for_all_batch_sizes(case):
    model, batch, indices = case
    evidence_maps = EvidenceMaps(model)
    for count in (5, 4, 3, 2, 1):
        evidence_maps({name: batch[name][:count] for name in ("log_mel", "frame")}, indices[:count])
    assert evidence_maps._maps.experimental_get_tracing_count() <= 2  # for 5, then for any number


def test_batches_do_not_change_the_maps(case):
    model, batch, indices = case
    whole = gradcam(model, batch, indices, "visual", batch_size=5)
    np.testing.assert_allclose(gradcam(model, batch, indices, "visual", batch_size=2), whole, atol=1e-7)


def test_another_label_and_other_weights_give_another_map(case):
    model, batch, indices = case
    found = gradcam(model, batch, indices, "audio")
    assert not np.allclose(found, gradcam(model, batch, (indices + 1) % 3, "audio"))
    assert not np.allclose(found, gradcam(toy_model(seed=4), batch, indices, "audio"))


def test_a_hidden_layer_and_a_single_modality_work():
    batch = batch_of(list("ab"), [(0,)] * 2)
    hidden = gradcam(toy_model(hidden_units=4), batch, np.array([0, 1]), "visual")
    alone = gradcam(toy_model(modalities=("audio",)), batch, np.array([0, 1]), "audio")
    assert hidden.shape == (2, 8, 8)
    assert alone.shape == (2, 6, 4)


def test_a_dead_map_is_zero_and_counted():
    model = toy_model(modalities=("visual",))
    kernel, bias = model.get_layer("logits").get_weights()
    kernel[:, 0] = -np.abs(kernel[:, 0])  # nothing speaks for the first label
    model.get_layer("logits").set_weights([kernel, bias])
    maps = gradcam(model, batch_of(list("ab"), [(0,)] * 2), np.array([0, 1]), "visual")
    assert dead_maps(maps).tolist() == [True, False]
    centres = cell_centres(model, "visual_map")
    assert on_input(maps, centres, (FRAME_SIZE, FRAME_SIZE)).max(axis=(1, 2)).tolist() == [0.0, 1.0]


def test_an_integer_input_is_refused():
    frame = keras.Input((8, 8, 3), dtype="uint8", name="frame")
    x = keras.layers.Activation("linear", name="visual_map")(keras.layers.Rescaling(1.0)(frame))
    x = keras.layers.Dense(2, name="logits")(keras.layers.GlobalAveragePooling2D()(x))
    with pytest.raises(ValueError, match="frame"):
        gradcam(keras.Model(frame, x), {"frame": np.zeros((1, 8, 8, 3))}, np.array([0]), "visual")
