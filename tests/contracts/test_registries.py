"""What every registered backbone, CAM method and data set format keeps, those that are added later too."""

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest
from dataset_factory import SPEC, write_dataset
from toy_models import batch_of, toy_model

from analysis.analyze import FLAGS as ANALYZE_FLAGS
from analysis.maps.gradcam import METHOD_NAMES, METHODS, EvidenceMaps
from avinst.errors import UserError
from avinst.manifests.formats import FORMATS
from trainer.config import TrainConfig
from trainer.models import AUDIO_BACKBONES, VISUAL_BACKBONES, build_model, sub_model
from trainer.models.build import FEATURE_COUNTS, INPUT_OF
from trainer.models.layers import BATCH_NORM_MOMENTUM, SMALLEST_MAP

HOW_TO = (Path(__file__).parents[2] / "docs" / "how-to.md").read_text()
FRAME_SIZE = 96  # the smallest size that all backbones take, and at which their deepest maps are too small
READERS = {name: known.read for name, known in FORMATS.items() if known.read}
BACKBONES = [("audio", name) for name in AUDIO_BACKBONES] + [("visual", name) for name in VISUAL_BACKBONES]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    dataset = write_dataset(tmp_path_factory.mktemp("data") / "dataset")
    return dataclasses.replace(dataset, spec=dataclasses.replace(SPEC, frame_size=FRAME_SIZE))


@pytest.fixture(scope="module", params=BACKBONES, ids="-".join)
def network(request, dataset):
    """(modality, network of that modality alone)."""
    modality, name = request.param
    return modality, build_model(modality, TrainConfig(scheme=modality, **{f"{modality}_backbone": name}), dataset)


def test_a_backbone_is_flat_and_its_names_say_its_modality(network):
    modality, model = network
    assert not [layer.name for layer in model.layers if isinstance(layer, keras.Model)]
    others = {layer.name for layer in model.layers if not layer.name.startswith(f"{modality}_")}
    assert others == {INPUT_OF[modality], "head_dropout", "logits", "probabilities"}


def test_batch_norm_of_a_backbone_follows_short_trainings(network):
    _, model = network
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert {layer.momentum for layer in norms} <= {BATCH_NORM_MOMENTUM}


def test_logits_follow_from_a_map_that_is_large_enough_and_from_the_features(network, dataset):
    modality, model = network
    found_map, features = (model.get_layer(f"{modality}_{what}").output for what in ("map", "features"))
    assert min(found_map.shape[1:3]) >= SMALLEST_MAP
    assert features.shape == (None, FEATURE_COUNTS[modality])
    generator = np.random.default_rng(0)
    shape = {"audio": (2, SPEC.log_mel_frames, SPEC.mel_bands), "visual": (2, FRAME_SIZE, FRAME_SIZE, 3)}[modality]
    given = generator.uniform(0, 255, shape).astype(np.float32) - (200 if modality == "audio" else 0)
    maps, vectors, logits = sub_model(model, [f"{modality}_map", f"{modality}_features", "logits"])([given])
    for start, values in ((found_map, maps), (features, vectors)):
        rest = keras.Model(start, model.get_layer("logits").output)
        np.testing.assert_allclose(rest(values), logits, rtol=1e-4, atol=1e-5)  # float32, another graph


def test_the_flag_offers_the_cam_methods_that_there_are():
    offered = ANALYZE_FLAGS["gradcam_method"].parser.enum_values
    assert list(METHOD_NAMES) == list(offered)
    assert set(METHODS) <= set(METHOD_NAMES)


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_maps_of_a_cam_method(method):
    model, batch, indices = (
        toy_model(seed=3),
        batch_of(list("abcde"), [(0,)] * 5, seed=1),
        np.array([0, 1, 2, 1, 0]),
    )
    evidence_maps = EvidenceMaps(model, method)
    found = evidence_maps(batch, indices)
    others = evidence_maps(batch, (indices + 1) % 3)
    in_twos = evidence_maps.in_batches(batch, indices, 2)
    assert {modality: maps.shape for modality, maps in found.items()} == {"audio": (5, 6, 4), "visual": (5, 8, 8)}
    for modality, maps in found.items():
        assert maps.dtype == np.float32
        assert 0 <= maps.min() < maps.max()
        np.testing.assert_allclose(in_twos[modality], maps, rtol=1e-4, atol=1e-6 * maps.max())  # float32
        assert not np.allclose(others[modality], maps, rtol=1e-3)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no annotation file at"), (b"", "."), (b"\xff\xfe\x00", "is not UTF-8 text")],
    ids=["missing", "empty", "binary"],
)
def test_a_file_that_is_none_of_a_data_sets_is_one_line(tmp_path, name, content, message):
    files = [tmp_path / f"file{number}" for number in range(2)]  # FCVID is two files
    for file in files if content is not None else []:
        file.write_bytes(content)
    with pytest.raises(UserError, match=message) as error:
        READERS[name]([str(file) for file in files])
    assert "\n" not in str(error.value)


def test_the_how_to_names_every_format_of_a_data_set():
    assert [name for name in FORMATS if f"--format={name}" not in HOW_TO] == []
