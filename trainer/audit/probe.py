"""The linear probe: how much of the labels a linear model reads from one modality's features."""

import dataclasses
import warnings
from collections.abc import Callable

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from trainer.evaluation.scores import log_loss

# Inverse strengths of the L2 penalty (scikit-learn's C), the strongest penalty first.
CHOICES_OF_C = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
# Without a validation split.
DEFAULT_C = 1e-3
_MOST_ITERATIONS = 1000


@dataclasses.dataclass(frozen=True)
class Probe:
    """A fitted probe.

    Attributes:
        c: the inverse strength of the L2 penalty that was chosen.
        probabilities: maps features float32 [n, features] to probabilities float64 [n, labels].
    """

    c: float
    probabilities: Callable[[np.ndarray], np.ndarray]


def fit_probe(
    features: np.ndarray,
    labels: np.ndarray,
    validation: tuple[np.ndarray, np.ndarray] | None,
    *,
    multi_label: bool,
) -> Probe:
    """Fits logistic regression on standardized features, as Alain and Bengio probe layers (arXiv 1610.01644).

    Multinomial; one against the rest for each label where rows may bear several. Equal input gives equal output.

    Args:
        features: float32 [n, features] of the training split; dead features do no harm.
        labels: float32 [n, labels], multi-hot. A label that no row bears gets probability 0.
        validation: features and labels whose log loss decides the penalty: it is weakened until the loss rises,
            and of equals the stronger one is taken. None: DEFAULT_C.
        multi_label: whether rows may bear several labels.
    """
    mean = features.mean(axis=0, dtype=np.float64)
    deviation = features.std(axis=0, dtype=np.float64)
    scale = np.where(deviation > 0, deviation, 1.0)

    def standardized(values: np.ndarray) -> np.ndarray:
        return (values - mean) / scale

    known = standardized(features)
    if validation is None:
        chosen = _classifier(known, labels, DEFAULT_C, multi_label=multi_label)
        return Probe(DEFAULT_C, lambda values: chosen(standardized(values)))
    unseen, truth = standardized(validation[0]), validation[1]
    best, best_loss, best_c = None, np.inf, DEFAULT_C
    for c in CHOICES_OF_C:
        classifier = _classifier(known, labels, c, multi_label=multi_label)
        loss = float(log_loss(truth, classifier(unseen), np.ones((1, len(truth))), multi_label=multi_label)[0])
        if best is None or loss < best_loss:
            best, best_loss, best_c = classifier, loss, c
        elif loss > best_loss:
            break  # weaker penalties fit the training split further, and take most of the time
    assert best is not None
    fitted = best
    return Probe(best_c, lambda values: fitted(standardized(values)))


def _classifier(
    features: np.ndarray, labels: np.ndarray, c: float, *, multi_label: bool
) -> Callable[[np.ndarray], np.ndarray]:
    """A function of standardized features [n, features] that gives probabilities [n, labels]."""
    if not multi_label:
        return _of_classes(features, labels.argmax(axis=1), labels.shape[1], c)
    of_labels = [_of_classes(features, (column > 0).astype(int), 2, c) for column in labels.T]
    return lambda values: np.stack([of_label(values)[:, 1] for of_label in of_labels], axis=1)


def _of_classes(
    features: np.ndarray, classes: np.ndarray, count: int, c: float
) -> Callable[[np.ndarray], np.ndarray]:
    """A function that gives the probabilities [n, count] of classes 0 to count - 1, some of them maybe unseen."""
    if len(np.unique(classes)) == 1:
        only = np.eye(count)[classes[0]]
        return lambda values: np.tile(only, (len(values), 1))
    model = LogisticRegression(C=c, max_iter=_MOST_ITERATIONS)
    # One thread: the matrices are small, and threads that wait for each other on a busy machine, or in a container
    # with less CPU than cores, took twenty times as long.
    with threadpool_limits(limits=1), warnings.catch_warnings():
        # With the weakest penalties the last digits take longer; validation then prefers stronger ones anyway.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(features, classes)

    def probabilities(values: np.ndarray) -> np.ndarray:
        result = np.zeros((len(values), count))
        result[:, model.classes_] = model.predict_proba(values)
        return result

    return probabilities
