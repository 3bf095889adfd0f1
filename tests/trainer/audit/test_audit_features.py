import keras
import numpy as np
import pytest

from trainer.audit.features import FusedHead, blank_features, recording_features, segment_features
from trainer.evaluation.predictions import predict_split
from trainer.inputs.pipeline import keyed_examples
from trainer.models import sub_model


@pytest.fixture(scope="module")
def found(independent_run, dataset):
    return segment_features(independent_run.model, dataset, "test", 7)


def test_one_pass_gives_predictions_and_features(found, independent_run, dataset):
    expected = predict_split(independent_run.model, dataset, "test", 7)
    assert found.predictions.video_ids.tolist() == expected.video_ids.tolist()
    np.testing.assert_allclose(found.predictions.probabilities, expected.probabilities, atol=1e-6)  # float32
    assert {name: values.shape for name, values in found.features.items()} == {
        "audio": (24, 1024),
        "visual": (24, 2048),
    }


def test_recordings_are_the_means_of_their_segments(found, independent_run, dataset):
    expected = found.by_recording()
    streamed = recording_features(independent_run.model, dataset, "test", 5)
    np.testing.assert_array_equal(streamed.labels, expected.labels)
    for modality, values in expected.features.items():
        rows = [np.flatnonzero(found.predictions.video_ids == name) for name in found.predictions.video_ids[::2]]
        np.testing.assert_allclose(values[0], found.features[modality][rows[0]].mean(axis=0), rtol=1e-5)  # float32
        np.testing.assert_allclose(streamed.features[modality], values, rtol=1e-4, atol=1e-5)  # sums of float32


def test_a_stage_has_the_features_of_its_own_modality(dataset, untrained_run):
    stage = untrained_run("visual").model
    assert list(segment_features(stage, dataset, "test", 24).features) == ["visual"]


def test_the_head_says_of_a_swapped_pair_what_the_whole_network_says(found, independent_run, dataset):
    """Swapped before the branches, at the inputs, and after them, at the features."""
    batch = next(iter(keyed_examples(dataset, "test", 24)))
    lent = np.arange(24)[::-1]
    log_mel = batch["log_mel"].numpy()[lent]
    expected = independent_run.model([log_mel, batch["frame"].numpy().astype(np.float32)], training=False)
    swapped = FusedHead(independent_run.model)({**found.features, "audio": found.features["audio"][lent]})
    np.testing.assert_allclose(swapped, expected, atol=1e-5)  # float32, probabilities


def test_blank_is_zero_after_the_networks_own_scaling(independent_run, dataset):
    mean = dataset.log_mel_mean_db
    model = independent_run.model
    scaled = sub_model(model, ["audio_normalization", "visual_scaling"])
    spec = dataset.spec
    log_mel = np.full((1, spec.log_mel_frames, spec.mel_bands), mean, np.float32)
    frame = np.full((1, spec.frame_size, spec.frame_size, 3), 127.5, np.float32)
    for values in scaled([log_mel, frame], training=False):
        np.testing.assert_allclose(values, 0, atol=1e-6)  # float32
    expected = sub_model(model, ["audio_features", "visual_features"])([log_mel, frame], training=False)
    blank = blank_features(model, mean)
    for modality, values in zip(("audio", "visual"), expected, strict=True):
        np.testing.assert_allclose(blank[modality], keras.ops.convert_to_numpy(values), rtol=1e-6, atol=1e-7)
