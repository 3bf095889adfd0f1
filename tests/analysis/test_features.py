import keras
import numpy as np
import pytest
from toy_models import batch_of, toy_model

from analysis.extraction import segment_features
from analysis.feature_files import load_features, save_features
from avinst.errors import UserError

LABELS = ("flute", "cello", "piano")


def batches_of(ids, labels, sizes):
    """Batches in which every segment has its own log-mel and frame."""
    start = 0
    for size in sizes:
        rows = slice(start, start + size)
        yield batch_of(ids[rows], labels[rows], seed=start)
        start += size


@pytest.fixture(scope="module")
def segments():
    ids = ["b", "a", "b", "c", "a", "b", "c"]
    labels = [(0,), (1,), (0,), (2,), (1,), (0,), (2,)]
    model = toy_model()
    # A ragged last batch, and recordings that spread over batches.
    return model, segment_features(model, batches_of(ids, labels, (3, 3, 1)), LABELS, multi_label=False)


def test_segments_hold_what_the_contract_layers_give(segments):
    model, features = segments
    batch = batch_of(["b", "a", "b"], [(0,), (1,), (0,)], seed=0)
    layers = ("audio_features", "visual_features", "logits", "probabilities")
    outputs = keras.Model(model.inputs, [model.get_layer(name).output for name in layers])(
        [batch[tensor.name] for tensor in model.inputs]
    )
    found = (features.audio, features.visual, features.logits, features.probabilities)
    for values, expected in zip(found, outputs, strict=True):
        np.testing.assert_allclose(values[:3], expected, rtol=1e-5, atol=1e-6)  # float32, graph against eager
    assert features.video_id.tolist() == ["b", "a", "b", "c", "a", "b", "c"]
    assert len(features) == 7


def test_a_recording_is_the_mean_of_its_segments(segments):
    _, features = segments
    recordings = features.by_recording()
    assert recordings.video_id.tolist() == ["a", "b", "c"]
    assert recordings.labels.astype(int).tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 1]]
    for field in ("audio", "visual", "logits", "probabilities"):
        expected = getattr(features, field)[[0, 2, 5]].mean(axis=0)
        np.testing.assert_allclose(getattr(recordings, field)[1], expected, rtol=1e-6)
    np.testing.assert_allclose(recordings.probabilities.sum(axis=1), 1.0, rtol=1e-6)


def test_order_of_segments_does_not_matter(segments):
    _, features = segments
    shuffled = features.rows(np.array([6, 2, 4, 0, 1, 5, 3])).by_recording()
    np.testing.assert_allclose(shuffled.audio, features.by_recording().audio, rtol=1e-6)


def test_predicted_is_the_likeliest_label_or_all_likely_ones(segments):
    _, features = segments
    single = features.by_recording()
    assert single.predicted.sum(axis=1).tolist() == [1, 1, 1]
    assert single.predicted.argmax(axis=1).tolist() == single.probabilities.argmax(axis=1).tolist()
    probabilities = np.array([[0.9, 0.6, 0.1], [0.4, 0.2, 0.3], [0.1, 0.2, 0.5]], np.float32)
    several = single.__class__(**{**vars(single), "multi_label": True, "probabilities": probabilities})
    assert several.predicted.tolist() == [[True, True, False], [False, False, False], [False, False, True]]


@pytest.mark.parametrize("multi_label", [False, True])
def test_saved_features_come_back(segments, tmp_path, multi_label):
    _, features = segments
    recordings = features.by_recording()
    recordings = recordings.__class__(**{**vars(recordings), "multi_label": multi_label})
    recordings.labels[0] |= [multi_label, False, False]
    path = str(tmp_path / "features.npz")
    save_features(recordings, path)
    loaded = load_features(path)
    for name, value in vars(recordings).items():
        np.testing.assert_array_equal(getattr(loaded, name), value, err_msg=name)


def test_saved_segments_keep_their_numbers(segments, tmp_path):
    _, features = segments
    path = str(tmp_path / "segment_features.npz")
    save_features(features, path)
    np.testing.assert_array_equal(load_features(path).segment_index, features.segment_index)
    np.testing.assert_array_equal(load_features(path).visual, features.visual)


def test_file_has_the_documented_arrays_one_row_a_recording(segments, tmp_path):
    _, features = segments
    recordings = features.by_recording()
    path = tmp_path / "features.npz"
    save_features(recordings, str(path))
    with np.load(path) as arrays:
        assert arrays["video_id"].tolist() == ["a", "b", "c"]
        assert arrays["label"].tolist() == ["cello", "flute", "piano"]
        assert arrays["predicted"].tolist() == [LABELS[i] for i in recordings.probabilities.argmax(axis=1)]
        assert arrays["audio_features"].shape == (3, 5)
        assert arrays["visual_features"].shape == (3, 6)


def test_a_model_of_one_modality_has_no_other_features(tmp_path):
    model = toy_model(modalities=("audio",))
    features = segment_features(model, [batch_of(["a"], [(0,)])], LABELS, multi_label=False).by_recording()
    assert features.visual is None
    path = tmp_path / "features.npz"
    save_features(features, str(path))
    assert load_features(str(path)).visual is None
    with np.load(path) as arrays:
        assert "visual_features" not in arrays


def test_an_empty_split_and_a_missing_file_are_said(tmp_path):
    with pytest.raises(UserError, match="no segments"):
        segment_features(toy_model(), [], LABELS, multi_label=False)
    with pytest.raises(UserError, match="avinst analyze"):
        load_features(str(tmp_path / "features.npz"))
