"""A study of one model on one split: features, importance, correlations and Grad-CAM, computed, not yet shown."""

import dataclasses
from collections.abc import Callable, Mapping

import keras

from analysis.comparison.result import Comparison
from analysis.correlations.alignment import PERMUTATIONS, Alignment, align
from analysis.correlations.chosen import correlate_chosen
from analysis.correlations.correlation import CorrelationSettings
from analysis.correlations.cross_fitting import CROSS_FIT, cross_fitting_text
from analysis.correlations.label_correlation import LabelCorrelation
from analysis.extraction import SplitBatches, split_features
from analysis.features import Features
from analysis.galleries import Exhibit, choose_segments, make_exhibits
from analysis.importance import Importance, head_of, importance
from analysis.importance_stability import StabilitySettings
from analysis.maps.evidence import Evidence, EvidenceSettings, annotated_boxes, gather_evidence
from analysis.maps.gradcam import METHOD_NAMES, EvidenceMaps, Method
from avinst.counting import counted
from avinst.dataset import Dataset
from avinst.errors import UserError
from avinst.nearest import expected


@dataclasses.dataclass(frozen=True)
class StudySettings:
    """What is computed.

    Attributes:
        split: the split that is analyzed.
        selection_split: the split on which features are chosen, or "cross_fit": those that are chosen on one half
            of the analyzed recordings are correlated over the other half, and the other way round. That is done
            too where the split has no recordings or is the analyzed one.
        gradcam_per_label: correct, wrong and least certain recordings of each label that are shown with their
            maps, so many of each.
        gradcam_method: how maps are made.
        gradcam_label: the label whose maps the galleries show; empty: the true one and the predicted one.
        batch_size: segments at once.
        segment_features: whether the features of the single segments are written too.
        correlation: how correlations are computed.
        evidence: what is computed of the maps of all segments.
    """

    split: str = "test"
    selection_split: str = "validation"
    gradcam_per_label: int = 3
    gradcam_method: Method = "gradcam"
    gradcam_label: str = ""
    batch_size: int = 32
    segment_features: bool = False
    correlation: CorrelationSettings = dataclasses.field(default_factory=CorrelationSettings)
    evidence: EvidenceSettings = dataclasses.field(default_factory=EvidenceSettings)


@dataclasses.dataclass(frozen=True)
class Study:
    """What was found out about a model.

    Attributes:
        dataset: what was analyzed.
        settings: how.
        segments: number of segments of the analyzed split.
        segment_features: of these segments.
        features: recordings of the analyzed split.
        selection: the recordings that features were chosen on; the analyzed ones where they are cross-fitted.
        selection_text: the same in words.
        halves: the ids of each half, where features are cross-fitted.
        importance: over the analyzed split.
        selection_importance: over the recordings that features were chosen on; of each half where they are
            cross-fitted, in the order of `halves`.
        correlations: label to the correlations of its most important features.
        skipped: label to the reason why it has none.
        alignment: measures of the two modalities' features as a whole; empty where there are not both.
        exhibits: segments with their Grad-CAM.
        evidence: what the maps of all segments say.
        comparison: with another run; None where none was given.
    """

    dataset: Dataset
    settings: StudySettings
    segments: int
    segment_features: Features
    features: Features
    selection: Features
    selection_text: str
    halves: tuple[tuple[str, ...], ...]
    importance: Importance
    selection_importance: tuple[Importance, ...]
    correlations: Mapping[str, LabelCorrelation]
    skipped: Mapping[str, str]
    alignment: tuple[Alignment, ...]
    exhibits: tuple[Exhibit, ...]
    evidence: Evidence
    comparison: Comparison | None = None


def study_model(
    model: keras.Model,
    dataset: Dataset,
    settings: StudySettings,
    batches: SplitBatches,
    say: Callable[[str], None] = lambda line: None,
    parts_dir: str = "",
    groups: Mapping[str, str] | None = None,
) -> Study:
    """Computes everything that the analysis shows.

    Args:
        model: flat, with contract layer names; one modality is enough.
        dataset: label names, spec and numbers of segments.
        settings: what to compute.
        batches: gives the batches of a split each time it is called.
        say: is told what is being done.
        parts_dir: where features are kept as they come, for an analysis that is killed; empty: nowhere.
        groups: id of a recording to its group (performer, uploader), which stays in one half.

    Raises:
        UserError: the analyzed split has no segments, no label is called as the explained one, or the regions
            are of none of its recordings, or lie in none of their segments.
    """

    def features_of(split: str) -> Features:
        say(f"features of the {split} split, {dataset.segments[split]} segments")
        return split_features(model, dataset, split, batches, settings.batch_size, parts_dir)

    split, selection_split = settings.split, settings.selection_split
    if not dataset.segments.get(split):
        raise UserError(f"{dataset.data_dir!r}: split {split!r} has no segments; give another --split")
    explained_label = _label_index(dataset, settings.gradcam_label)
    segments = features_of(split)
    recordings = segments.by_recording()
    # Boxes of other recordings are told before the minutes of permutations and maps.
    boxes = annotated_boxes(settings.evidence, recordings, batches, dataset, split)
    say("importance")
    head = head_of(model)
    top = {"audio": settings.correlation.top_audio, "visual": settings.correlation.top_visual}
    stability = StabilitySettings(top, settings.correlation.resamples, settings.correlation.seed)
    correlating = f"correlations, {settings.correlation.permutations} permutations a label"
    other = selection_split not in (split, CROSS_FIT) and bool(dataset.segments.get(selection_split))
    selection = features_of(selection_split).by_recording() if other else recordings
    say(correlating)
    correlated = correlate_chosen(recordings, head, selection if other else None, settings.correlation, groups)
    if other:
        text = (
            f"Features were chosen by their importance on the {selection_split} split "
            f"({counted(len(selection), 'recording')}) and correlated on the {split} split "
            f"({counted(len(recordings), 'recording')})."
        )
    else:
        text = cross_fitting_text(split, selection_split, correlated.halves, grouped=bool(groups))
    choices = choose_segments(segments, recordings, settings.gradcam_per_label, explained_label)
    evidence_maps = EvidenceMaps(model, settings.gradcam_method)
    say(f"{METHOD_NAMES[settings.gradcam_method]} of {len(choices)} segments")
    return Study(
        dataset=dataset,
        settings=settings,
        segments=len(segments),
        segment_features=segments,
        features=recordings,
        selection=selection,
        selection_text=text,
        halves=correlated.halves,
        importance=importance(recordings, head, stability),
        selection_importance=correlated.chosen_by,
        correlations=correlated.labels,
        skipped=correlated.skipped,
        alignment=align(
            recordings, settings.correlation.seed, min(settings.correlation.permutations, PERMUTATIONS)
        ),
        exhibits=tuple(make_exhibits(evidence_maps, batches(split), choices, settings.batch_size)),
        evidence=gather_evidence(
            evidence_maps,
            batches,
            dataset,
            split,
            segments,
            recordings,
            boxes,
            settings.evidence,
            batch_size=settings.batch_size,
            seed=settings.correlation.seed,
            say=say,
        ),
    )


def _label_index(dataset: Dataset, name: str) -> int | None:
    if not name:
        return None
    if name not in dataset.labels:
        raise UserError(f"--gradcam_label={name}: no label is called so; {expected(name, dataset.labels)}")
    return dataset.labels.index(name)
