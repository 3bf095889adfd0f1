"""What one label's correlations are: the matrix, its blocks beside chance, and what of it is significant."""

import dataclasses
import math
from collections.abc import Mapping

import numpy as np
from scipy import stats

from analysis.correlations.matrix_order import clustered_order
from analysis.correlations.resampling import BEYOND_CHANCE, p_value_among
from analysis.correlations.spearman import MeanAbsolute, PermutationNull, corrected


@dataclasses.dataclass(frozen=True)
class LabelCorrelation:
    """The correlations of one label's features over the recordings that bear the label.

    Attributes:
        label: the label's name.
        names: features in the matrix, audio before visual: a0007 ... v1893.
        audio_count: number of the names that are audio features.
        rho: float64 [features, features], Spearman's; NaN where a feature is dead or a pair was not tested.
        tested: bool [features, features], whether both features were chosen on the same recordings.
        recordings: number of recordings that the correlations are over.
        part_recordings: of each part in which rho is taken by itself: all, or those of the halves.
        dead: names of the features that are the same in all these recordings.
        within_audio, within_visual, across: mean |rho| of the pairs of a block with its interval.
        resampled: float64 [resamples, 3], these means of each bootstrap resample, not centred.
        null: of the block of audio and visual pairs; None where the model has one modality.
        fdr_level: level at which a pair counts as significant.
    """

    label: str
    names: tuple[str, ...]
    audio_count: int
    rho: np.ndarray
    tested: np.ndarray
    recordings: int
    part_recordings: tuple[int, ...]
    dead: tuple[str, ...]
    within_audio: MeanAbsolute
    within_visual: MeanAbsolute
    across: MeanAbsolute
    resampled: np.ndarray
    null: PermutationNull | None
    fdr_level: float

    @property
    def significant(self) -> np.ndarray:
        """bool [audio, visual]: the pairs that are related beyond chance after the FDR correction."""
        if self.null is None:
            return np.zeros((self.audio_count, len(self.names) - self.audio_count), dtype=bool)
        return np.nan_to_num(self.null.q_values, nan=1.0) <= self.fdr_level

    @property
    def block_p_value(self) -> float:
        """Share of permutations whose mean |rho| across is at least the observed one; NaN without a null."""
        if self.null is None or not math.isfinite(self.across.value):
            return math.nan
        return p_value_among(self.null.mean_absolute, self.across.value)

    @property
    def recordings_at_once(self) -> int:
        """The number of recordings that a rho is taken over, the least of the parts."""
        return min(self.part_recordings)

    @property
    def detectable_rho(self) -> float:
        """The |rho| that a pair related on its own would need, in a part, to be significant."""
        if self.null is None:
            return math.nan
        tests = max(int(np.isfinite(self.null.p_values).sum()), 1) * len(self.part_recordings)
        freedom = self.recordings_at_once - 2
        t = stats.t.isf(self.fdr_level / tests / 2, freedom)
        return float(t / math.sqrt(freedom + t * t))

    def strongest_pair(self) -> tuple[str, str, float] | None:
        """Audio feature, visual feature and rho of the largest |rho| across; None where no pair lives.

        Of the significant pairs, if there are any.
        """
        block = self.rho[: self.audio_count, self.audio_count :]
        if self.significant.any():
            block = np.where(self.significant, block, np.nan)
        if not np.isfinite(block).any():
            return None
        audio, visual = np.unravel_index(np.nanargmax(np.abs(block)), block.shape)
        return self.names[audio], self.names[self.audio_count + visual], float(block[audio, visual])


def clustered(result: LabelCorrelation) -> LabelCorrelation:
    """The same correlations, features of a modality that move together beside each other."""
    parts = slice(None, result.audio_count), slice(result.audio_count, None)
    audio, visual = (clustered_order(result.rho[part, part]) for part in parts)
    order = np.concatenate([audio, result.audio_count + visual])
    null = result.null
    if null is not None:
        block = np.ix_(audio, visual)
        null = dataclasses.replace(null, p_values=null.p_values[block], q_values=null.q_values[block])
    square = np.ix_(order, order)
    names = tuple(result.names[place] for place in order)
    return dataclasses.replace(
        result, names=names, rho=result.rho[square], tested=result.tested[square], null=null
    )


def block_q_values(results: Mapping[str, LabelCorrelation]) -> dict[str, float]:
    """Label to the p-value of its block, corrected over the labels (Benjamini and Hochberg); NaN without one."""
    p_values = np.array([result.block_p_value for result in results.values()])
    return dict(zip(results, map(float, corrected(p_values)), strict=True))


def related_labels(results: Mapping[str, LabelCorrelation]) -> list[str]:
    """The labels whose features move together across modalities beyond chance, corrected over the labels."""
    return [label for label, q_value in block_q_values(results).items() if q_value <= BEYOND_CHANCE]
