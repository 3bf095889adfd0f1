import numpy as np
import pytest
from toy_models import batch_of, toy_model

from analysis.features import Features
from analysis.galleries import choose_segments, make_exhibits

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


def test_shows_the_middle_segment_from_most_to_least_certain():
    certainty = [0.2, 0.9, 0.5, 0.7, 0.1]
    recordings = features_of(list("abcde"), [[p, 1 - p, 0] for p in certainty], [[1, 0, 0]] * 5)
    segments = features_of(list("abcde") * 3, [[0.5, 0.5, 0]] * 15, [[1, 0, 0]] * 15, [4] * 5 + [2] * 5 + [9] * 5)
    choices = choose_segments(segments, recordings, 3)
    assert [choice.video_id for choice in choices] == ["b", "c", "e"]
    assert [choice.segment_index for choice in choices] == [4, 4, 4]
    assert [choice.predicted for choice in choices] == [("flute",), ("flute",), ("cello",)]
    assert [choice.video_id for choice in choose_segments(segments, recordings, 9)] == list("bdcae")
    assert choose_segments(segments, recordings, 0) == []


def test_finds_the_very_segment_in_any_batch():
    model = toy_model()
    batches = [batch_of(["a", "b"], [(0,), (1,)], seed=seed) for seed in range(2)]
    batches[1]["segment_index"] = np.array([5, 6])
    recordings = features_of(["a", "b"], [[1, 0, 0], [0, 1, 0]], [[1, 0, 0], [0, 1, 0]])
    segments = features_of(["b", "a"], [[0, 0, 1]] * 2, [[0, 1, 0], [1, 0, 0]], [6, 0])
    exhibits = make_exhibits(model, batches, choose_segments(segments, recordings, 1), batch_size=8)
    np.testing.assert_array_equal(exhibits[0].inputs["frame"], batches[0]["frame"][0])
    np.testing.assert_array_equal(exhibits[1].inputs["log_mel"], batches[1]["log_mel"][1])
    assert exhibits[1].start_seconds == 1.0
    with pytest.raises(ValueError, match="not in the split"):
        make_exhibits(model, batches[:1], choose_segments(segments, recordings, 1), batch_size=8)
