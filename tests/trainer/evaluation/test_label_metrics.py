import numpy as np
import pytest

from trainer.evaluation.label_metrics import lowest_shares, system_per_label, taken_for
from trainer.evaluation.metrics import compute_metrics
from trainer.evaluation.predictions import Predictions
from trainer.evaluation.scores import LABEL_NAMES, average_precision, label_scores

NAMES = ("cello", "drum", "flute")


def measured(labels, probabilities, *, multi_label=False, names=NAMES):
    count = len(labels)
    rows = Predictions(
        video_ids=np.array([f"{number:04d}" for number in range(count)]),
        segment_index=np.zeros(count, int),
        start_seconds=np.zeros(count, np.float32),
        labels=np.array(labels, np.float32),
        probabilities=np.array(probabilities, np.float32),
    )
    return compute_metrics(rows, names, multi_label=multi_label)


def test_a_label_is_taken_for_its_most_frequent_mistake():
    matrix = np.array([[9, 1, 3], [0, 2, 0], [2, 2, 0]])
    assert taken_for(matrix, NAMES) == {
        "cello": {"label": "flute", "count": 3},
        "drum": None,  # never taken for another
        "flute": {"label": "cello", "count": 2},  # as often as for drum: the first
    }


def test_a_draw_goes_to_its_lowest_label_and_is_shared_by_equals():
    draws = np.array([[0.5, 0.6, 0.7], [0.4, 0.4, np.nan], [np.nan, 0.9, 0.8], [np.nan, np.nan, np.nan]])
    # One to cello, one shared by cello and drum, one to flute; the last says nothing.
    assert lowest_shares(draws) == pytest.approx([1.5 / 3, 0.5 / 3, 1 / 3])


def test_the_scores_of_a_label_are_those_by_hand():
    labels = np.eye(3)[[0, 0, 1, 1]]
    probabilities = np.array([[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1]])
    once, twice = np.ones((1, 4)), np.array([[2.0, 0.0, 1.0, 1.0]])
    found = label_scores(labels, probabilities, np.concatenate([once, twice]), multi_label=False)
    # Of two cellos one is found, of no drum none is lost; the second weights leave the lost cello out.
    np.testing.assert_allclose(found["recall"], [[0.5, 1.0, np.nan], [1.0, 1.0, np.nan]])
    np.testing.assert_allclose(found["f1"], [[2 / 3, 4 / 5, np.nan], [1.0, 1.0, np.nan]])
    # Sorted by its own probability each label comes before the others.
    np.testing.assert_allclose(found["average_precision"], [[1.0, 1.0, np.nan], [1.0, 1.0, np.nan]])


def test_the_interval_of_a_labels_recall_is_that_of_a_share():
    # 40 cellos, 30 of them found, beside 40 drums that are always found.
    labels = np.eye(2)[[0] * 40 + [1] * 40]
    probabilities = np.where(np.arange(80)[:, None] < 30, [[0.9, 0.1]], [[0.2, 0.8]])
    cello = measured(labels, probabilities, names=("cello", "drum"))["per_label"]["cello"]
    assert cello["recall"] == 0.75
    # Binomial: 0.75 +- 1.96 sqrt(0.75 0.25 / 40) = 0.616 to 0.884. Bootstrap noise: about 0.02.
    assert abs(cello["intervals"]["recall"]["low"] - 0.616) < 0.04
    assert abs(cello["intervals"]["recall"]["high"] - 0.884) < 0.04
    assert cello["taken_for"] == {"label": "drum", "count": 10}
    assert set(cello["intervals"]) == set(LABEL_NAMES)


def test_intervals_and_worst_draws_are_of_the_same_draws_as_the_scores():
    generator = np.random.default_rng(3)
    labels = np.eye(3)[np.arange(90) % 3]
    probabilities = generator.dirichlet(np.ones(3), 90) + 0.3 * labels
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    found = measured(labels, probabilities)
    draws = np.random.default_rng(0).multinomial(90, np.full(90, 1 / 90), size=1000).astype(float)
    averages = average_precision(labels, probabilities.astype(np.float32), draws)
    for index, name in enumerate(NAMES):
        values = found["per_label"][name]
        low, high = np.percentile(averages[:, index], [2.5, 97.5])
        assert values["intervals"]["average_precision"] == pytest.approx({"low": low, "high": high})
        assert values["worst_in_draws"] == pytest.approx((averages.argmin(axis=1) == index).mean())
    assert found["labels"] == list(NAMES)


def test_several_labels_a_recording_are_taken_for_nothing():
    found = measured([[1, 1, 0], [0, 1, 1]], [[0.9, 0.2, 0.6], [0.1, 0.8, 0.7]], multi_label=True)["per_label"]
    assert [values["taken_for"] for values in found.values()] == [None] * 3
    assert [values["recall"] for values in found.values()] == [1.0, 0.5, 1.0]
    alone = system_per_label(np.array([[1.0, 1.0, 0.0]]), np.array([[0.9, 0.2, 0.6]]), NAMES, multi_label=True)
    assert alone["drum"] == {"recall": 0.0, "average_precision": 1.0, "taken_for": None, "count": 1}
    assert alone["flute"] == {"recall": None, "average_precision": None, "taken_for": None, "count": 0}
