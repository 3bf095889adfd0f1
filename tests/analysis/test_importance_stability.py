import numpy as np
import pytest
from toy_models import toy_model

from analysis.features import Features
from analysis.importance import head_of, importance
from analysis.importance_stability import ResampledSums, StabilitySettings


def shares_of(contributions, top, resamples=4000, parts=1):
    settings = StabilitySettings({"audio": top}, resamples)
    sums = ResampledSums(len(contributions), settings, 0)
    for rows in np.array_split(np.arange(len(contributions)), parts):
        sums.add("audio", slice(rows[0], rows[-1] + 1), contributions[rows])
    return sums.share_among_the_most_important("audio")


def test_a_case_worked_out_by_hand():
    # Feature 0 lives in the first recording of three only, feature 1 is even, feature 2 contributes nothing.
    contributions = np.array([[3.0, 1.5, 0.0], [0.0, 1.5, 0.0], [0.0, 1.5, 0.0]])
    shares = shares_of(contributions, 1)
    # Feature 0 is first where its recording is drawn twice or more of three times: 3 (1/3)^2 (2/3) + (1/3)^3.
    assert shares[0] == pytest.approx(7 / 27, abs=0.02)  # 3 standard errors of 4000 resamples
    assert shares[0] + shares[1] == 1.0
    assert shares[2] == 0.0


def test_what_contributes_nothing_is_not_important_however_many_are_asked_for():
    assert shares_of(np.array([[2.0, 0.0], [1.0, 0.0]]), 5).tolist() == [1.0, 0.0]


def test_one_recording_leaves_no_doubt():
    assert shares_of(np.array([[3.0, 1.0, 2.0]]), 2).tolist() == [1.0, 0.0, 1.0]


def test_recordings_may_come_in_parts():
    contributions = np.random.default_rng(0).exponential(size=(10, 6))
    in_parts, whole = shares_of(contributions, 2, 300, parts=3), shares_of(contributions, 2, 300)
    np.testing.assert_array_equal(in_parts, whole)


def features_of(head, number, seed=0):
    generator = np.random.default_rng(seed)
    audio, visual = (generator.normal(0.4, 1.0, (number, count)).astype(np.float32) for count in (5, 6))
    logits = np.asarray(head([audio, visual]))
    names = ("flute", "cello", "piano")
    ids, labels = np.arange(number).astype(str), np.zeros((number, 3), bool)
    return Features(names, False, ids, np.full(number, -1), labels, logits, logits, audio, visual)


@pytest.mark.parametrize("hidden_units", [0, 7])
def test_importance_is_resampled_over_the_recordings_predicted_as_the_label(hidden_units):
    model = toy_model(hidden_units=hidden_units)
    head = head_of(model)
    features = features_of(head, 60)
    settings = StabilitySettings({"audio": 2, "visual": 3}, resamples=400)
    result = importance(features, head, settings)
    plain = importance(features, head)
    assert plain.stays("flute", "audio") is None
    for index, label in enumerate(features.label_names):
        np.testing.assert_array_equal(result.of(label, "audio"), plain.of(label, "audio"))
        rows = np.flatnonzero(features.predicted[:, index])
        if not len(rows):
            assert np.isnan(result.stays(label, "audio")).all()
            continue
        # Straight from the definition: importance of drawn recordings, other draws.
        generator, chosen = np.random.default_rng(1), np.zeros(5)
        for _ in range(60):
            drawn = importance(features.rows(generator.choice(rows, len(rows))), head)
            chosen[drawn.top(label, "audio", 2)] += 1 / 60
        # 60 draws: 3.5 standard errors are 0.23.
        np.testing.assert_allclose(result.stays(label, "audio"), chosen, atol=0.23)
        assert result.stays(label, "visual").sum() == pytest.approx(3)


def test_label_without_recordings_and_mean_share():
    head = head_of(toy_model())
    features = features_of(head, 1)
    result = importance(features, head, StabilitySettings({"audio": 2, "visual": 2}, 10))
    (predicted,) = np.flatnonzero(features.predicted[0])
    label = features.label_names[predicted]
    top = result.top(label, "audio", 2)
    assert result.stability.mean_share(predicted, "audio", top) == 1.0
    assert np.isnan(result.stability.mean_share(predicted, "audio", np.array([], int)))
