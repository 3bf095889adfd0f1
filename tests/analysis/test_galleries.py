import dataclasses

import numpy as np
import pytest
from toy_models import batch_of, toy_model

from analysis.features import Features
from analysis.galleries import choose_segments, make_exhibits
from analysis.maps.gradcam import EvidenceMaps
from analysis.maps.receptive_field import cell_centres

NAMES = ("flute", "cello", "piano")


def features_of(ids, probabilities, labels, segment_index=None):
    n = len(ids)
    return Features(
        label_names=NAMES,
        multi_label=False,
        video_id=np.array(ids),
        segment_index=np.full(n, -1) if segment_index is None else np.array(segment_index),
        labels=np.array(labels, dtype=bool),
        logits=np.zeros((n, 3), np.float32),
        probabilities=np.array(probabilities, np.float32),
        audio=np.zeros((n, 2), np.float32),
        visual=None,
    )


def chosen_ids(choices, group):
    return [choice.video_id for choice in choices if (choice.label_index, choice.group) == (0, group)]


def test_groups_are_correct_wrong_and_least_certain_recordings():
    # Flutes; "c" and "f" are taken for cellos, "g" for a piano. "e" and "c" are the ones in doubt.
    certainty = {"a": 0.99, "b": 0.9, "c": 0.48, "d": 0.7, "e": 0.51, "f": 0.1}
    values = [[p, 1 - p, 0] for p in certainty.values()] + [[0.2, 0.1, 0.7]]
    ids = [*certainty, "g"]
    recordings = features_of(ids, values, [[1, 0, 0]] * 7)
    segments = features_of(ids * 3, values * 3, [[1, 0, 0]] * 21, [4] * 7 + [2] * 7 + [9] * 7)
    choices = choose_segments(segments, recordings, 3)
    assert chosen_ids(choices, "correct") == ["a", "d", "e"]  # of a, b, d, e: spread from first to last
    assert chosen_ids(choices, "wrong") == ["c", "g", "f"]  # by the flute's probability
    assert chosen_ids(choices, "least_certain") == ["e", "c", "d"]
    assert {choice.segment_index for choice in choices} == {4}  # the middle of 2, 4, 9
    explained = {choice.video_id: choice.explained for choice in choices}
    assert explained["a"] == (0,)
    assert explained["c"] == (0, 1)
    assert explained["g"] == (0, 2)
    assert [choice.predicted for choice in choices if choice.group == "wrong"] == [
        ("cello",),
        ("piano",),
        ("cello",),
    ]
    assert choose_segments(segments, recordings, 0) == []
    asked = choose_segments(segments, recordings, 3, explained_label=2)
    assert {choice.explained for choice in asked} == {(2,)}


def test_where_recordings_bear_several_labels_doubt_is_a_probability_near_a_half():
    # "b" bears both and lacks the flute: what else was predicted is true, so nothing was taken for the flute.
    values = [[0.9, 0.1, 0.0], [0.4, 0.8, 0.0], [0.1, 0.7, 0.6]]
    labels = [[1, 0, 0], [1, 1, 0], [1, 0, 0]]
    recordings = dataclasses.replace(features_of(list("abc"), values, labels), multi_label=True)
    segments = dataclasses.replace(recordings, segment_index=np.zeros(3, int))
    choices = [choice for choice in choose_segments(segments, recordings, 1) if choice.label_index == 0]
    assert chosen_ids(choices, "least_certain") == ["b"]
    assert chosen_ids(choices, "correct") == ["a"]
    explained = {choice.video_id: choice.explained for choice in choose_segments(segments, recordings, 2)}
    assert explained["b"] == (1,)  # its last one, as a cello
    wrong = [choice for choice in choose_segments(segments, recordings, 2) if choice.group == "wrong"]
    assert {choice.video_id: choice.explained for choice in wrong} == {"b": (0,), "c": (0, 1)}


def test_finds_the_very_segment_in_any_batch():
    evidence_maps = EvidenceMaps(toy_model())
    batches = [batch_of(["a", "b"], [(0,), (1,)], seed=seed) for seed in range(2)]
    batches[1]["segment_index"] = np.array([5, 6])
    recordings = features_of(["a", "b"], [[1, 0, 0], [1, 0, 0]], [[1, 0, 0], [0, 1, 0]])
    segments = features_of(["b", "a"], [[0, 0, 1]] * 2, [[0, 1, 0], [1, 0, 0]], [6, 0])
    choices = choose_segments(segments, recordings, 1)
    assert [choice.group for choice in choices] == ["correct", "least_certain", "wrong", "least_certain"]
    exhibits = make_exhibits(evidence_maps, batches, choices, batch_size=8)
    np.testing.assert_array_equal(exhibits[0].inputs["frame"], batches[0]["frame"][0])
    np.testing.assert_array_equal(exhibits[2].inputs["log_mel"], batches[1]["log_mel"][1])
    assert exhibits[2].start_seconds == 1.0
    # The wrong one has the true label's map and the predicted one's, each computed for its own label.
    assert [evidence.label_index for evidence in exhibits[2].explained] == [1, 0]
    example = {name: batches[1][name][1:] for name in ("log_mel", "frame")}
    for evidence in exhibits[2].explained:
        raw = evidence_maps(example, np.array([evidence.label_index]))["visual"]
        assert evidence.maps["visual"].max() == (1 if raw.any() else 0)
        peak = np.unravel_index(raw[0].argmax(), raw[0].shape)
        centres = cell_centres(evidence_maps.model, "visual_map")
        assert evidence.maps["visual"][round(centres[0][peak[0]]), round(centres[1][peak[1]])] > 0.8 * raw.any()
    with pytest.raises(ValueError, match="not in the split"):
        make_exhibits(evidence_maps, batches[:1], choices, batch_size=8)
