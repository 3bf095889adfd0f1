import keras
import numpy as np
import pytest
from keras import layers
from scipy import stats
from toy_models import batch_of, toy_model

from analysis.maps import randomisation as module
from analysis.maps.gradcam import MAP_OF, EvidenceMaps
from analysis.maps.randomisation import Randomisation, randomisation, rank_correlation, structural_similarity
from analysis.maps.receptive_field import cell_centres
from trainer.audit.measures import Interval

COUNT = 24  # verdicts need 20


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
        assert found.verdict == "depend"
        assert found.alive >= 20
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
    assert found.verdict == "hardly depend"
    assert found.correlation[found.stages[-1]].value == pytest.approx(1)


def test_maps_that_shuffling_leaves_dead_are_counted_and_not_likened(monkeypatch):
    # After the shuffling, the maps of the first 20 stay as they are and those of the last 4 show nothing.
    model = toy_model(hidden_units=8, seed=3)
    living = np.random.default_rng(0).random((COUNT, 6, 4)).astype(np.float32)
    made = []

    def maps_of(*_):
        made.append(0)
        maps = living.copy()
        if len(made) > 1:
            maps[20 if len(made) == 2 else 0 :] = 0
        return {"audio": maps}

    monkeypatch.setattr(EvidenceMaps, "in_batches", maps_of)
    (found,) = checked(model)
    assert list(found.dead.values()) == [4, COUNT, COUNT]
    assert found.correlation["head"] == pytest.approx((1, 1, 1))
    assert found.similarity["head"] == pytest.approx((1, 1, 1))
    assert found.correlation["all weights"] is None
    assert found.similarity["all weights"] is None
    assert (found.alive, found.verdict) == (0, "not told")


@pytest.mark.parametrize(
    ("interval", "dead", "verdict"),
    [
        ((0.7, 0.51, 0.9), 0, "hardly depend"),
        ((0.7, 0.5, 0.9), 0, "not told"),
        ((0.36, 0.04, 0.79), 0, "not told"),
        ((0.3, 0.1, 0.5), 0, "depend"),
        ((0.3, 0.1, 0.5), 12, "depend"),
        ((0.3, 0.1, 0.5), 13, "not told"),
        (None, 32, "not told"),
    ],
)
def test_three_verdicts(interval, dead, verdict):
    found = Randomisation(
        modality="audio",
        recordings=32,
        stages=("all weights",),
        dead={"all weights": dead},
        correlation={"all weights": interval and Interval(*interval)},
        similarity={"all weights": None},
        between_recordings=0.2,
    )
    assert found.verdict == verdict


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
