import time

import numpy as np

from trainer.metrics import compute_metrics, confusion
from trainer.predictions import Predictions


def predictions(video_ids, labels, probabilities):
    count = len(video_ids)
    return Predictions(
        video_ids=np.array(video_ids),
        segment_index=np.arange(count),
        start_seconds=np.arange(count, dtype=np.float32),
        labels=np.array(labels, np.float32),
        probabilities=np.array(probabilities, np.float32),
    )


def random_predictions(recordings, segments, labels, seed=0):
    generator = np.random.default_rng(seed)
    truth = np.eye(labels)[generator.integers(0, labels, recordings)].repeat(segments, axis=0)
    ids = [f"video {recording}" for recording in range(recordings) for _ in range(segments)]
    return predictions(ids, truth, generator.dirichlet(np.ones(labels), len(ids)))


def test_a_recordings_probabilities_are_the_mean_over_its_segments():
    rows = predictions(
        ["b", "a", "b", "b"], [[0, 1], [1, 0], [0, 1], [0, 1]], [[0.9, 0.1], [0.5, 0.5], [0.3, 0.7], [0, 1]]
    ).by_recording()
    assert rows.video_ids.tolist() == ["b", "a"]
    np.testing.assert_allclose(rows.probabilities, [[0.4, 0.6], [0.5, 0.5]], rtol=1e-6)  # float32
    assert rows.labels.tolist() == [[0, 1], [1, 0]]
    assert rows.start_seconds.tolist() == [0, 1]


def test_confusion_has_true_labels_in_rows():
    found = confusion(np.eye(3)[[0, 0, 2]], np.array([[0.6, 0.4, 0], [0.1, 0.9, 0], [0, 0, 1]]))
    assert found.tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]
    two_labels = confusion(np.array([[1.0, 1.0, 0.0]]), np.array([[0.2, 0.8, 0.1]]))
    assert two_labels.tolist() == [[0, 1, 0], [0, 1, 0], [0, 0, 0]]


def test_a_label_without_an_example_is_named_null():
    rows = predictions(["a", "b"], [[1, 0, 0], [0, 1, 0]], [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1]])
    found = compute_metrics(rows, ["cello", "drum", "flute"], multi_label=False)
    assert found["per_label"]["flute"] == {
        "precision": None,
        "recall": None,
        "f1": None,
        "average_precision": None,
        "count": 0,
    }
    assert found["per_label"]["cello"]["f1"] == 1.0
    assert found["f1_macro"]["value"] == found["map"]["value"] == 1.0
    assert found["count"] == 2


def test_intervals_come_of_recordings_not_of_segments():
    # 40 recordings of 25 segments, all segments of a recording right or wrong together: half of them right.
    right = np.repeat(np.arange(40) % 2 == 0, 25)
    probabilities = np.where(right[:, None], [[0.9, 0.1]], [[0.1, 0.9]])
    ids = [f"v{recording}" for recording in range(40) for _ in range(25)]
    by_segment = compute_metrics(
        predictions(ids, np.tile([1.0, 0.0], (1000, 1)), probabilities), ["a", "b"], multi_label=False
    )["hit_at_1"]
    assert by_segment["value"] == 0.5
    # Binomial, 40 draws: 0.5 +- 1.96 sqrt(0.25 / 40) = 0.345 to 0.655. Bootstrap noise: about 0.015.
    assert abs(by_segment["low"] - 0.345) < 0.04
    assert abs(by_segment["high"] - 0.655) < 0.04


def test_the_bootstrap_is_seeded():
    rows = random_predictions(30, 2, 3)
    first = compute_metrics(rows, ["a", "b", "c"], multi_label=False)
    assert compute_metrics(rows, ["a", "b", "c"], multi_label=False) == first
    assert compute_metrics(rows, ["a", "b", "c"], multi_label=False, seed=1) != first


def test_500_recordings_of_10_labels_take_seconds():
    start = time.process_time()
    compute_metrics(random_predictions(500, 3, 10), [str(label) for label in range(10)], multi_label=False)
    assert time.process_time() - start < 8  # 1.5 s measured


def test_several_labels_a_recording_make_sense():
    rows = predictions(["a", "b"], [[1, 1, 0], [0, 1, 1]], [[0.9, 0.8, 0.1], [0.6, 0.9, 0.4]])
    found = compute_metrics(rows, ["x", "y", "z"], multi_label=True)
    assert found["hit_at_1"]["value"] == 1.0
    assert found["per_label"]["z"]["recall"] == 0.0  # 0.4 is under one half
    assert found["per_label"]["x"]["precision"] == 0.5
