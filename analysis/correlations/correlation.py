"""Whether the features that matter for a label move together: within audio, within vision and across."""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping

import numpy as np

from analysis.correlations.label_correlation import LabelCorrelation, clustered
from analysis.correlations.spearman import (
    bootstrap_means,
    centred_intervals,
    dead_features,
    permutation_null,
    spearman,
)
from analysis.features import Features
from analysis.importance import Importance, feature_name
from avinst.counting import counted
from avinst.errors import UserError
from avinst.keyword_settings import check_least

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

    def __post_init__(self) -> None:
        """Raises UserError for numbers that nothing can be computed with."""
        for name in ("top_audio", "top_visual", "permutations", "resamples"):
            check_least(name, getattr(self, name), 1)
        check_least("seed", self.seed, 0)
        if not 0 < self.fdr_level <= 1:  # written so that NaN fails
            raise UserError(f"fdr_level={self.fdr_level:g}: expected a share above 0, at most 1")


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
    generator = label_generator(settings.seed, label, part)
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


def label_generator(seed: int, label: str, part: int) -> np.random.Generator:
    """The source of a label's permutations, then of its resamples: its own for each label and each part.

    Adding a label to a dataset changes no other label's figures, and chance is the same wherever it is computed.
    """
    return np.random.default_rng([seed, stable_number(label), part])


def stable_number(text: str) -> int:
    """64 bits that the text alone decides, the same on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
