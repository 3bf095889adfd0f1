"""The first canonical correlation on recordings that it was not fitted on, after a PCA of each modality."""

import dataclasses

import numpy as np

FOLDS = 5
# Principal components at most; and one for every so many recordings, lest chance be fitted.
_MOST_COMPONENTS = 10
_RECORDINGS_A_COMPONENT = 10


@dataclasses.dataclass(frozen=True)
class _Fold:
    """Whitened principal components of both modalities, fitted on the rows of `fit`."""

    fit: np.ndarray
    held_out: np.ndarray
    x: np.ndarray
    y: np.ndarray


class CrossValidatedCca:
    """Fitted on four fifths of the recordings and measured on the fifth, each in turn."""

    def __init__(self, x: np.ndarray, y: np.ndarray, fold: np.ndarray) -> None:
        """Fits the principal components.

        Args:
            x: float [recordings, p].
            y: float [recordings, q].
            fold: int [recordings], the fold in which a recording is held out.
        """
        self._folds = []
        for number in np.unique(fold):
            fit, held_out = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
            # Two points lie on a line: they say nothing, and nothing can be fitted to none.
            if min(len(fit), len(held_out)) > 2:
                self._folds.append(_Fold(fit, held_out, _components(x, fit), _components(y, fit)))

    def correlation(self, order: np.ndarray | None = None) -> float:
        """The mean over the folds, weighted by size; in [-1, 1], about 0 for unrelated features.

        Args:
            order: row i of X is set beside row order[i] of Y, of the same fold: the components stay as they are.
        """
        total, weight = 0.0, 0
        for fold in self._folds:
            y = fold.y if order is None else fold.y[order]
            left, _, right = np.linalg.svd(fold.x[fold.fit].T @ y[fold.fit])
            u, v = fold.x[fold.held_out] @ left[:, 0], y[fold.held_out] @ right[0]
            u, v = u - u.mean(), v - v.mean()
            scale = np.sqrt((u @ u) * (v @ v))
            total += len(fold.held_out) * (float(u @ v / scale) if scale > 0 else 0.0)
            weight += len(fold.held_out)
        return total / weight if weight else np.nan


def _components(values: np.ndarray, fit: np.ndarray) -> np.ndarray:
    """float64 [recordings, components]: uncorrelated and of variance 1 over the rows `fit`."""
    values = values.astype(np.float64)
    mean = values[fit].mean(axis=0)
    _, scale, axes = np.linalg.svd(values[fit] - mean, full_matrices=False)
    most = max(1, min(_MOST_COMPONENTS, len(fit) // _RECORDINGS_A_COMPONENT))
    number = max(1, min(most, int((scale > 1e-6 * max(scale[0], 1e-300)).sum())))
    scale = np.where(scale[:number] > 0, scale[:number], 1.0)
    return (values - mean) @ axes[:number].T / scale
