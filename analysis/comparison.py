"""Whether one run binds the modalities more than another: how their mean |rho| over the same recordings differ."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from analysis.comparison_result import BLOCKS, ComparedRun, Comparison, Contrast, LabelComparison
from analysis.correlation import MINIMUM_RECORDINGS, CorrelationSettings
from analysis.counting import counted
from analysis.paired_resamples import difference_interval, draw_recordings, resampled_means
from analysis.spearman import mean_absolute_blocks, permutation_null
from trainer.audit_measures import Interval

# Their mean is what is asked of them, and 1000 give it to a thousandth.
MOST_PERMUTATIONS = 1000


@dataclasses.dataclass(frozen=True)
class _Sampled:
    """A label's comparison with the resamples and permutations that its intervals come from."""

    result: LabelComparison
    differences: np.ndarray  # [resamples, 3]
    nulls: np.ndarray  # [2, permutations]


def compare(this: ComparedRun, other: ComparedRun, settings: CorrelationSettings) -> Comparison:
    """Compares two runs over the same recordings, each by the features that its own importance chose.

    Equal runs differ by exactly 0, with an interval from 0 to 0.

    Args:
        this: one run.
        other: another one, of the same recordings.
        settings: numbers of features, permutations and resamples.

    Raises:
        ValueError: the runs' recordings or labels are not the same.
    """
    mine, its = this.recordings, other.recordings
    if mine.label_names != its.label_names or not np.array_equal(mine.video_id, its.video_id):
        raise ValueError("the runs were not given the same recordings and labels")
    generator = np.random.default_rng(settings.seed)
    drawn = draw_recordings(mine.labels, settings.resamples, generator)
    found: list[_Sampled] = []
    skipped: dict[str, str] = {}
    for index, label in enumerate(mine.label_names):
        reason = _why_not(this, other, label, int(mine.labels[:, index].sum()))
        if reason:
            skipped[label] = reason
        else:
            found.append(_compare_label(this, other, label, drawn, settings))
    overall = _mean_over_labels(found) if found else None
    return Comparison(this, other, tuple(one.result for one in found), overall, skipped)


def _why_not(this: ComparedRun, other: ComparedRun, label: str, count: int) -> str:
    if count < MINIMUM_RECORDINGS:
        return f"{counted(count, 'recording')}; at least {MINIMUM_RECORDINGS} are needed"
    unpredicted = [run.title for run in (this, other) if label in run.chosen_by.unpredicted]
    if unpredicted:
        return (
            f"no recording was predicted as this label by {' and '.join(unpredicted)} where features were chosen"
        )
    return ""


def _compare_label(
    this: ComparedRun, other: ComparedRun, label: str, drawn: np.ndarray, settings: CorrelationSettings
) -> _Sampled:
    index = this.recordings.label_names.index(label)
    bears = this.recordings.labels[:, index]
    means, resampled, nulls = [], [], []
    for run in (this, other):
        values, first = _chosen_values(run, label, settings)
        of_label = values[bears]
        means.append(mean_absolute_blocks(of_label, first))
        resampled.append(resampled_means(values, first, bears, drawn))
        permutations = min(settings.permutations, MOST_PERMUTATIONS)
        # The same permutations for both runs: equal runs have equal chance.
        shuffles = np.random.default_rng([settings.seed, index])
        null = permutation_null(of_label[:, :first], of_label[:, first:], permutations, shuffles)
        nulls.append(null.mean_absolute)
    differences, chances = resampled[0] - resampled[1], np.stack(nulls)
    return _Sampled(_result(label, int(bears.sum()), means, differences, chances), differences, chances)


def _chosen_values(run: ComparedRun, label: str, settings: CorrelationSettings) -> tuple[np.ndarray, int]:
    """float [recordings, features]: the run's most important features, audio first; and the number of these."""
    number = {"audio": settings.top_audio, "visual": settings.top_visual}
    modalities = run.recordings.modalities()
    columns = [modalities[name][:, run.chosen_by.top(label, name, number[name])] for name in ("audio", "visual")]
    return np.concatenate(columns, axis=1), columns[0].shape[1]


def _mean_over_labels(found: Sequence[_Sampled]) -> LabelComparison:
    contrasts = [[one.result.blocks[block] for block in BLOCKS] for one in found]
    # A block that is defined in one run only says nothing about the difference.
    both = [[np.isfinite(cell.difference.value) for cell in row] for row in contrasts]
    means = [
        _mean(np.where(both, [[getattr(cell, side) for cell in row] for row in contrasts], np.nan))
        for side in ("this", "other")
    ]
    differences = _mean([one.differences for one in found])
    recordings = sum(one.result.recordings for one in found)
    return _result("", recordings, means, differences, _mean([one.nulls for one in found]))


def _result(
    label: str, recordings: int, means: Sequence[np.ndarray], differences: np.ndarray, nulls: np.ndarray
) -> LabelComparison:
    blocks = {
        block: Contrast(
            float(means[0][column]),
            float(means[1][column]),
            difference_interval(float(means[0][column] - means[1][column]), differences[:, column]),
        )
        for column, block in enumerate(BLOCKS)
    }
    this, other = (_band(null) for null in nulls)
    return LabelComparison(label, recordings, blocks, (this, other))


def _band(null: np.ndarray) -> Interval:
    low, high = np.quantile(null, [0.025, 0.975])
    return Interval(float(null.mean()), float(low), float(high))


def _mean(values: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    """The mean over the first axis of what is defined; NaN where nothing is."""
    array = np.asarray(values, dtype=np.float64)
    defined = np.isfinite(array)
    total = np.where(defined, array, 0.0).sum(axis=0)
    return np.divide(total, defined.sum(axis=0), out=np.full(total.shape, np.nan), where=defined.any(axis=0))
