"""Which dataset an entry of metrics.json or audit.json was measured on: both are named by the split alone."""

from collections.abc import Mapping
from typing import Any

from avinst.dataset import Dataset

FINGERPRINT = "fingerprint"


def with_fingerprint(metrics: Mapping[str, Any], dataset: Dataset) -> dict[str, Any]:
    """The metrics of a split as metrics.json keeps them: `{"segment": M, "recording": M, "fingerprint": ...}`.

    Args:
        metrics: `{"segment": M, "recording": M}`.
        dataset: what was measured on.
    """
    return {**metrics, FINGERPRINT: dataset.fingerprint}


def measured_on(entry: Mapping[str, Any], dataset: Dataset, trained_on: Dataset) -> bool:
    """Whether an entry is of this dataset.

    Args:
        entry: of a split. Earlier versions wrote no fingerprint: such an entry counts as one of the dataset that
            the run was trained on.
        dataset: the one that is asked for.
        trained_on: the run's own.
    """
    return (entry.get(FINGERPRINT) or trained_on.fingerprint) == dataset.fingerprint
