import numpy as np
import pytest

from trainer.evaluation.label_metrics import lowest_shares
from trainer.evaluation.label_tables import alone_per_label, alone_rows, label_rows
from trainer.evaluation.label_words import CLEAR_SHARE, worst_first, worst_sentences
from trainer.evaluation.scores import average_precision


def label(average, recall, count=40, taken_for=None, worst=0.0, interval=(0.1, 0.9)):
    low, high = interval
    return {
        "precision": 1.0,
        "recall": recall,
        "f1": 0.5,
        "average_precision": average,
        "calibration_error": 0.1,
        "count": count,
        "intervals": {"average_precision": {"low": low, "high": high}},
        "taken_for": {"label": taken_for[0], "count": taken_for[1]} if taken_for else None,
        "worst_in_draws": worst,
    }


BANJO = label(0.75, 0.625, taken_for=("guitar", 9), worst=0.812, interval=(0.62, 0.861))
LABELS = {
    "cello": label(0.875, 0.9, worst=0.009),
    "banjo": BANJO,
    "flute": label(0.8, 0.9, worst=0.06),
    "guitar": label(0.9, 0.95, worst=0.125),
}


def test_the_worst_label_is_told_with_its_mistake_and_how_sure_that_is():
    first, second = worst_sentences({"per_label": LABELS})
    assert first == (
        "Worst: banjo, average precision 0.75 [0.62, 0.86]; "
        "25 of 40 recordings are recognised, 9 are taken for guitar."
    )
    assert second == (
        "It is not clearly the worst: of 1000 draws of the recordings it is so in "
        "81 %, guitar in 12 %, flute in 6 %."
    )


def test_it_is_clearly_the_worst_only_in_nearly_all_draws():
    for share, text in (
        (CLEAR_SHARE, "It is clearly the worst: so in 98 % of 1000 draws of the recordings."),
        (CLEAR_SHARE - 0.001, "It is not clearly the worst: of 1000 draws of the recordings it is so in 97 %, "),
    ):
        sentences = worst_sentences({"per_label": {**LABELS, "banjo": {**BANJO, "worst_in_draws": share}}})
        assert sentences[-1].startswith(text)


def test_of_few_recordings_no_verdict_is_given():
    per_label = {**LABELS, "banjo": label(0.75, 1.0, count=1, worst=1.0)}
    first, second = worst_sentences({"per_label": per_label})
    assert "; 1 of 1 recording is recognised." in first
    assert second == (
        "Too few recordings of it (1) to call it clearly the worst: of 1000 draws of the recordings it is so in "
        "100 %, guitar in 12 %, flute in 6 %."
    )


def test_another_label_with_the_lowest_f1_is_told():
    per_label = {**LABELS, "guitar": {**LABELS["guitar"], "f1": 0.375}}
    assert worst_sentences({"per_label": per_label})[-1] == "By F1 it would be guitar (0.38)."
    assert len(worst_sentences({"per_label": LABELS})) == 2  # all alike
    lower = {**LABELS, "banjo": {**BANJO, "f1": 0.25}}
    assert len(worst_sentences({"per_label": lower})) == 2


def test_each_modality_alone_is_told():
    alone = {
        "audio_alone": {"banjo": {**BANJO, "taken_for": {"label": "guitar", "count": 7}}},
        "visual_alone": {"banjo": label(0.3, 0.45)},
    }
    assert worst_sentences({"per_label": LABELS}, alone)[1] == (
        "Audio alone recognises 25 of 40 (7 taken for guitar), vision alone 18 of 40."
    )
    probes = {"audio_probe": alone["audio_alone"], "visual_probe": alone["visual_alone"]}
    assert worst_sentences({"per_label": LABELS}, probes)[1] == (
        "A linear probe of the audio features recognises 25 of 40 (7 taken for guitar), one of the visual "
        "features 18 of 40."
    )


