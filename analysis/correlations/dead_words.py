"""Why nothing can be said about two modalities: the model has one, or what was chosen of one never varies."""

from collections.abc import Collection, Mapping

from analysis.correlations.label_correlation import LabelCorrelation
from analysis.features import MODALITIES


def nothing_across(results: Mapping[str, LabelCorrelation], modalities: Collection[str]) -> str:
    """Why no label has correlations across the modalities, a sentence.

    Args:
        results: label to its correlations, none of which has any across; at least one.
        modalities: those that the model has features of, of audio and visual.
    """
    if len(modalities) < 2:
        return "The model has one modality, so nothing can be said about the relation of two."
    reasons = [reason for modality in MODALITIES if (reason := _dead(results, modality))]
    why = " and ".join(reasons) or "for no label do chosen features of both vary over the same recordings"
    branch = " (so it is where a branch of the model is dead)" if reasons else ""
    return f"The model has two modalities, but {why}{branch}: nothing can be said about their relation."


def _dead(results: Mapping[str, LabelCorrelation], modality: str) -> str:
    """What is wrong with the modality's chosen features; empty where one of any label varies."""
    chosen = [(name, one) for one in results.values() for name in _names(one, modality)]
    if not chosen:
        return f"no {modality} feature contributes to any label (importance 0 where features were chosen)"
    if all(name in one.dead for name, one in chosen):
        return f"the {modality} features that were chosen are the same in all recordings of each label"
    return ""


def _names(result: LabelCorrelation, modality: str) -> tuple[str, ...]:
    count = result.audio_count
    return result.names[:count] if modality == "audio" else result.names[count:]
