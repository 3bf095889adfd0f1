"""Whether the features that matter for a label move together: within audio, within vision and across."""

import dataclasses
import hashlib
import math
from collections.abc import Callable, Mapping

import numpy as np
from scipy import stats

from analysis.counting import counted
from analysis.features import Features
from analysis.importance import Importance, feature_name
from analysis.matrix_order import clustered_order
from analysis.resampling import p_value_among
from analysis.spearman import (
    MeanAbsolute,
    PermutationNull,
    bootstrap_means,
    centred_intervals,
    dead_features,
    permutation_null,
    spearman,
)

# Below this no rank correlation means anything: with 4 recordings every twelfth unrelated pair has |rho| = 1.
MINIMUM_RECORDINGS = 5
# With fewer, only |rho| above about 0.6 could survive the correction for 200 pairs.
FEW_RECORDINGS = 30


@dataclasses.dataclass(frozen=True)
class CorrelationSettings:
    """How correlations are computed and judged.

    Attributes:
        top_audio: number of audio features of a label, the most important ones.
        top_visual: number of visual features.
        permutations: of the null. 10,000 let a single pair among 10 x 20 survive the correction; 1000 would not.
        resamples: of the bootstrap.
        fdr_level: share of false pairs that is accepted among those called significant.
        seed: of permutations and resamples.
    """

    top_audio: int = 10
    top_visual: int = 20
    permutations: int = 10_000
    resamples: int = 1000
    fdr_level: float = 0.05
    seed: int = 0


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


def correlate_label(
    features: Features,
    label: str,
    chosen: Mapping[str, np.ndarray],
    settings: CorrelationSettings,
    part: int = 0,
) -> LabelCorrelation:
    """Correlates the chosen features over the recordings whose true label is (or labels include) `label`.

    The true label, not the predicted one: the recordings must not be chosen by the features that are correlated.
    The features stand in the order in which they were chosen.

    Args:
        features: of recordings, none of which had a say in the choice of the features.
        label: the label's name.
        chosen: modality to indices of features, chosen on other recordings.
        settings: how.
        part: its number, where several are correlated apart: each has its own permutations.

    Raises:
        ValueError: fewer than MINIMUM_RECORDINGS recordings bear the label.
    """
    rows = features.rows(features.labels[:, features.label_names.index(label)])
    if len(rows) < MINIMUM_RECORDINGS:
        raise ValueError(
            f"{counted(len(rows), 'recording')} of {label!r}; at least {MINIMUM_RECORDINGS} are needed"
        )
    empty = np.zeros((len(rows), 0))
    columns = {name: values[:, chosen[name]] for name, values in rows.modalities().items()}
    audio, visual = columns.get("audio", empty), columns.get("visual", empty)
    names = tuple(feature_name(name, index) for name in columns for index in chosen[name])
    # Its own generator for each label: adding a label to a dataset changes no other label's figures.
    generator = np.random.default_rng([settings.seed, stable_number(label), part])
    joined = np.concatenate([audio, visual], axis=1)
    null = None
    if audio.size and visual.size:
        null = permutation_null(audio, visual, settings.permutations, generator)
    means, resampled = bootstrap_means(audio, visual, settings.resamples, generator)
    within_audio, within_visual, across = centred_intervals(means, resampled)
    return LabelCorrelation(
        label=label,
        names=names,
        audio_count=audio.shape[1],
        rho=spearman(joined),
        tested=np.ones((len(names), len(names)), dtype=bool),
        recordings=len(rows),
        part_recordings=(len(rows),),
        dead=tuple(name for name, dead in zip(names, dead_features(joined), strict=True) if dead),
        within_audio=within_audio,
        within_visual=within_visual,
        across=across,
        resampled=resampled,
        null=null,
        fdr_level=settings.fdr_level,
    )


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


def correlate(
    features: Features,
    chosen_by: Importance,
    settings: CorrelationSettings,
    part: int = 0,
    advance: Callable[[], None] = lambda: None,
) -> tuple[dict[str, LabelCorrelation], dict[str, str]]:
    """Every label's correlations, features clustered; for the labels that have none the reason.

    Args:
        features: recordings to correlate over.
        chosen_by: importance on other recordings; it decides which features.
        settings: how many features, and how.
        part: as in `correlate_label`.
        advance: is called after each label.

    Returns:
        Label to result; label to reason why there is none.
    """
    number = {"audio": settings.top_audio, "visual": settings.top_visual}
    results: dict[str, LabelCorrelation] = {}
    skipped: dict[str, str] = {}
    for index, label in enumerate(features.label_names):
        count = int(features.labels[:, index].sum())
        if label in chosen_by.unpredicted:
            skipped[label] = "no recording was predicted as this label where features were chosen"
        elif count < MINIMUM_RECORDINGS:
            skipped[label] = f"{counted(count, 'recording')}; at least {MINIMUM_RECORDINGS} are needed"
        else:
            chosen = {name: chosen_by.top(label, name, number[name]) for name in features.modalities()}
            results[label] = clustered(correlate_label(features, label, chosen, settings, part))
        advance()
    return results, skipped


def block_q_values(results: Mapping[str, LabelCorrelation]) -> dict[str, float]:
    """Label to the p-value of its block, corrected over the labels (Benjamini and Hochberg); NaN without one."""
    p_values = {label: result.block_p_value for label, result in results.items()}
    finite = [label for label, value in p_values.items() if math.isfinite(value)]
    corrected = stats.false_discovery_control([p_values[label] for label in finite]) if finite else []
    return dict.fromkeys(results, math.nan) | dict(zip(finite, map(float, corrected), strict=True))


def stable_number(text: str) -> int:
    """64 bits that the text alone decides, the same on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
