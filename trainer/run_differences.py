"""What a run was begun with and what it would go on with: the differences in words."""

import math

from avinst.dataset import Dataset
from trainer.config import TrainConfig

_SHOWN = 5
_TRAINED_ON = ("train", "validation")
# Of log-mel moments, dB: the same media give other last digits on another processor.
_SAME_DB = 1e-3


def setting_differences(there: TrainConfig, now: TrainConfig, data_there: Dataset, data_now: Dataset) -> list[str]:
    """What the user gave otherwise: flags, or a dataset of another spec or manifest.

    Args:
        there: the settings that the run was begun with.
        now: those that are given.
        data_there: the dataset as it was when the run was begun.
        data_now: the one that is given.
    """
    before, given = there.to_json(), now.to_json()
    found = [f"{name}: {before[name]} there, {given[name]} now" for name in given if before[name] != given[name]]
    if data_there.fingerprint != data_now.fingerprint:
        found.append(
            f"dataset fingerprint: {data_there.fingerprint[:12]} there ({data_there.data_dir}), "
            f"{data_now.fingerprint[:12]} now ({data_now.data_dir})"
        )
    return found


def content_differences(there: Dataset, now: Dataset) -> list[str]:
    """What is otherwise in a dataset of one manifest that was prepared again, after media files were mended.

    Args:
        there: the dataset as it was when the run was begun.
        now: as it is.
    """
    before, after = _contents(there), _contents(now)
    names = [name for name in {**before, **after} if before.get(name, 0) != after.get(name, 0)]
    moments = {name: (getattr(there, name), getattr(now, name)) for name in ("log_mel_mean_db", "log_mel_std_db")}
    for name, (was, is_now) in moments.items():
        if not math.isclose(was, is_now, rel_tol=0, abs_tol=_SAME_DB):
            names.append(name)
            before[name], after[name] = was, is_now
    found = [f"{name}: {before.get(name, 0)} there, {after.get(name, 0)} now" for name in names]
    return [*found[:_SHOWN], f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else found


def _contents(dataset: Dataset) -> dict[str, float]:
    """The examples that a training reads, by split and label: those of the test split are not among them."""
    of_labels = {
        f"{split} segments of {label}": count
        for split in _TRAINED_ON
        for label, count in dataset.label_segments.get(split, {}).items()
    }
    return {**{f"{split} segments": dataset.segments.get(split, 0) for split in _TRAINED_ON}, **of_labels}
