import numpy as np
from sklearn.metrics import confusion_matrix, precision_score, recall_score

from trainer.board.pr_curves import THRESHOLDS, pr_curve


def test_the_curve_by_hand():
    curve = pr_curve(np.array([True, True, False, False]), np.array([0.9, 0.2, 0.5, 0.1]))
    at = {threshold: curve[:, round(threshold * 200)].tolist() for threshold in (0.0, 0.2, 0.3, 0.6, 1.0)}
    assert at[0.0] == [2, 2, 0, 0, 0.5, 1.0]
    assert at[0.2] == [2, 1, 1, 0, 2 / 3, 1.0]  # from the threshold on, 0.2 itself included
    assert at[0.3] == [1, 1, 1, 1, 0.5, 0.5]
    assert at[0.6] == [1, 0, 2, 1, 1.0, 0.5]
    assert at[1.0] == [0, 0, 2, 2, 1.0, 0.0]


def test_the_curve_is_that_of_scikit_learn_at_its_thresholds():
    generator = np.random.default_rng(0)
    labels, probabilities = generator.random(60) < 0.3, generator.random(60)
    curve = pr_curve(labels, probabilities)
    for index in range(0, THRESHOLDS, 20):
        predicted = probabilities >= index / 200
        (tn, fp), (fn, tp) = confusion_matrix(labels, predicted, labels=[False, True])
        expected = [
            *(tp, fp, tn, fn),
            precision_score(labels, predicted, zero_division=1.0),
            recall_score(labels, predicted),
        ]
        np.testing.assert_allclose(curve[:, index], expected)


def test_a_label_that_no_row_bears_gives_numbers_all_the_same():
    assert np.isfinite(pr_curve(np.zeros(3, bool), np.array([0.1, 0.2, 0.3]))).all()
