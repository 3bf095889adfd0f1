import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info

from trainer.audit import probe as audit_probe
from trainer.audit.probe import CHOICES_OF_C, DEFAULT_C, fit_probe


def recordings(count, labels=3, features=20, signal=1.0, seed=0):
    generator = np.random.default_rng(seed)
    truth = np.eye(labels, dtype=np.float32)[np.arange(count) % labels]
    values = generator.normal(5.0, 3.0, (count, features)).astype(np.float32)
    values[:, :labels] += signal * truth
    return values, truth


def test_it_is_scikit_learns_logistic_regression_on_standardized_features():
    features, labels = recordings(60)
    features = features.astype(np.float64)  # in float32 scikit-learn stops elsewhere, 1e-4 off
    probe = fit_probe(features, labels, None, multi_label=False)
    expected = make_pipeline(StandardScaler(), LogisticRegression(C=DEFAULT_C)).fit(
        features, labels.argmax(axis=1)
    )
    assert probe.c == DEFAULT_C
    np.testing.assert_allclose(
        probe.probabilities(features), expected.predict_proba(features), atol=1e-6
    )  # float32


def test_several_labels_are_asked_one_against_the_rest():
    features, labels = recordings(60)
    labels[:20, 2] = 1
    features = features.astype(np.float64)
    probe = fit_probe(features, labels, None, multi_label=True)
    found = probe.probabilities(features)
    one = make_pipeline(StandardScaler(), LogisticRegression(C=DEFAULT_C)).fit(features, labels[:, 2])
    np.testing.assert_allclose(found[:, 2], one.predict_proba(features)[:, 1], atol=1e-9)
    assert found.sum(axis=1).max() > 1.01


def test_validation_decides_the_penalty():
    features, labels = recordings(90, features=200, signal=6.0)
    clear = fit_probe(features, labels, recordings(60, features=200, signal=6.0, seed=1), multi_label=False)
    noise = fit_probe(
        *recordings(90, features=200, signal=0.0),
        recordings(60, features=200, signal=0.0, seed=1),
        multi_label=False,
    )
    assert noise.c == CHOICES_OF_C[0]
    assert clear.c > noise.c


def test_it_learns_no_more_than_is_there():
    unseen, truth = recordings(300, signal=6.0, seed=2)
    probe = fit_probe(*recordings(150, signal=6.0), recordings(60, signal=6.0, seed=1), multi_label=False)
    assert (probe.probabilities(unseen).argmax(axis=1) == truth.argmax(axis=1)).mean() > 0.8
    blind = fit_probe(*recordings(150, signal=0.0), recordings(60, signal=0.0, seed=1), multi_label=False)
    assert (blind.probabilities(unseen).argmax(axis=1) == truth.argmax(axis=1)).mean() < 0.5


@pytest.mark.parametrize("multi_label", [False, True])
def test_labels_without_an_example_and_dead_features_are_no_trouble(multi_label):
    features, labels = recordings(30)
    features[:, 7] = 4.0
    kept = labels[:, 1] == 0
    with warnings.catch_warnings(action="error"):
        probe = fit_probe(features[kept], labels[kept], (features, labels), multi_label=multi_label)
    found = probe.probabilities(features)
    assert np.isfinite(found).all()
    assert (found[:, 1] == 0).all()


def test_one_class_only_is_certain():
    features = np.ones((4, 3), np.float32)
    probe = fit_probe(features, np.eye(2, dtype=np.float32)[[1] * 4], None, multi_label=False)
    assert probe.probabilities(features).tolist() == [[0, 1]] * 4


def test_equal_input_gives_equal_output():
    data, validation = recordings(60), recordings(30, seed=1)
    first, second = (fit_probe(*data, validation, multi_label=False).probabilities(data[0]) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_fit_keeps_to_one_thread(monkeypatch):
    """Several wait for each other where other work is done: a fit then took twenty times as long."""
    threads = []

    class Watched(LogisticRegression):
        def fit(self, *arguments):
            threads.extend(library["num_threads"] for library in threadpool_info())
            return super().fit(*arguments)

    monkeypatch.setattr(audit_probe, "LogisticRegression", Watched)
    fit_probe(*recordings(30), None, multi_label=False)
    assert set(threads) == {1}
