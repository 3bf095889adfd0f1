import dataclasses

import keras
import numpy as np
import pytest
from dataset_factory import SPEC

from avinst.errors import UserError
from trainer.config import TrainConfig
from trainer.models import (
    AUDIO_BACKBONES,
    VISUAL_BACKBONES,
    build_fusion_head,
    build_model,
    copy_weights,
    sub_model,
)
from trainer.models.applications import Application
from trainer.models.layers import conv_bn, features_of

CONTRACT = ["audio_map", "audio_features", "visual_map", "visual_features", "logits", "probabilities"]


@pytest.fixture(scope="module")
def dataset_96(dataset):
    return dataclasses.replace(dataset, spec=dataclasses.replace(SPEC, frame_size=96))


@pytest.fixture(scope="module")
def full_network(dataset_96):
    return build_model("joint", TrainConfig(), dataset_96)


def batch(spec, count=2, seed=0):
    generator = np.random.default_rng(seed)
    return {
        "log_mel": generator.normal(-40, 10, (count, spec.log_mel_frames, spec.mel_bands)).astype(np.float32),
        "frame": generator.integers(0, 256, (count, spec.frame_size, spec.frame_size, 3)).astype(np.uint8),
    }


def test_the_default_network_keeps_the_contract(full_network):
    shapes = {name: full_network.get_layer(name).output.shape[1:] for name in CONTRACT}
    assert shapes == {
        "audio_map": (6, 6, 1024),
        "audio_features": (1024,),
        "visual_map": (4, 4, 768),  # mixed7 at 96 px
        "visual_features": (2048,),
        "logits": (3,),
        "probabilities": (3,),
    }
    assert [source.name for source in full_network.inputs] == ["log_mel", "frame"]


