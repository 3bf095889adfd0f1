import csv
import io

import keras
import numpy as np
import pytest
from toy_models import toy_model

from analysis.features import Features
from analysis.importance import (
    feature_name,
    head_of,
    importance,
    importance_csv,
    logit_gradients,
    selection_importance_csv,
)

NAMES = ("flute", "cello", "piano")


def features_of(audio, visual, logits, multi_label=False, probabilities=None):
    n = len(logits)
    if probabilities is None:
        probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return Features(
        label_names=NAMES,
        multi_label=multi_label,
        video_id=np.array([str(row) for row in range(n)]),
        segment_index=np.full(n, -1),
        labels=np.zeros((n, 3), dtype=bool),
        logits=logits,
        probabilities=probabilities.astype(np.float32),
        audio=audio,
        visual=visual,
    )


def random_features(head, n=40, seed=0):
    """Features of which about a third are negative, as ELU gives them."""
    generator = np.random.default_rng(seed)
    audio = generator.normal(0.4, 1.0, (n, 5)).astype(np.float32)
    visual = generator.normal(0.4, 1.0, (n, 6)).astype(np.float32)
    return features_of(audio, visual, np.asarray(head([audio, visual])))


def test_is_the_weight_formula_where_the_head_is_one_dense_layer():
    model = toy_model()
    head = head_of(model)
    features = random_features(head)
    result = importance(features, head)
    weights = model.get_layer("logits").get_weights()[0]
    joined = np.hstack([features.audio, features.visual]).astype(np.float64)
    assert (joined < 0).mean() > 0.25
    likeliest = features.logits.argmax(axis=1)
    for index, label in enumerate(NAMES):
        expected = np.maximum(weights[:, index] * joined[likeliest == index], 0).mean(axis=0)
        np.testing.assert_allclose(result.of(label, "audio"), expected[:5], rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(result.of(label, "visual"), expected[5:], rtol=1e-6, atol=1e-9)
        # Not max(w, 0) mean(x): wrong where features are negative.
        assert not np.allclose(
            expected, np.maximum(weights[:, index], 0) * joined[likeliest == index].mean(axis=0)
        )


def test_a_case_worked_out_by_hand():
    inputs = keras.Input((2,), name="a"), keras.Input((1,), name="v")
    audio = keras.layers.Activation("linear", name="audio_features")(inputs[0])
    visual = keras.layers.Activation("linear", name="visual_features")(inputs[1])
    logits = keras.layers.Dense(3, name="logits")(keras.layers.Concatenate()([audio, visual]))
    model = keras.Model(inputs, logits)
    weights = np.array([[1.0, -1.0, 0.0], [2.0, 0.0, 0.0], [-3.0, 1.0, 0.0]])
    model.get_layer("logits").set_weights([weights, np.zeros(3)])
    # Two recordings predicted as flute, one as cello; none as piano.
    audio_values = np.array([[1.0, 2.0], [3.0, -1.0], [-4.0, 0.0]], np.float32)
    visual_values = np.array([[0.5], [-1.0], [2.0]], np.float32)
    logits = np.array([[9.0, 0.0, 0.0], [9.0, 0.0, 0.0], [0.0, 9.0, 0.0]], np.float32)
    result = importance(features_of(audio_values, visual_values, logits), head_of(model))
    # flute: products 1x1 and 1x3; 2x2 and 2x-1; -3x0.5 and -3x-1.
    assert result.of("flute", "audio").tolist() == [2.0, 2.0]
    assert result.of("flute", "visual").tolist() == [1.5]
    assert result.of("cello", "audio").tolist() == [4.0, 0.0]
    assert result.of("cello", "visual").tolist() == [2.0]
    assert result.count == {"flute": 2, "cello": 1, "piano": 0}
    assert result.unpredicted == ("piano",)
    assert np.isnan(result.of("piano", "audio")).all()
    # The second audio feature contributes nothing to cello, so it is none of the most important two.
    assert result.top("cello", "audio", 2).tolist() == [0]
    assert result.top("piano", "audio", 2).tolist() == []
    rows = list(csv.reader(io.StringIO(importance_csv(result))))
    assert rows == [
        ["label", "modality", "feature", "importance", "rank", "stability"],
        ["flute", "audio", "a0000", "2", "1", ""],
        ["flute", "audio", "a0001", "2", "2", ""],
        ["flute", "visual", "v0000", "1.5", "1", ""],
        ["cello", "audio", "a0000", "4", "1", ""],
        ["cello", "audio", "a0001", "0", "2", ""],
        ["cello", "visual", "v0000", "2", "1", ""],
    ]
    one, both = (list(csv.reader(io.StringIO(selection_importance_csv([result] * n)))) for n in (1, 2))
    assert one == [["half", *rows[0][:5]], *(["", *row[:5]] for row in rows[1:])]
    assert both == [one[0], *([half, *row[1:]] for half in ("1", "2") for row in one[1:])]


def test_a_hidden_layer_is_differentiated_through():
    model = toy_model(hidden_units=7)
    head = head_of(model)
    features = random_features(head)
    kernel, bias = model.get_layer("hidden").get_weights()
    weights = model.get_layer("logits").get_weights()[0]
    joined = np.hstack([features.audio, features.visual]).astype(np.float64)
    hidden = np.tanh(joined @ kernel + bias)
    for index in range(3):
        expected = ((1 - hidden**2) * weights[:, index]) @ kernel.T
        gradients = np.hstack(logit_gradients(head, [features.audio, features.visual], index))
        np.testing.assert_allclose(gradients, expected, rtol=1e-4, atol=1e-6)  # float32 against float64
        rows = features.logits.argmax(axis=1) == index
        if rows.any():
            product = np.maximum(expected * joined, 0)[rows].mean(axis=0)
            found = np.hstack([importance(features, head).values[name][index] for name in ("audio", "visual")])
            np.testing.assert_allclose(found, product, rtol=1e-4, atol=1e-6)


def test_chunks_of_recordings_do_not_change_it(monkeypatch):
    head = head_of(toy_model(hidden_units=4))
    features = random_features(head)
    whole = importance(features, head).values["visual"]
    monkeypatch.setattr("analysis.importance._ROWS_AT_ONCE", 7)
    np.testing.assert_allclose(importance(features, head).values["visual"], whole, rtol=1e-6)


def test_multi_label_recordings_count_for_each_predicted_label():
    head = head_of(toy_model())
    single = random_features(head, n=2)
    probabilities = np.array([[0.9, 0.8, 0.1], [0.2, 0.7, 0.3]])
    features = features_of(single.audio, single.visual, single.logits, True, probabilities)
    assert importance(features, head).count == {"flute": 1, "cello": 2, "piano": 0}


def test_one_modality_has_a_head_of_one_input():
    model = toy_model(modalities=("visual",))
    head = head_of(model)
    visual = np.random.default_rng(0).normal(size=(9, 6)).astype(np.float32)
    result = importance(features_of(None, visual, np.asarray(head([visual]))), head)
    assert list(result.values) == ["visual"]


@pytest.mark.parametrize(("modality", "index", "name"), [("audio", 7, "a0007"), ("visual", 1893, "v1893")])
def test_feature_names(modality, index, name):
    assert feature_name(modality, index) == name
