"""Whether one run binds the modalities more than another: how their mean |rho| over the same recordings differ."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from analysis.comparison.paired_resamples import difference_interval, draw_recordings, resampled_means
from analysis.comparison.result import BLOCKS, ComparedPart, ComparedRun, Comparison, Contrast, LabelComparison
from analysis.correlations.correlation import MINIMUM_RECORDINGS, CorrelationSettings
from analysis.correlations.resampling import central_band, mean_of_defined, p_value_among
from analysis.correlations.spearman import corrected, mean_absolute_blocks, permutation_null
from avinst.counting import counted
from trainer.audit.measures import Interval

# Their mean is what is asked of them, and 1000 give it to a thousandth.
MOST_PERMUTATIONS = 1000


@dataclasses.dataclass(frozen=True)
class _Sampled:
    """Means of both runs with the resamples and permutations that intervals and chance come from."""

    recordings: int
    means: np.ndarray  # [2, 3], of this run and of the other
    differences: np.ndarray  # [resamples, 3], this minus other
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
    found: dict[str, list[_Sampled]] = {}
    reasons: dict[str, list[str]] = {}
    for number, pair in enumerate(zip(this.parts, other.parts, strict=True)):
        mine, its = (part.recordings for part in pair)
        if mine.label_names != its.label_names or not np.array_equal(mine.video_id, its.video_id):
            raise ValueError("the runs were not given the same recordings and labels")
        generator = np.random.default_rng([settings.seed, number])
        drawn = draw_recordings(mine.labels, settings.resamples, generator)
        for index, label in enumerate(mine.label_names):
            reason = _why_not((this, other), pair, label)
            if reason:
                reasons.setdefault(label, []).append(reason)
            else:
                found.setdefault(label, []).append(_sample(pair, index, drawn, settings))
    # A label's parts count the same, and so do the labels.
    names = this.parts[0].recordings.label_names
    labels = {label: _mean_of(found[label]) for label in names if label in found}
    overall = _result("", _mean_of(list(labels.values()))) if labels else None
    results = tuple(_result(label, sampled) for label, sampled in labels.items())
    if overall and len(results) > 1 and this.parts[0].recordings.multi_label:
        overall = judged_by_labels(overall, results, settings.fdr_level)
    skipped = {label: "; ".join(dict.fromkeys(why)) for label, why in reasons.items() if label not in labels}
    return Comparison(this, other, results, overall, skipped)


def _why_not(runs: Sequence[ComparedRun], pair: Sequence[ComparedPart], label: str) -> str:
    recordings = pair[0].recordings
    count = int(recordings.labels[:, recordings.label_names.index(label)].sum())
    if count < MINIMUM_RECORDINGS:
        return f"{counted(count, 'recording')}; at least {MINIMUM_RECORDINGS} are needed"
    both = zip(runs, pair, strict=True)
    unpredicted = [run.title for run, part in both if label in part.chosen_by.unpredicted]
    if unpredicted:
        return (
            f"no recording was predicted as this label by {' and '.join(unpredicted)} where features were chosen"
        )
    return ""


def _sample(
    pair: Sequence[ComparedPart], label_index: int, drawn: np.ndarray, settings: CorrelationSettings
) -> _Sampled:
    label = pair[0].recordings.label_names[label_index]
    bears = pair[0].recordings.labels[:, label_index]
    means, resampled, nulls = [], [], []
    for part in pair:
        values, first = _chosen_values(part, label, settings)
        of_label = values[bears]
        means.append(mean_absolute_blocks(of_label, first))
        resampled.append(resampled_means(values, first, bears, drawn))
        permutations = min(settings.permutations, MOST_PERMUTATIONS)
        # The same permutations for both runs: equal runs have equal chance.
        shuffles = np.random.default_rng([settings.seed, label_index])
        null = permutation_null(of_label[:, :first], of_label[:, first:], permutations, shuffles)
        nulls.append(null.mean_absolute)
    return _Sampled(int(bears.sum()), np.stack(means), resampled[0] - resampled[1], np.stack(nulls))


def _chosen_values(part: ComparedPart, label: str, settings: CorrelationSettings) -> tuple[np.ndarray, int]:
    """float [recordings, features]: the most important features, audio first; and the number of these."""
    number = {"audio": settings.top_audio, "visual": settings.top_visual}
    modalities = part.recordings.modalities()
    columns = [modalities[name][:, part.chosen_by.top(label, name, number[name])] for name in ("audio", "visual")]
    return np.concatenate(columns, axis=1), columns[0].shape[1]


def _mean_of(found: Sequence[_Sampled]) -> _Sampled:
    """The mean of parts or of labels; a block that is defined in one run only says nothing of a difference."""
    means = np.stack([one.means for one in found])
    both = np.isfinite(means).all(axis=1, keepdims=True)
    return _Sampled(
        recordings=sum(one.recordings for one in found),
        means=mean_of_defined(np.where(both, means, np.nan)),
        differences=mean_of_defined(np.stack([one.differences for one in found])),
        nulls=mean_of_defined(np.stack([one.nulls for one in found])),
    )


def _result(label: str, sampled: _Sampled) -> LabelComparison:
    blocks = {
        block: Contrast(
            float(this),
            float(other),
            difference_interval(float(this - other), sampled.differences[:, column]),
        )
        for column, (block, this, other) in enumerate(zip(BLOCKS, *sampled.means, strict=True))
    }
    this, other = (_band(null) for null in sampled.nulls)
    across = blocks["across"]
    return LabelComparison(
        label,
        sampled.recordings,
        blocks,
        chance=(this, other),
        p_values=(p_value_among(sampled.nulls[0], across.this), p_value_among(sampled.nulls[1], across.other)),
        beyond_chance=(across.this > this.high, across.other > other.high),
    )


def judged_by_labels(overall: LabelComparison, labels: Sequence[LabelComparison], level: float) -> LabelComparison:
    """The mean over labels that share recordings: what chance gives has no band, and the labels' own p decide."""
    this, other = (
        bool((corrected(values) <= level).any()) for values in np.array([one.p_values for one in labels]).T
    )
    means = [band.value for band in overall.chance]
    return dataclasses.replace(
        overall,
        chance=(Interval(means[0], np.nan, np.nan), Interval(means[1], np.nan, np.nan)),
        p_values=(np.nan, np.nan),
        beyond_chance=(this, other),
    )


def _band(null: np.ndarray) -> Interval:
    return Interval(float(null.mean()), *central_band(null))
