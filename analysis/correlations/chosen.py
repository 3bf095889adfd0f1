"""Correlations of the features that were chosen on other recordings: of another split, or of the other half."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import keras

from analysis.correlations.correlation import CorrelationSettings, correlate
from analysis.correlations.cross_fitting import cross_fit, halves
from analysis.correlations.label_correlation import LabelCorrelation
from analysis.features import Features
from analysis.importance import Importance, head_of, importance
from avinst.keyword_settings import by_kind
from avinst.progress import Progress
from trainer.run import Run


@dataclasses.dataclass(frozen=True)
class FeatureCorrelations:
    """Each label's correlations, and what its features were chosen by.

    Attributes:
        labels: label to its correlations.
        skipped: label to the reason why it has none.
        chosen_by: importance over the recordings that features were chosen on; of each half where they are
            cross-fitted, in the order of `halves`.
        halves: the ids of each half, where features are cross-fitted; else empty.
        multi_label: whether recordings may bear several labels.
    """

    labels: Mapping[str, LabelCorrelation]
    skipped: Mapping[str, str]
    chosen_by: tuple[Importance, ...]
    halves: tuple[tuple[str, ...], ...]
    multi_label: bool


def correlate_features(
    features: Features,
    model: keras.Model | Run,
    chosen_on: Features | None = None,
    *,
    groups: Mapping[str, str] | None = None,
    **settings: Any,
) -> FeatureCorrelations:
    """Spearman's correlations of each label's most important features, within and across the two modalities.

    Chance is measured, not assumed: a permutation null, and p-values corrected for the number of pairs
    (`LabelCorrelation.null`). A feature is never chosen by the recordings that it is correlated over.

    Args:
        features: of recordings (`Features.by_recording`), those to correlate over.
        model: a finished run, or its `run.model`, whose head decides how important a feature is.
        chosen_on: of other recordings, such as the validation split's, by which features are chosen; None: each
            half of the recordings chooses for the other half.
        groups: id of a recording to its group (performer, uploader), which stays in one half.
        settings: fields of `analysis.CorrelationSettings`: `permutations=1000`, `top_audio=10`, ...

    Raises:
        UserError: no such setting, or a value that nothing can be computed with.
    """
    (values,) = by_kind(settings, [CorrelationSettings])
    return correlate_chosen(features, head_of(model), chosen_on, CorrelationSettings(**values), groups)


def correlate_chosen(
    features: Features,
    head: keras.Model,
    chosen_on: Features | None,
    settings: CorrelationSettings,
    groups: Mapping[str, str] | None = None,
) -> FeatureCorrelations:
    """What `correlate_features` does, with the head as `analysis.importance.head_of` gives it."""
    if chosen_on is not None:
        chosen_by: tuple[Importance, ...] = (importance(chosen_on, head),)
        progress = Progress("correlations of labels", len(features.label_names))
        found, skipped = correlate(features, chosen_by[0], settings, advance=progress.advance)
        half_ids: tuple[tuple[str, ...], ...] = ()
    else:
        parts = [features.rows(rows) for rows in halves(features, groups)]
        half_ids = tuple(tuple(part.video_id.tolist()) for part in parts)
        chosen_by = tuple(importance(part, head) for part in parts)
        progress = Progress("correlations of labels in halves", 2 * len(features.label_names))
        found, skipped = cross_fit(parts, chosen_by[::-1], settings, progress.advance)
    progress.finish()
    return FeatureCorrelations(found, skipped, chosen_by, half_ids, features.multi_label)
