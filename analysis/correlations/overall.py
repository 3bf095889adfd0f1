"""All labels together: mean |rho| within each modality and across, beside what unrelated features give."""

import dataclasses
import math
from collections.abc import Mapping

import numpy as np

from analysis.correlations.label_correlation import LabelCorrelation
from analysis.correlations.resampling import central_band, mean_of_defined, p_value_among
from analysis.correlations.spearman import MeanAbsolute, centred_intervals


@dataclasses.dataclass(frozen=True)
class Overall:
    """The means over labels, each label counting the same.

    Attributes:
        labels: number of labels that the means are over.
        within_audio, within_visual, across: mean |rho| with its 95 % interval.
        by_chance: mean |rho| of unrelated features, with the band of 95 % of the permutations. Also within a
            modality: unrelated features of as many recordings give the same, whatever modality they are of.
        p_value: (1 + permutations with at least the mean |rho| across) / (1 + permutations), one-sided.
    """

    labels: int
    within_audio: MeanAbsolute
    within_visual: MeanAbsolute
    across: MeanAbsolute
    by_chance: MeanAbsolute
    p_value: float

    @property
    def across_beyond_chance(self) -> bool:
        """Whether the mean across is above the band, the rule also where two runs are compared."""
        return self.across.value > self.by_chance.high

    def within_beyond_chance(self, mean: MeanAbsolute) -> bool:
        """Whether a mean within a modality is surely above what unrelated features give."""
        return mean.low > self.by_chance.high


def overall(results: Mapping[str, LabelCorrelation]) -> Overall | None:
    """The means over the labels that have a null; None where there are none.

    Labels are resampled and permuted independently of each other, which holds where a recording bears one label.
    Where recordings bear several, labels share recordings, and intervals and band are too narrow.
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
    return Overall(
        labels=len(judged),
        within_audio=within_audio,
        within_visual=within_visual,
        across=across,
        by_chance=MeanAbsolute(float(null.mean()), low, high),
        p_value=p_value_among(null, across.value),
    )
