"""All labels together: mean |rho| within each modality and across, beside what unrelated features give."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from analysis.correlations.label_correlation import LabelCorrelation, related_labels
from analysis.correlations.resampling import BEYOND_CHANCE, central_band, mean_of_defined, p_value_among
from analysis.correlations.spearman import MeanAbsolute, centred_intervals


@dataclasses.dataclass(frozen=True)
class LabelCount:
    """For how many labels, each judged by itself, features move together beyond chance; and of how many."""

    related: int
    judged: int


@dataclasses.dataclass(frozen=True)
class Overall:
    """The means over labels, each label counting the same.

    Attributes:
        labels: number of labels that the means are over.
        within_audio, within_visual, across: mean |rho| with its 95 % interval.
        by_chance: mean |rho| of unrelated features, with the band of 95 % of the permutations. Also within a
            modality: unrelated features of as many recordings give the same, whatever modality they are of.
        p_value: (1 + permutations with at least the mean |rho| across) / (1 + permutations), one-sided.
        by_label: `audio`, `vision` (within the modality) and `across` to the count of labels, where labels share
            recordings: intervals, band and p-value of the means do not hold there, and are NaN. Else empty.
    """

    labels: int
    within_audio: MeanAbsolute
    within_visual: MeanAbsolute
    across: MeanAbsolute
    by_chance: MeanAbsolute
    p_value: float
    by_label: Mapping[str, LabelCount] = dataclasses.field(default_factory=dict)

    @property
    def within(self) -> dict[str, MeanAbsolute]:
        """The means within those modalities in which there are pairs to correlate."""
        both = {"audio": self.within_audio, "vision": self.within_visual}
        return {name: mean for name, mean in both.items() if math.isfinite(mean.value)}

    @property
    def across_beyond_chance(self) -> bool:
        """Whether the mean across is beyond chance, by the rule for everything across modalities."""
        return self.p_value <= BEYOND_CHANCE

    def within_beyond_chance(self, mean: MeanAbsolute) -> bool:
        """Whether a mean within a modality is surely above what unrelated features give."""
        return mean.low > self.by_chance.high


def overall(results: Mapping[str, LabelCorrelation], *, multi_label: bool) -> Overall | None:
    """The means over the labels that have a null; None where there are none.

    Labels are resampled and permuted independently of each other, which holds where a recording bears one label.
    Where recordings bear several, labels share recordings: intervals and band would be too narrow, and each label
    is judged by itself.

    Args:
        results: label to its correlations.
        multi_label: whether recordings may bear several labels.
    """
    judged = {
        label: one for label, one in results.items() if one.null is not None and math.isfinite(one.across.value)
    }
    if not judged:
        return None
    nulls = [one.null.mean_absolute for one in judged.values() if one.null is not None]
    null = np.mean(nulls, axis=0)
    means = [[mean.value for mean in (one.within_audio, one.within_visual, one.across)] for one in judged.values()]
    resampled = [one.resampled for one in judged.values()]
    values = mean_of_defined(np.array(means))
    within_audio, within_visual, across = centred_intervals(values, mean_of_defined(np.array(resampled)))
    low, high = central_band(null)
    found = Overall(
        labels=len(judged),
        within_audio=within_audio,
        within_visual=within_visual,
        across=across,
        by_chance=MeanAbsolute(float(null.mean()), low, high),
        p_value=p_value_among(null, across.value),
    )
    return _judged_by_labels(found, judged) if multi_label and len(judged) > 1 else found


def _judged_by_labels(found: Overall, judged: Mapping[str, LabelCorrelation]) -> Overall:
    labels = list(judged.values())
    return dataclasses.replace(
        found,
        within_audio=_without_bounds(found.within_audio),
        within_visual=_without_bounds(found.within_visual),
        across=_without_bounds(found.across),
        by_chance=_without_bounds(found.by_chance),
        p_value=math.nan,
        by_label={
            "audio": _count_within(labels, [one.within_audio for one in labels]),
            "vision": _count_within(labels, [one.within_visual for one in labels]),
            "across": LabelCount(len(related_labels(judged)), len(labels)),
        },
    )


def _count_within(labels: Sequence[LabelCorrelation], means: Sequence[MeanAbsolute]) -> LabelCount:
    """Each label's mean within a modality is judged as the mean over labels is where these share no recordings."""
    measured = [(one, mean) for one, mean in zip(labels, means, strict=True) if math.isfinite(mean.value)]
    related = sum(mean.low > one.null.band[1] for one, mean in measured if one.null is not None)
    return LabelCount(related, len(measured))


def _without_bounds(mean: MeanAbsolute) -> MeanAbsolute:
    return MeanAbsolute(mean.value, math.nan, math.nan)
