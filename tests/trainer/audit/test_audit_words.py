import dataclasses

import pytest

from trainer.audit.measures import Difference, Interval
from trainer.audit.report import audit_markdown
from trainer.audit.result import SYSTEMS, Audit
from trainer.audit.words import audit_verdict

STAGES = {"audio": "audio_alone", "visual": "visual_alone"}
MORE, LESS = Difference(0.2, 0.1, 0.3, 0.001), Difference(-0.2, -0.3, -0.1, 0.001)
NONE, UNKNOWN = Difference(0.0, -0.04, 0.04, 1.0), Difference(0.03, -0.04, 0.10, 0.5)
DIFFERENCES = {
    "audio_minus_visual": MORE,
    "fused_minus_better": MORE,
    "fused_minus_product": MORE,
    "audio_minus_chance": MORE,
    "visual_minus_chance": MORE,
    "fused_minus_chance": MORE,
}
AUDIT = Audit(
    scheme="independent",
    split="test",
    metric="hit_at_1",
    recordings=100,
    stages_from="run",
    scores={
        **dict.fromkeys(SYSTEMS, Interval(0.5, 0.4, 0.6)),
        "audio_alone": Interval(0.7, 0.6, 0.8),
        "fused": Interval(0.9, 0.8, 1.0),
        "chance": Interval(0.25, 0.2, 0.3),
    },
    absent={},
    single=STAGES,
    better="audio",
    differences=DIFFERENCES,
    gains=("a", "b"),
    losses=("c",),
    alone_right={
        "both": {"recordings": 40, "fused": 40},
        "audio": {"recordings": 30, "fused": 25},
        "visual": {"recordings": 20, "fused": 18},
        "neither": {"recordings": 10, "fused": 7},
    },
    mcnemar_p=1.0,
    swapped_recordings=100,
    follows={
        "audio": Interval(0.6, 0.5, 0.7),
        "visual": Interval(0.3, 0.2, 0.4),
        "neither": Interval(0.1, 0, 0.2),
    },
    probe_c={},
)
AUDIT_IN_MAP = dataclasses.replace(AUDIT, metric="map")
WITHOUT_ONE = (
    "With one modality blanked the fused model is left with Hit@1 0.500 without audio and 0.500 without vision."
)


def with_differences(audit=AUDIT, **changes):
    return dataclasses.replace(audit, differences={**audit.differences, **changes})


@pytest.mark.parametrize(
    ("low", "high", "p_value", "recordings", "expected"),
    [
        (0.001, 0.2, 0.05, 20, "more"),
        (-0.2, -0.001, 0.05, 20, "less"),
        (0.001, 0.2, None, 20, "more"),  # mean average precision has no exact test
        (0.001, 0.2, 0.125, 100, "unknown"),  # 4 gains, no loss
        (0.0, 0.2, 0.5, 100, "unknown"),
        (-0.049, 0.049, 1.0, 60, "none"),
        (0.0, 0.0, 1.0, 59, "unknown"),  # 3 of 59 are more than 0.05
        (-0.05, 0.01, 1.0, 100, "unknown"),
        (0.5, 0.9, 0.001, 19, "unknown"),
    ],
)
def test_judges_by_interval_and_exact_test(low, high, p_value, recordings, expected):
    audit = dataclasses.replace(with_differences(x=Difference(0, low, high, p_value)), recordings=recordings)
    assert audit.judge("x") == expected


def test_an_exact_test_that_contradicts_the_interval_is_told():
    (told,) = (
        line
        for line in audit_verdict(with_differences(fused_minus_product=LESS._replace(p_value=0.0625)))
        if "product" in line
    )
    assert told.startswith("Too few recordings to tell")
    assert told.endswith("-0.200 (-0.300 to -0.100; exact p = 0.062).")
    (told,) = (line for line in audit_verdict(with_differences(fused_minus_product=UNKNOWN)) if "product" in line)
    assert "exact" not in told  # the interval says it by itself


def test_what_was_not_measured_is_unknown():
    assert AUDIT.judge("not_measured") == "unknown"


def test_all_of_it_in_words():
    assert audit_verdict(AUDIT) == [
        "Audio leads by +0.200 (+0.100 to +0.300): audio alone reaches Hit@1 0.700 (0.600 to 0.800), vision alone "
        "0.500 (0.400 to 0.600); chance is 0.250.",
        "Fusion helps against audio alone: the fused model reaches 0.900 (0.800 to 1.000), a difference of +0.200 "
        "(+0.100 to +0.300). It gains 2 recordings and loses 1 recording (exact McNemar p = 1).",
        "It beats the plain product of the two models' probabilities, which reaches 0.500 (0.400 to 0.600): "
        "+0.200 (+0.100 to +0.300).",
        "Audio or vision alone is right on 90 of 100 recordings (0.900: the most that choosing between the two "
        "could reach). Where only one of them is right (50) the fused model is right on 43, where neither is (10) "
        "on 7.",
        WITHOUT_ONE,
        "Where audio and vision come of recordings with different labels it follows audio in 60 %, vision in 30 % "
        "and neither in 10 %.",
    ]


