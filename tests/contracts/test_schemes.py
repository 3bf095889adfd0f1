"""What every training scheme keeps: it trains, comes back from its file as it was, predicts, is exported whole."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from dataset_factory import write_dataset

from avinst.saved_model import read_assets
from trainer.config import SCHEMES, TrainConfig
from trainer.evaluation.predictions import predict_split
from trainer.exported.exporting import export_run
from trainer.exported.model_card import _SCHEMES as SCHEMES_IN_WORDS
from trainer.inputs.pipeline import keyed_examples
from trainer.models import AUDIO_BACKBONES, VISUAL_BACKBONES
from trainer.models.build import INPUT_OF, MODALITIES
from trainer.run import load_run
from trainer.schemes import STAGES, train

RAW_OF = {"log_mel": "waveform", "frame": "jpeg"}


def test_every_place_that_lists_the_schemes_has_them_all():
    assert list(STAGES) == list(SCHEMES)
    assert set(SCHEMES) <= set(MODALITIES)
    assert set(SCHEMES_IN_WORDS) == set(SCHEMES)
    assert {stage for stages in STAGES.values() for stage in stages} - {"fusion"} <= set(MODALITIES)


@pytest.mark.parametrize(
    ("name", "registry"), [("audio_backbone", AUDIO_BACKBONES), ("visual_backbone", VISUAL_BACKBONES)]
)
def test_what_is_registered_is_what_the_setting_takes(name, registry):
    (field,) = (field for field in dataclasses.fields(TrainConfig) if field.name == name)
    assert tuple(field.metadata["choices"]) == tuple(registry)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "dataset"
    return write_dataset(folder, recordings={"train": 6, "validation": 3, "test": 3}, segments_per_recording=1)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_scheme_trains_is_saved_predicts_and_is_exported(dataset, tmp_path, scheme):
    backbones = {"audio_backbone": "small_cnn", "visual_backbone": "small_cnn"}
    config = TrainConfig(scheme=scheme, epochs=1, fusion_epochs=1, batch_size=6, **backbones)
    run_dir = str(tmp_path / "run")
    train(run_dir, dataset.data_dir, config)
    run = load_run(run_dir)
    assert run.config.scheme == scheme
    inputs = [INPUT_OF[modality] for modality in MODALITIES[scheme]]
    assert {tensor.name for tensor in run.model.inputs} == set(inputs)

    (batch,) = keyed_examples(dataset, "test", 3)
    expected = run.model.predict_on_batch({name: batch[name] for name in inputs})
    # Saved and loaded once more, it is the same network.
    again = load_run(run_dir).model.predict_on_batch({name: batch[name] for name in inputs})
    np.testing.assert_array_equal(again, expected)
    predicted = predict_split(run.model, dataset, "test")
    np.testing.assert_allclose(predicted.probabilities, expected, atol=1e-6)  # float32, another graph

    directory = export_run(run)
    signatures = tf.saved_model.load(directory).signatures
    taken = {name: set(signature.structured_input_signature[1]) for name, signature in signatures.items()}
    raw = {RAW_OF[name] for name in inputs}
    assert taken == {"serving_default": raw, "tensors": set(inputs), "examples": {"examples"}, "features": raw}
    features = {f"{modality}_features" for modality in MODALITIES[scheme]}
    assert set(signatures["features"].structured_outputs) == {*features, "probabilities"}
    types = {name: spec.dtype for name, spec in signatures["tensors"].structured_input_signature[1].items()}
    found = signatures["tensors"](**{name: tf.cast(batch[name], types[name]) for name in inputs})
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-6)
    assert read_assets(directory).facts["scheme"] == scheme