def test_the_default_network_is_flat_with_quick_batch_norm(full_network):
    assert not [layer.name for layer in full_network.layers if isinstance(layer, keras.Model)]
    norms = [layer for layer in full_network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert {layer.momentum for layer in norms} == {0.9}
    both = {"log_mel", "frame", "fusion_features", "head_dropout", "logits", "probabilities"}
    rest = [layer.name for layer in full_network.layers if not layer.name.startswith(("audio_", "visual_"))]
    assert set(rest) == both


def test_names_do_not_depend_on_what_was_built_before(full_network, dataset_96):
    alone = build_model("visual", TrainConfig(scheme="visual"), dataset_96)
    assert copy_weights(alone, full_network, prefix="visual_") == 376  # 94 convolutions, each with 3 of BatchNorm
    names = {layer.name for layer in full_network.layers}
    assert {layer.name for layer in alone.layers} <= names


def test_the_logits_follow_from_the_two_maps_alone(full_network, dataset_96):
    check_logits_follow_from_maps(full_network, dataset_96, ["audio_map", "visual_map"])


def check_logits_follow_from_maps(network, dataset, names):
    rest = keras.Model([network.get_layer(name).output for name in names], network.get_layer("logits").output)
    inputs = batch(dataset.spec)
    *values, logits = sub_model(network, [*names, "logits"])([inputs[source.name] for source in network.inputs])
    np.testing.assert_allclose(rest(values), logits, rtol=1e-4, atol=1e-5)  # float32, another graph


@pytest.mark.parametrize(("size", "shape"), [(96, (6, 6, 112)), (128, (4, 4, 2048))])
def test_efficientnet_keeps_the_contract(dataset, size, shape):
    sized = dataclasses.replace(dataset, spec=dataclasses.replace(SPEC, frame_size=size))
    config = TrainConfig(scheme="visual", visual_backbone="efficientnet_v2_b0")
    network = build_model("visual", config, sized)
    assert network.get_layer("visual_map").output.shape[1:] == shape
    assert network.get_layer("visual_features").output.shape == (None, 2048)
    rest = {layer.name for layer in network.layers if not layer.name.startswith("visual_")}
    assert rest == {"frame", "head_dropout", "logits", "probabilities"}
    norms = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert {layer.momentum for layer in norms} == {0.9}
    check_logits_follow_from_maps(network, sized, ["visual_map"])


@pytest.mark.parametrize(("blocks", "width"), [(0, 0.25), (4, 0.5)])
def test_xception_ends_in_1024_features_at_any_depth_and_width(dataset, blocks, width):
    config = TrainConfig(audio_blocks=blocks, audio_width=width, visual_backbone="small_cnn")
    model = build_model("audio", config, dataset)
    assert model.get_layer("audio_features").output.shape == (None, 1024)
    middle = {layer.name.split("_")[1] for layer in model.layers if layer.name.startswith("audio_middle")}
    assert len(middle) == blocks


@pytest.mark.parametrize("mel_bands", [32, 96])
def test_maps_of_small_inputs_keep_4_cells(dataset, mel_bands):
    spec = dataclasses.replace(SPEC, mel_bands=mel_bands, frame_size=32)
    config = TrainConfig(audio_blocks=0, audio_width=0.25, visual_backbone="small_cnn")
    model = build_model("joint", config, dataclasses.replace(dataset, spec=spec))
    for name in ("audio_map", "visual_map"):
        assert min(model.get_layer(name).output.shape[1:3]) >= 4


def test_frames_too_small_for_inception_say_what_to_change(dataset):
    with pytest.raises(UserError, match=r"64 px, inception_v3 needs 75.*--visual_backbone=small_cnn"):
        build_model("visual", TrainConfig(), dataset)


def test_weights_that_are_not_there_or_of_another_network_are_refused(dataset_96, dataset, tmp_path):
    with pytest.raises(UserError, match="no such file"):
        build_model("visual", TrainConfig(visual_weights=str(tmp_path / "none.h5")), dataset_96)
    other = str(tmp_path / "other.weights.h5")
    build_model("audio", TrainConfig(audio_backbone="small_cnn"), dataset).save_weights(other)
    with pytest.raises(UserError, match="not the weights of Inception V3"):
        build_model("visual", TrainConfig(visual_weights=other), dataset_96)


def test_what_keras_says_of_a_download_stays_off_stdout(capsys):
    """`avinst train --json` prints JSON there."""

    def downloading(weights, **_):
        print(f"Downloading {weights}")  # noqa: T201
        return "network"

    known = Application("Inception V3", "inception_v3", downloading, {}, 75, "mixed")
    assert known.with_weights("imagenet", 96) == "network"
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "Downloading imagenet\n"


@pytest.mark.parametrize(
    ("backbone", "application", "last_layer"),
    [
        ("inception_v3", "InceptionV3", "visual_mixed10"),
        pytest.param(*("efficientnet_v2_b0", "EfficientNetV2B0", "visual_top_activation"), marks=pytest.mark.slow),
    ],
)
def test_weights_come_from_a_file(dataset_96, tmp_path, backbone, application, last_layer):
    original = getattr(keras.applications, application)(include_top=False, weights=None, input_shape=(96, 96, 3))
    # Statistics that a wrong scaling of the frames would show in.
    for layer in original.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(keras.random.normal(layer.moving_mean.shape, 0.0, 0.1, seed=1))
    file = str(tmp_path / "network.weights.h5")
    original.save_weights(file)
    model = build_model("visual", TrainConfig(visual_backbone=backbone, visual_weights=file), dataset_96)
    frames = batch(dataset_96.spec)["frame"].astype(np.float32)
    given = keras.applications.inception_v3.preprocess_input(frames.copy()) if "inception" in backbone else frames
    expected = np.asarray(original(given))
    assert expected.std() > 0.01
    # float32, computed by another graph.
    found = np.asarray(sub_model(model, [last_layer])([frames]))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_softmax_for_one_label_a_recording_sigmoid_for_several(dataset, small_config):
    inputs = batch(dataset.spec)
    for multi_label, expected in ((False, keras.ops.softmax), (True, keras.ops.sigmoid)):
        model = build_model("joint", small_config, dataclasses.replace(dataset, multi_label=multi_label))
        logits, probabilities = sub_model(model, ["logits", "probabilities"])(inputs)
        np.testing.assert_allclose(probabilities, expected(logits), atol=1e-6)  # float32


def test_the_network_normalizes_by_the_datasets_mean_and_deviation(dataset, small_config):
    model = build_model("audio", small_config, dataset)
    one_above = np.full(
        (1, dataset.spec.log_mel_frames, dataset.spec.mel_bands),
        dataset.log_mel_mean_db + dataset.log_mel_std_db,
        np.float32,
    )
    normalized = sub_model(model, ["audio_normalization"])([one_above])
    np.testing.assert_allclose(normalized, 1.0, atol=1e-5)  # float32 at -40


def test_mixed_precision_computes_in_bfloat16_but_decides_in_float32(dataset, small_config):
    before = keras.config.dtype_policy().name
    model = build_model("joint", dataclasses.replace(small_config, precision="mixed_bfloat16"), dataset)
    assert keras.config.dtype_policy().name == before
    types = {name: model.get_layer(name).output.dtype for name in ("audio_features", "logits", "probabilities")}
    assert types == {"audio_features": "bfloat16", "logits": "float32", "probabilities": "float32"}


def test_the_fusion_head_has_the_weights_of_the_network_that_it_belongs_to(dataset, small_config):
    config = dataclasses.replace(small_config, fusion_hidden_units=7)
    model, head = build_model("independent", config, dataset), build_fusion_head(config, dataset)
    assert copy_weights(head, model) == 4
    inputs = batch(dataset.spec)
    audio, visual, probabilities = sub_model(model, ["audio_features", "visual_features", "probabilities"])(inputs)
    found = head({"audio_features": audio, "visual_features": visual})
    np.testing.assert_allclose(found, probabilities, atol=1e-6)  # float32


def test_the_settings_offer_the_backbones_that_there_are():
    choices = {field.name: field.metadata["choices"] for field in dataclasses.fields(TrainConfig)}
    assert set(choices["audio_backbone"]) == set(AUDIO_BACKBONES)
    assert set(choices["visual_backbone"]) == set(VISUAL_BACKBONES)


def test_a_backbone_with_another_number_of_features_is_refused(dataset, monkeypatch):
    def narrow(x, config):
        return features_of(conv_bn(x, 64, 1, 1, "visual_last"), "visual")

    monkeypatch.setitem(VISUAL_BACKBONES, "small_cnn", narrow)
    config = TrainConfig(audio_backbone="small_cnn", visual_backbone="small_cnn")
    expected = (
        "--visual_backbone=small_cnn gives features of the shape (64,), not (2048,); end it with "
        "features_of(x, 'visual') of a map with 2048 channels"
    )
    for scheme in ("visual", "joint"):
        with pytest.raises(UserError) as caught:
            build_model(scheme, config, dataset)
        assert str(caught.value) == expected
    build_model("audio", config, dataset)
