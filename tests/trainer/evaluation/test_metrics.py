import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, multilabel_confusion_matrix

from trainer.evaluation.label_metrics import confusion
from trainer.evaluation.metrics import compute_metrics
from trainer.evaluation.predictions import Predictions
from trainer.evaluation.scores import NAMES


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
    probabilities = np.array([[0.6, 0.4, 0], [0.1, 0.9, 0], [0, 0, 1]])
    found = confusion(np.eye(3)[[0, 0, 2]], probabilities, multi_label=False)
    assert found.tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]
    rows = random_predictions(50, 1, 4)
    expected = confusion_matrix(rows.labels.argmax(axis=1), rows.probabilities.argmax(axis=1))
    assert confusion(rows.labels, rows.probabilities, multi_label=False).tolist() == expected.tolist()


def test_several_labels_a_row_are_counted_as_what_occurs_together():
    labels = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    probabilities = np.array([[0.2, 0.8, 0.5], [0.1, 0.2, 0.49], [0.1, 0.9, 0.2]])
    # The first row bears 0 and 1 and is predicted as 1 and 2; the second as nothing; the third as 1, rightly.
    found = confusion(labels, probabilities, multi_label=True)
    assert found.tolist() == [[0, 1, 1], [0, 2, 1], [0, 0, 0]]
    true_positives = multilabel_confusion_matrix(labels, probabilities >= 0.5)[:, 1, 1]
    assert np.diag(found).tolist() == true_positives.tolist()


def test_a_label_without_an_example_is_named_null():
    rows = predictions(["a", "b"], [[1, 0, 0], [0, 1, 0]], [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1]])
    found = compute_metrics(rows, ["cello", "drum", "flute"], multi_label=False)
    assert found["per_label"]["flute"] == {
        "precision": None,
        "recall": None,
        "f1": None,
        "average_precision": None,
        "calibration_error": pytest.approx(0.1),  # said 0.1 of both rows, never there
        "count": 0,
        "intervals": None,
        "taken_for": None,
        "worst_in_draws": None,
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


def test_more_segments_that_say_the_same_do_not_make_it_more_certain():
    once, thrice = random_predictions(40, 1, 3), random_predictions(40, 1, 3)
    rows = np.repeat(np.arange(40), 3)
    thrice = predictions(once.video_ids[rows], once.labels[rows], once.probabilities[rows])
    for multi_label in (False, True):
        expected, found = (
            compute_metrics(each, ["a", "b", "c"], multi_label=multi_label) for each in (once, thrice)
        )
        for name in NAMES:
            assert found[name] == pytest.approx(expected[name], abs=1e-9), name


def test_the_interval_covers_the_truth_as_often_as_it_says():
    # Recordings of 3 segments; a recording is easy or hard, so that its segments are right together.
    generator = np.random.default_rng(0)
    covered, draws, recordings = 0, 60, 60
    for _ in range(draws):
        right = generator.random((recordings, 3)) < generator.choice([0.95, 0.45], (recordings, 1))
        probabilities = np.where(right.reshape(-1, 1), [[0.9, 0.1]], [[0.1, 0.9]])
        ids = [f"v{recording}" for recording in range(recordings) for _ in range(3)]
        rows = predictions(ids, np.tile([1.0, 0.0], (len(ids), 1)), probabilities)
        interval = compute_metrics(rows, ["a", "b"], multi_label=False)["hit_at_1"]
        covered += interval["low"] <= 0.7 <= interval["high"]
    # 57 of 60 expected; 52 or fewer have a chance of 2 % at 95 %, of 99 % if segments were drawn (80 %).
    assert covered > 52


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 25), st.booleans())
def test_every_value_lies_in_its_interval(seed, recordings, multi_label):
    rows = random_predictions(recordings, 2, 4, seed)
    found = compute_metrics(rows, ["a", "b", "c", "d"], multi_label=multi_label)
    for name in ("hit_at_1", "hit_at_3", "log_loss", "calibration_error"):
        cell = found[name]
        assert cell["low"] - 1e-9 <= cell["value"] <= cell["high"] + 1e-9, name


def test_the_value_of_a_calibrated_model_is_in_the_middle_of_its_interval():
    # The plain percentiles of the resamples begin at about this value: drawing adds noise, and noise adds up.
    generator = np.random.default_rng(1)
    probabilities = generator.dirichlet(np.ones(5) * 0.5, 200)
    truth = [generator.choice(5, p=row) for row in probabilities]
    rows = predictions([str(number) for number in range(200)], np.eye(5)[truth], probabilities)
    cell = compute_metrics(rows, list("abcde"), multi_label=False)["calibration_error"]
    below, above = cell["value"] - cell["low"], cell["high"] - cell["value"]
    assert 0.5 < below / above < 2


def test_the_bootstrap_is_seeded():
    rows = random_predictions(30, 2, 3)
    first = compute_metrics(rows, ["a", "b", "c"], multi_label=False)
    assert compute_metrics(rows, ["a", "b", "c"], multi_label=False) == first
    assert compute_metrics(rows, ["a", "b", "c"], multi_label=False, seed=1) != first


def test_several_labels_a_recording_make_sense():
    rows = predictions(["a", "b"], [[1, 1, 0], [0, 1, 1]], [[0.9, 0.8, 0.1], [0.6, 0.9, 0.4]])
    found = compute_metrics(rows, ["x", "y", "z"], multi_label=True)
    assert found["hit_at_1"]["value"] == 1.0
    assert found["per_label"]["z"]["recall"] == 0.0  # 0.4 is under one half
    assert found["per_label"]["x"]["precision"] == 0.5
    assert found["confusion"] == [[1, 1, 0], [2, 2, 0], [1, 1, 0]]
    assert sum(found["reliability"]["count"]) == 6  # every label of every row


def test_a_single_recording_has_no_spread():
    found = compute_metrics(predictions(["a"], [[1, 0]], [[0.8, 0.2]]), ["x", "y"], multi_label=False)
    for name in NAMES:
        assert found[name]["low"] == pytest.approx(found[name]["value"]) == pytest.approx(found[name]["high"])
    assert found["log_loss"]["value"] == pytest.approx(-np.log(0.8))
