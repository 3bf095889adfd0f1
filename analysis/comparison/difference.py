"""Whether one run binds the modalities more than another: how their mean |rho| over the same recordings differ."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from analysis.comparison.paired_resamples import difference_interval, draw_recordings, resampled_means
from analysis.comparison.result import BLOCKS, ComparedPart, ComparedRun, Comparison, Contrast, LabelComparison
from analysis.correlations.correlation import MINIMUM_RECORDINGS, CorrelationSettings, label_generator
from analysis.correlations.resampling import BEYOND_CHANCE, central_band, mean_of_defined, p_value_among
from analysis.correlations.spearman import corrected, mean_absolute_blocks, permutation_null
from avinst.counting import counted
from trainer.audit.measures import Interval


@dataclasses.dataclass(frozen=True)
class _Sampled:
    """Means of both runs with the resamples and permutations that intervals and chance come from."""

    recordings: int
    means: np.ndarray  # [2, 3], of this run and of the other
    differences: np.ndarray  # [resamples, 3], this minus other
    nulls: np.ndarray  # [2, permutations]


def compare(
    this: ComparedRun,
    other: ComparedRun,
    settings: CorrelationSettings,
    advance: Callable[[], None] = lambda: None,
) -> Comparison:
    """Compares two runs over the same recordings, each by the features that its own importance chose.

    Equal runs differ by exactly 0, with an interval from 0 to 0.

    Args:
        this: one run.
        other: another one, of the same recordings.
        settings: numbers of features, permutations and resamples.
        advance: is called after each label of each part.

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
                found.setdefault(label, []).append(_sample(pair, index, drawn, settings, number))
            advance()
    # A label's parts count the same, and so do the labels.
    names, multi_label = this.parts[0].recordings.label_names, this.parts[0].recordings.multi_label
    labels = {label: _mean_of(found[label]) for label in names if label in found}
    results = _judged([_result(label, sampled) for label, sampled in labels.items()])
    overall = _overall(list(labels.values()), results, multi_label=multi_label) if labels else None
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
    pair: Sequence[ComparedPart], label_index: int, drawn: np.ndarray, settings: CorrelationSettings, number: int
) -> _Sampled:
    label = pair[0].recordings.label_names[label_index]
    bears = pair[0].recordings.labels[:, label_index]
    means, resampled, nulls = [], [], []
    for part in pair:
        values, first = _chosen_values(part, label, settings)
        of_label = values[bears]
        means.append(mean_absolute_blocks(of_label, first))
        resampled.append(resampled_means(values, first, bears, drawn))
        # Those of a study of the run, so that both judge it alike; and the same for both runs, so that equal runs
        # have equal chance.
        shuffles = label_generator(settings.seed, label, number)
        null = permutation_null(of_label[:, :first], of_label[:, first:], settings.permutations, shuffles)
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
    across = both[..., BLOCKS.index("across"), np.newaxis]
    return _Sampled(
        recordings=sum(one.recordings for one in found),
        means=mean_of_defined(np.where(both, means, np.nan)),
        differences=mean_of_defined(np.stack([one.differences for one in found])),
        nulls=mean_of_defined(np.where(across, np.stack([one.nulls for one in found]), np.nan)),
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
    across = blocks["across"]
    p_values = (
        p_value_among(sampled.nulls[0], across.this),
        p_value_among(sampled.nulls[1], across.other),
    )
    return LabelComparison(
        label,
        sampled.recordings,
        blocks,
        chance=(_band(sampled.nulls[0]), _band(sampled.nulls[1])),
        p_values=p_values,
        beyond_chance=(p_values[0] <= BEYOND_CHANCE, p_values[1] <= BEYOND_CHANCE),
    )


def _judged(labels: Sequence[LabelComparison]) -> tuple[LabelComparison, ...]:
    """The labels, each judged by its p-values corrected over the labels, run by run."""
    p_values = np.array([one.p_values for one in labels]).reshape(-1, 2)
    beyond = np.stack([corrected(of_run) <= BEYOND_CHANCE for of_run in p_values.T], axis=1)
    return tuple(
        dataclasses.replace(one, beyond_chance=(bool(this), bool(other)))
        for one, (this, other) in zip(labels, beyond, strict=True)
    )


def _overall(
    sampled: Sequence[_Sampled], labels: Sequence[LabelComparison], *, multi_label: bool
) -> LabelComparison:
    """The mean over labels; where these share recordings, chance has no band over them, and they decide."""
    overall = _result("", _mean_of(sampled))
    if not multi_label or sum(one.measured for one in labels) < 2:
        return overall
    means = [band.value for band in overall.chance]
    return dataclasses.replace(
        overall,
        chance=(Interval(means[0], np.nan, np.nan), Interval(means[1], np.nan, np.nan)),
        p_values=(np.nan, np.nan),
        beyond_chance=(any(one.beyond_chance[0] for one in labels), any(one.beyond_chance[1] for one in labels)),
    )


def _band(null: np.ndarray) -> Interval:
    return Interval(float(null.mean()), *central_band(null))