def test_a_modality_that_was_measured_where_no_recording_bears_the_label_is_left_out():
    """As in files of earlier versions, which may be of two datasets."""
    unborne = {**BANJO, "recall": None, "average_precision": None, "count": 0}
    alone = {"audio_alone": {**LABELS, "banjo": unborne}, "visual_alone": {**LABELS, "banjo": unborne}}
    assert worst_sentences({"per_label": LABELS}, alone) == worst_sentences({"per_label": LABELS})
    del alone["visual_alone"]["banjo"]
    assert worst_sentences({"per_label": LABELS}, alone) == worst_sentences({"per_label": LABELS})


def test_where_all_are_alike_none_is_the_worst():
    (sentence,) = worst_sentences({"per_label": {"a": label(1.0, 1.0), "b": label(1.0, 0.5)}})
    assert sentence == "No label is recognised worse than another: the average precision of each is 1.00."
    assert worst_sentences({"per_label": {"a": label(1.0, 1.0), "b": label(None, None, count=0)}}) == []


def test_metrics_of_an_older_version_are_shown_without_what_they_lack():
    new = ("intervals", "taken_for", "worst_in_draws")
    older = {
        name: {key: value for key, value in values.items() if key not in new} for name, values in LABELS.items()
    }
    assert worst_sentences({"per_label": older}) == []
    (alone,) = worst_sentences({"per_label": LABELS}, {"audio_alone": older, "visual_alone": older})[1:2]
    assert alone == "Audio alone recognises 25 of 40, vision alone 25 of 40."
    head, rows = label_rows({"per_label": older}, multi_label=False)
    assert rows[0] == ["banjo", "40", "1.000", "0.625", "0.500", "0.750", "0.100", "-"]
    assert len(head) == 8


def test_labels_stand_worst_first_and_those_without_an_example_last():
    assert worst_first({"x": label(None, None, count=0), **LABELS}) == ["banjo", "flute", "cello", "guitar", "x"]


def test_what_stands_alone_is_the_audits_else_the_stages():
    per_label = {"banjo": BANJO}
    stages = {modality: {"per_label": per_label} for modality in ("audio", "visual")}
    audit = {
        "single": {"audio": "audio_probe", "visual": "visual_probe"},
        "per_label": {"fused": per_label, "audio_probe": per_label, "visual_probe": per_label},
    }
    assert list(alone_per_label(audit, stages)) == ["audio_probe", "visual_probe"]
    # An audit of an older version, none, and one that knows no modality alone.
    for other in ({"single": audit["single"]}, None, {**audit, "single": {}}):
        assert list(alone_per_label(other, stages)) == ["audio_alone", "visual_alone"]
        assert alone_per_label(other, {"audio": stages["audio"]}) == {}


@pytest.mark.parametrize(("multi_label", "taken_for"), [(False, ["guitar 9"]), (True, [])])
def test_each_modality_has_its_columns(multi_label, taken_for):
    alone = {system: {"banjo": BANJO} for system in ("audio_alone", "visual_alone")}
    head, (row,) = alone_rows({"per_label": {"banjo": BANJO}}, alone, multi_label=multi_label)
    assert row == ["banjo", *["0.625", "0.750", *taken_for] * 2]
    assert head[1] == "audio alone: recall"
    assert len(head) == len(row)


def test_of_equally_hard_labels_one_is_seldom_called_clearly_the_worst():
    # Sound and label of 3 labels with 20 recordings each, all as hard: whoever comes out worst does so by chance.
    generator = np.random.default_rng(0)
    labels, clear, tries = np.eye(3)[np.arange(60) % 3], 0, 40
    for _ in range(tries):
        evidence = np.exp(1.5 * (generator.normal(size=labels.shape) + 1.5 * labels))
        draws = generator.multinomial(60, np.full(60, 1 / 60), size=200).astype(float)
        averages = average_precision(labels, evidence / evidence.sum(axis=1, keepdims=True), draws)
        clear += lowest_shares(averages).max() >= CLEAR_SHARE
    # At most 1 % was measured over 150; 5 of 40 have a chance of 5 % at 5 %.
    assert clear <= 4
