import keras
import numpy as np
import pytest
from keras import layers
from scipy import stats
from toy_models import batch_of, toy_model

from analysis import randomisation as module
from analysis.gradcam import MAP_OF, EvidenceMaps
from analysis.randomisation import randomisation, rank_correlation, structural_similarity
from analysis.receptive_field import cell_centres

COUNT = 12


def checked(model, count=COUNT):
    batch = batch_of([str(row) for row in range(count)], [(0,)] * count)
    evidence_maps = EvidenceMaps(model)
    centres = {modality: cell_centres(model, MAP_OF[modality]) for modality in evidence_maps.modalities}
    return randomisation(evidence_maps, batch, np.zeros(count, int), centres, batch_size=5)


def test_shuffled_weights_change_the_maps_and_are_put_back():
    model = toy_model(hidden_units=8, seed=3)
    before = [weights.copy() for weights in model.get_weights()]
    for found in checked(model):
        assert found.stages == ("head", "half of what is below", "all weights")
        assert found.depends_on_weights
        assert found.recordings == COUNT
        assert found.similarity["all weights"].value < 0.9
    for kept, weights in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, weights)


def test_each_stage_has_those_before_in_it(monkeypatch):
    model = toy_model(hidden_units=8, seed=3)
    original = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
    changed = []

    def spy(*_):
        changed.append(
            {
                layer.name
                for layer in model.layers
                if layer.weights
                and any((a != b).any() for a, b in zip(layer.get_weights(), original[layer.name], strict=True))
            }
        )
        return np.zeros(COUNT)

    monkeypatch.setattr(module, "structural_similarity", spy)
    checked(model)
    head, half, everything = changed[::2]  # both modalities are looked at in each stage
    assert head == {"hidden", "logits"}
    assert head < half < everything == set(original)


def test_maps_that_do_not_depend_on_weights_are_told():
    # The map is the frame itself: whatever the head's weights are, positive ones give the same map.
    frame = keras.Input((32, 32, 3), name="frame")
    x = layers.AveragePooling2D(4)(layers.Rescaling(1 / 255)(frame))
    x = layers.Activation("linear", name="visual_map")(x)
    x = layers.GlobalAveragePooling2D(name="visual_features")(x)
    x = layers.Dense(3, kernel_initializer="ones", name="logits")(x)
    model = keras.Model([frame], layers.Softmax(name="probabilities")(x))
    (found,) = checked(model)
    assert not found.depends_on_weights
    assert found.correlation[found.stages[-1]].value == pytest.approx(1)


def test_rank_correlation_is_spearmans_with_ties_and_0_for_a_dead_map():
    generator = np.random.default_rng(0)
    first, second = generator.integers(0, 5, (3, 4, 5)), generator.random((3, 4, 5))
    first[2] = 0
    expected = [
        stats.spearmanr(a.ravel(), b.ravel()).statistic for a, b in zip(first[:2], second[:2], strict=True)
    ]
    np.testing.assert_allclose(rank_correlation(first, second), [*expected, 0.0], atol=1e-12)


def test_structural_similarity_of_constants_is_the_formulas_and_1_for_equal_maps():
    picture = np.random.default_rng(0).random((2, 20, 24))
    np.testing.assert_allclose(structural_similarity(picture, picture), 1)
    dark, light = np.full((1, 20, 20), 0.2), np.full((1, 20, 20), 0.8)
    expected = (2 * 0.2 * 0.8 + 0.01**2) / (0.2**2 + 0.8**2 + 0.01**2)
    assert structural_similarity(dark, light)[0] == pytest.approx(expected)
    assert structural_similarity(picture, 1 - picture).max() < 0