@pytest.mark.parametrize(
    ("changes", "opening"),
    [
        ({"visual_minus_chance": UNKNOWN}, "Only audio carries the label, as far as 100 recordings tell: audio"),
        ({"audio_minus_visual": NONE}, "Neither modality leads: "),
        ({"audio_minus_visual": UNKNOWN}, "Too few recordings to tell which modality leads: "),
        (
            {"audio_minus_chance": UNKNOWN, "visual_minus_chance": UNKNOWN},
            "Only audio and vision together decide: fused they reach 0.900 (0.800 to 1.000), but audio alone",
        ),
        (
            {"audio_minus_chance": UNKNOWN, "visual_minus_chance": NONE, "fused_minus_better": UNKNOWN},
            "Neither modality alone is told from chance: ",
        ),
    ],
)
def test_who_leads(changes, opening):
    assert audit_verdict(with_differences(**changes))[0].startswith(opening)


def test_vision_may_lead_too():
    audit = dataclasses.replace(
        with_differences(audio_minus_visual=LESS),
        better="visual",
        scores={**AUDIT.scores, "visual_alone": Interval(0.8, 0.7, 0.9)},
    )
    assert audit_verdict(audit)[0].startswith(
        "Vision leads by +0.200 (+0.100 to +0.300): vision alone reaches Hit@1 0.800"
    )


@pytest.mark.parametrize(
    ("difference", "fusion", "product"),
    [
        (
            LESS,
            "Fusion harms: it is worse than audio alone",
            "The plain product of the two models' probabilities does",
        ),
        (NONE, "Fusion makes no difference of 0.05 or more against audio alone", "It is within 0.05 of the plain"),
        (
            UNKNOWN,
            "Too few recordings to tell whether fusion helps against audio",
            "Too few recordings to tell it from",
        ),
    ],
)
def test_whether_fusion_helps(difference, fusion, product):
    found = audit_verdict(with_differences(fused_minus_better=difference, fused_minus_product=difference))
    assert found[1].startswith(fusion)
    assert found[2].startswith(product)


def test_a_handful_of_recordings_tells_nothing():
    text = " ".join(audit_verdict(dataclasses.replace(AUDIT, recordings=12)))
    assert text.startswith("Too few recordings (12) to tell which modality leads: audio alone reaches Hit@1 0.700")
    assert "Too few recordings to tell whether fusion helps" in text
    assert "With fewer than 20 recordings no interval can be relied on." in text


def test_what_joint_training_did_to_the_encoders():
    joint = dataclasses.replace(AUDIT, scheme="joint", absent={"audio_stage_probe": "give --stages_from=RUN"})
    assert "is not known: give --stages_from=RUN." in " ".join(audit_verdict(joint))
    told = with_differences(joint, audio_probe_minus_stage_probe=NONE, visual_probe_minus_stage_probe=LESS)
    assert audit_verdict(told)[-1] == (
        "Joint training against training alone, by linear probes in Hit@1; audio encoder: as good, +0.000 "
        "(-0.040 to +0.040); visual encoder: weaker, -0.200 (-0.300 to -0.100)."
    )
    assert not any("joint" in sentence.lower() for sentence in audit_verdict(AUDIT))


def test_what_to_keep_in_mind():
    probes = {"audio": "audio_probe", "visual": "visual_probe"}
    found = audit_verdict(dataclasses.replace(AUDIT, split="train", single=probes))[-1]
    assert "was trained on the train split" in found
    assert "by a linear probe" in found
    chosen_on = dataclasses.replace(AUDIT, split="validation")
    assert "was chosen on the validation split" in audit_verdict(chosen_on)[-1]


def test_with_neither_stages_nor_probes_it_says_so():
    kept = {"fused_minus_chance": MORE}
    audit = dataclasses.replace(
        AUDIT, single={}, better=None, differences=kept, gains=(), losses=(), alone_right={}, mcnemar_p=None
    )
    scores = {name: score for name, score in AUDIT.scores.items() if name != "product"}
    found = audit_verdict(dataclasses.replace(audit, scores=scores, follows={}))
    assert found == [
        "Which modality leads cannot be told: there are neither stages nor probes to ask.",
        WITHOUT_ONE,
    ]


def test_swaps_that_could_be_made_for_some_recordings_only_say_for_how_many():
    found = " ".join(audit_verdict(dataclasses.replace(AUDIT, swapped_recordings=4)))
    assert "recordings with different labels (4 of 100) it follows audio in 60 %" in found


def test_where_the_score_is_average_precision_what_is_counted_in_hit_at_1_is_called_that():
    found = audit_verdict(AUDIT_IN_MAP)
    assert "audio alone reaches mAP 0.700" in found[0]
    assert found[1].endswith(
        "a difference of +0.200 (+0.100 to +0.300). In Hit@1 it gains 2 recordings, where its most probable label "
        "is a true one and that of audio alone is not, and loses 1 recording (exact McNemar p = 1)."
    )
    assert found[3] == (
        "By audio or vision alone the most probable label is a true one on 90 of 100 recordings (Hit@1 0.900: the "
        "most that choosing between the two could reach). Where that is so by only one of them (50) the fused "
        "model's is a true one on 43, where by neither (10) on 7."
    )
    assert "right on" not in " ".join(found)
    assert "Against audio alone fusion gains in Hit@1: `a`, `b`" in audit_markdown(AUDIT_IN_MAP)
    assert "Against audio alone fusion gains: `a`, `b`" in audit_markdown(AUDIT)
