import dataclasses
import json
import math

import numpy as np
import pytest

from analysis.maps.evidence import Evidence
from analysis.maps.faithfulness import MEASURES, Faithfulness
from analysis.maps.randomisation import Randomisation
from analysis.maps.trust import Trust, trust_json
from analysis.maps.trust_figures import faithfulness_figure, randomisation_figure
from analysis.maps.trust_words import judged, reference_sentence, trust_sentences
from analysis.report.evidence import evidence_section
from trainer.audit.measures import Interval

BETTER, SAME, WORSE = Interval(0.1, 0.05, 0.15), Interval(-0.004, -0.051, 0.04), Interval(-0.1, -0.15, -0.05)


def measured(gains, recordings=32):
    """Of the audio maps; a pair of gains, over random maps and over random pixels, for each measure."""
    rankings = ("map", "random_map", "random_pixels")
    return tuple(
        Faithfulness(
            modality="audio",
            measure=measure,
            recordings=recordings,
            fractions=(0.0, 1.0),
            curves={name: np.array([0.9, 0.2]) for name in rankings},
            areas=dict.fromkeys(rankings, 0.55),
            gain=dict(zip(rankings[1:], pair, strict=True)),
        )
        for measure, pair in zip(MEASURES, gains, strict=True)
    )


def shuffled(interval, dead=0, recordings=32):
    return Randomisation(
        modality="audio",
        recordings=recordings,
        stages=("head", "all weights"),
        dead={"head": 0, "all weights": dead},
        correlation={"head": BETTER, "all weights": interval},
        similarity={"head": BETTER, "all weights": interval},
        between_recordings=0.42,
    )


def trust_of(gains=((BETTER, BETTER),) * 3, recordings=32, randomised=()):
    return Trust(
        recordings=recordings,
        dead={"audio": 0},
        faithfulness=measured(gains, recordings),
        randomisation=randomised,
        difference_to_tf_keras_vis=None,
        precision="float32",
    )


def section_of(trust):
    return evidence_section(Evidence(maps=None, dead=(), means=(), regions=(), trust=trust), {})


@pytest.mark.parametrize(
    ("gain", "recordings", "verdict"),
    [(BETTER, 20, "beat"), (BETTER, 19, "few"), (SAME, 20, "equal"), (WORSE, 20, "lose to"), (WORSE, 2, "few")],
)
def test_a_verdict_needs_20_recordings(gain, recordings, verdict):
    assert judged(gain, recordings) == verdict


def test_both_baselines_are_in_the_verdict():
    (words,) = trust_sentences(trust_of([(BETTER, SAME), (BETTER, BETTER), (SAME, WORSE)]))
    assert words.startswith(
        "The audio maps show what matters to the network only in part: they beat random maps but "
        "are not told from random pixels in deletion; they beat random maps and random pixels in insertion; they "
        "are not told from random maps but are worse than random pixels in ROAD. Gains over 32 recordings: "
        "deletion "
    )
    assert "-0.004 [-0.051, +0.040] over random pixels" in words


def test_the_verdict_on_the_maps_comes_first():
    (words,) = trust_sentences(trust_of([(BETTER, BETTER)] * 3))
    each = "+0.100 [+0.050, +0.150] over random maps, +0.100 [+0.050, +0.150] over random pixels"
    assert words == (
        "The audio maps show what matters to the network: they beat random maps and random pixels in deletion, "
        f"insertion and ROAD. Gains over 32 recordings: deletion {each}; insertion {each}; ROAD {each}."
    )
    (words,) = trust_sentences(trust_of([(BETTER, SAME)] * 3))
    assert words.startswith(
        "The audio maps show what matters to the network only in part: they beat random maps but "
    )
    (words,) = trust_sentences(trust_of([(SAME, BETTER), (SAME, BETTER), (WORSE, BETTER)]))
    assert words.startswith(
        "The audio maps are not shown to be better than chance: they are not told from random "
    )


def test_of_few_recordings_there_are_values_and_no_verdict():
    trust = trust_of(recordings=19, randomised=(shuffled(SAME, recordings=19),))
    against_random, against_shuffled = trust_sentences(trust)
    assert against_random == (
        "There are too few recordings (19) to tell whether the audio maps beat random maps and random pixels."
    )
    assert against_shuffled == (
        "There are too few recordings (19) to tell whether the audio maps depend on what was learned."
    )
    found = json.loads(json.dumps(trust_json(trust)))
    assert found["faithfulness"][0]["gain"]["random_map"] == {"value": 0.1, "low": 0.05, "high": 0.15}
    assert found["randomisation"][0]["correlation"]["all weights"]["value"] == -0.004


