import numpy as np
import pytest
from planted_models import MEAN_DB, planted_batch, planted_model
from scipy.stats import kstest

from analysis.features import model_inputs
from analysis.maps.faithfulness import BranchScorer, faithfulness, removal_ranks
from analysis.maps.gradcam import INPUT_OF, MAP_OF, EvidenceMaps
from analysis.maps.receptive_field import cell_centres
from analysis.maps.trust_words import judged

COUNT = 24


@pytest.fixture(scope="module")
def planted():
    model, batch = planted_model(), planted_batch(COUNT)
    return model, batch, EvidenceMaps(model)(batch, np.zeros(COUNT, int))


def measured(planted, modality, maps, seed=0):
    model, batch, _ = planted
    scorer = BranchScorer(model, modality, batch_size=8)
    others = scorer.others(model_inputs(model, batch))
    labels = np.zeros(COUNT, int)
    centres = cell_centres(model, MAP_OF[modality])
    found = faithfulness(scorer, modality, batch[INPUT_OF[modality]], others, labels, maps, centres, MEAN_DB, seed)
    return {one.measure: one for one in found}


@pytest.mark.parametrize("modality", ["audio", "visual"])
def test_maps_of_planted_evidence_beat_random_maps_in_every_measure(planted, modality):
    found = measured(planted, modality, planted[2][modality])
    for measure, one in found.items():
        assert judged(one.gain["random_map"], COUNT) == "beat", measure
        assert one.recordings == COUNT
        sign = 1 if measure == "insertion" else -1
        difference = sign * (one.areas["map"] - one.areas["random_map"])
        assert one.gain["random_map"].value == pytest.approx(difference)


@pytest.mark.parametrize("modality", ["audio", "visual"])
def test_maps_of_noise_are_not_told_from_random_maps(planted, modality):
    # 95 % intervals: of the six, one may miss 0 by chance; the draws of this seed do not.
    noise = np.random.default_rng(7).random(planted[2][modality].shape)
    verdicts = [judged(one.gain["random_map"], COUNT) for one in measured(planted, modality, noise).values()]
    assert verdicts == ["equal"] * 3


def test_a_map_of_all_but_the_evidence_is_worse_than_random(planted):
    inverse = (planted[2]["audio"] == 0).astype(float)
    found = measured(planted, "audio", inverse)
    assert judged(found["deletion"].gain["random_map"], COUNT) == "lose to"
    assert judged(found["insertion"].gain["random_map"], COUNT) == "lose to"


def test_curves_begin_and_end_with_the_whole_and_the_emptied_input(planted):
    model, batch, maps = planted
    found = measured(planted, "audio", maps["audio"])
    whole = np.asarray(model(batch, training=False))[:, 0].mean()
    empty = {**batch, "log_mel": np.full_like(batch["log_mel"], MEAN_DB)}
    emptied = np.asarray(model(empty, training=False))[:, 0].mean()
    for name in ("map", "random_map", "random_pixels"):
        assert found["deletion"].curves[name][[0, -1]] == pytest.approx([whole, emptied], abs=1e-6)  # float32
        assert found["insertion"].curves[name][[0, -1]] == pytest.approx([emptied, whole], abs=1e-6)
        assert found["road"].curves[name][0] == pytest.approx(whole, abs=1e-6)
    assert found["deletion"].fractions[-1] == 1
    assert found["road"].fractions[-1] == 0.9


def test_areas_are_those_of_the_curves(planted):
    one = measured(planted, "audio", planted[2]["audio"])["road"]
    by_hand = sum(
        (right - left) * (one.curves["map"][i] + one.curves["map"][i + 1]) / 2
        for i, (left, right) in enumerate(zip(one.fractions, one.fractions[1:], strict=False))
    )
    assert one.areas["map"] == pytest.approx(by_hand / 0.9)


def test_the_other_modality_stays_as_it_is(planted):
    model, batch, _ = planted
    scorer = BranchScorer(model, "visual", batch_size=5)
    others = scorer.others(model_inputs(model, batch))
    labels = np.arange(COUNT) % 2
    found = scorer.probabilities(batch["frame"], others, labels)
    expected = np.asarray(model(batch, training=False))[np.arange(COUNT), labels]
    np.testing.assert_allclose(found, expected, atol=1e-6)  # float32


def test_the_highest_values_come_first_and_chance_decides_ties():
    generator = np.random.default_rng(0)
    ranks = removal_ranks(np.array([[[0.1, 0.9], [0.5, 0.2]]]), generator)
    assert ranks.tolist() == [[[0.75, 0.0], [0.25, 0.5]]]
    ties = removal_ranks(np.zeros((400, 5, 5)), generator)[:, 0, 0]
    assert kstest(ties, "uniform").pvalue > 0.01