@pytest.mark.parametrize(
    ("interval", "dead", "words"),
    [
        (Interval(0.3, 0.1, 0.5), 0, "The audio maps depend on what was learned: "),
        (Interval(0.7, 0.6, 0.8), 0, "The audio maps hardly depend on what was learned: "),
        (
            Interval(0.36, 0.04, 0.79),
            0,
            "It is not told whether the audio maps depend on what was learned: with shuffled weights "
            "(all weights) the rank correlation with the maps before is 0.36 [0.04, 0.79], on both sides of 0.5. ",
        ),
        (Interval(0.3, 0.1, 0.4), 10, "not above 0.5, over 22 recordings; on 10 more the shuffled network gives "),
        (Interval(0.3, 0.1, 0.4), 13, "the network gives no map on 13 of 32 recordings."),
        (None, 32, "the network gives no map on 32 of 32 recordings."),
    ],
)
def test_words_of_shuffled_weights(interval, dead, words):
    assert words in trust_sentences(trust_of(randomised=(shuffled(interval, dead),)))[1]


def test_dead_maps_after_shuffling_are_in_the_file_and_the_figure():
    trust = trust_of(randomised=(shuffled(None, 32),))
    (found,) = json.loads(json.dumps(trust_json(trust), allow_nan=False))["randomisation"]
    assert found["dead"] == {"head": 0, "all weights": 32}
    assert found["correlation"]["all weights"] is None
    (axes,) = randomisation_figure(trust.randomisation).axes
    head, everything = [tick.get_text() for tick in axes.get_xticklabels()]
    assert (head, everything) == ("head", "all weights\naudio: 32 of 32 dead")


def test_the_curves_are_titled_by_both_baselines():
    grid = faithfulness_figure(measured([(BETTER, SAME), (BETTER, BETTER), (WORSE, SAME)])).axes
    assert grid[0].texts[0].get_text() == (
        "over random maps +0.100 [+0.050, +0.150]: better\nover random pixels -0.004 [-0.051, +0.040]: not told"
    )
    few = faithfulness_figure(measured([(BETTER, BETTER)] * 3, recordings=4)).axes
    assert few[0].texts[0].get_text().count("few recordings") == 2


def test_the_reports_table_has_both_gains_and_no_verdict_of_few():
    report = section_of(trust_of([(BETTER, SAME)] * 3))
    assert "<td>+0.100 <small>[+0.050, +0.150] better</small></td>" in report
    assert "<td>-0.004 <small>[-0.051, +0.040] not told apart</small></td>" in report
    few = section_of(trust_of(recordings=4))
    assert few.count("] too few recordings (4) to tell</small>") == 2 * len(MEASURES)
    assert "better" not in few


@pytest.mark.parametrize(
    ("difference", "precision", "words"),
    [
        (9e-08, "float32", "tf-keras-vis makes the same maps"),
        (9e-08, "bfloat16", "tf-keras-vis makes the same maps"),
        (0.084, "bfloat16", "within 0.084 of the largest value, as far as bfloat16 arithmetic goes."),
        (
            0.084,
            "float32",
            "Warning: on some of these segments the maps differ from those of tf-keras-vis by 0.084",
        ),
        (0.5, "bfloat16", "Warning: on some of these segments the maps differ"),
    ],
)
def test_how_far_the_maps_are_from_tf_keras_vis(difference, precision, words):
    trust = dataclasses.replace(trust_of(), difference_to_tf_keras_vis=difference, precision=precision)
    assert words in reference_sentence(trust)
    assert reference_sentence(trust) in section_of(trust)
    assert reference_sentence(trust_of()) == ""


def test_a_bootstrap_of_few_finds_what_is_not_there():
    # Why 20: of so many drawn by chance, the interval of a mean that is 0 leaves out 0 how often?
    from trainer.audit.measures import share

    def wrong(recordings):
        generator = np.random.default_rng(0)
        found = [share(generator.standard_normal(recordings)) for _ in range(100)]
        return sum(one.low > 0 or one.high < 0 for one in found) / 100

    three_deviations = 3 * math.sqrt(0.08 * 0.92 / 100)
    assert wrong(2) > 0.3
    assert wrong(20) < 0.08 + three_deviations
