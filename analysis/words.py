"""What the figures say, in words: for the report, TensorBoard and the terminal."""

import math
from collections.abc import Collection, Mapping

import numpy as np

from analysis.comparison.words import comparison_sentences
from analysis.correlations.chosen import FeatureCorrelations
from analysis.correlations.correlation import FEW_RECORDINGS
from analysis.correlations.dead_words import nothing_across
from analysis.correlations.figures import few_recordings_warning
from analysis.correlations.label_correlation import LabelCorrelation, block_q_values, related_labels
from analysis.correlations.overall import overall
from analysis.correlations.overall_words import alignment_sentence, finding
from analysis.correlations.resampling import BEYOND_CHANCE, mean_of_defined
from analysis.importance import Importance
from analysis.study import Study
from avinst.counting import counted, percent


def summary_sentences(study: Study) -> list[str]:
    """The study's findings, the main one first; each a sentence or two of plain text.

    Args:
        study: of `analysis.analyze_run(...).study`.
    """
    return [*relation_sentences(study), *study.evidence.sentences(), *_coverage(study)]


def relation_sentences(study: Study) -> list[str]:
    """What the study says about the two modalities: over all labels, by label, as a whole, beside another run."""
    compared = comparison_sentences(study.comparison)[:1] if study.comparison else []
    modalities = study.features.modalities()
    related = _relation(study.correlations, modalities, multi_label=study.features.multi_label)
    return [*related, *filter(None, [alignment_sentence(study.alignment)]), *compared]


def verdict(result: LabelCorrelation, q_value: float) -> str:
    """What a label's matrix says about the two modalities, and how sure that is.

    Args:
        result: the label's correlations.
        q_value: the p-value of the label's block, corrected over the labels; NaN without a null.
    """
    if result.null is None or not math.isfinite(q_value):
        return "Only one modality has features to correlate, so nothing can be said about the relation of two."
    low, high = result.null.band
    across = result.across
    measured = (
        f"mean |rho| across modalities is {across.value:.2f} [{across.low:.2f}, {across.high:.2f}], "
        f"chance gives {low:.2f} to {high:.2f} (corrected p = {_p_value(q_value)})"
    )
    pairs = int(np.isfinite(result.null.p_values).sum())
    count = int(result.significant.sum())
    strongest = result.strongest_pair()
    pair_text = (
        f"{count} of {counted(pairs, 'pair')} {'is' if count == 1 else 'are'} significant after FDR correction"
    )
    if count and strongest:
        pair_text += f", the strongest {strongest[0]} and {strongest[1]} with rho = {strongest[2]:.2f}"
    if q_value <= BEYOND_CHANCE:
        text = f"Audio and visual features move together beyond chance: {measured}; {pair_text}."
    elif count:
        text = f"Single pairs are related, the features as a whole are not beyond chance: {measured}; {pair_text}."
    else:
        text = f"No relation beyond chance was found: {measured}; {pair_text}."
        if result.recordings_at_once >= FEW_RECORDINGS:
            text += (
                f" Weaker ones cannot be excluded: alone, a pair would need |rho| > {result.detectable_rho:.2f} "
                f"at {counted(result.recordings_at_once, 'recording')}."
            )
    return f"{text} {few_recordings_warning(result)}" if result.recordings_at_once < FEW_RECORDINGS else text


def stability_text(result: Importance, label: str) -> str:
    """How surely a label's most important features are those, a sentence; empty where that was not computed."""
    if result.stability is None or label in result.unpredicted:
        return ""
    index, parts = result.label_names.index(label), []
    for modality, number in result.stability.top.items():
        top = result.top(label, modality, number) if modality in result.values else np.array([], int)
        if len(top):
            share = result.stability.mean_share(index, modality, top)
            parts.append(f"{percent(share)} for the top {len(top)} of {modality}")
    if not parts:
        return ""
    return (
        f"In resamples of the {counted(result.count[label], 'recording')} predicted as it, a feature stays among "
        f"the most important ones in {' and '.join(parts)} (mean)."
    )


def correlation_sentences(found: FeatureCorrelations) -> list[str]:
    """What correlations say about the two modalities: over all labels, then label by label, then what has none.

    Args:
        found: as `analysis.correlate_features` gives it.
    """
    q_values = block_q_values(found.labels)
    return [
        *_relation(found.labels, found.chosen_by[0].values, multi_label=found.multi_label),
        *(f"{label}: {verdict(result, q_values[label])}" for label, result in found.labels.items()),
        *(f"{label}: not correlated, {reason}." for label, reason in found.skipped.items()),
    ]


def _relation(
    results: Mapping[str, LabelCorrelation], modalities: Collection[str], *, multi_label: bool
) -> list[str]:
    if not results:
        return ["For no label could the features be correlated."]
    within = {
        "audio": mean_of_defined(np.array([result.within_audio.value for result in results.values()])),
        "vision": mean_of_defined(np.array([result.within_visual.value for result in results.values()])),
    }
    inside = " and ".join(f"{value:.2f} within {name}" for name, value in within.items() if math.isfinite(value))
    means = overall(results, multi_label=multi_label)
    if means is None:
        text = nothing_across(results, modalities)
        averaged = f"averaged over {counted(len(results), 'label')}"
        return [f"{text} Mean |rho| is {inside}, {averaged}." if inside else text]
    related, judged = related_labels(results), counted(means.labels, "label")
    number = f"{len(related)} of {judged}: {', '.join(related)}" if related else f"none of {judged}"
    by_label = f"The most important audio and visual features move together beyond chance for {number}."
    return [finding(means), by_label]


def _coverage(study: Study) -> list[str]:
    sentences = []
    few = [label for label, result in study.correlations.items() if result.recordings_at_once < FEW_RECORDINGS]
    if few:
        sentences.append(
            f"Warning: fewer than {FEW_RECORDINGS} recordings ({', '.join(few)}): only very strong relations "
            "could be found there, and single large values mean little."
        )
    sentences += [*_chosen_on_few(study), *_few_permutations(study)]
    if study.skipped:
        labels_of: dict[str, list[str]] = {}
        for label, reason in study.skipped.items():
            labels_of.setdefault(reason, []).append(label)
        reasons = "; ".join(f"{', '.join(labels)} ({reason})" for reason, labels in labels_of.items())
        sentences.append(f"Without correlations: {reasons}.")
    if study.importance.unpredicted:
        sentences.append(
            f"No recording of the {study.settings.split} split was predicted as "
            f"{', '.join(study.importance.unpredicted)}: importance is not defined there."
        )
    missing = [name for name in ("audio", "visual") if name not in study.features.modalities()]
    if missing:
        sentences.append(f"The model has no {missing[0]} branch: its features and maps are missing.")
    return sentences


def _chosen_on_few(study: Study) -> list[str]:
    """A warning where features were chosen on another split of which few recordings were predicted as a label.

    Predicted, not true: importance is the mean over the recordings that were predicted as the label.
    """
    if study.halves:
        return []
    here, there = study.importance.count, study.selection_importance[0].count
    few = [label for label in study.correlations if there[label] < FEW_RECORDINGS]
    if not few:
        return []
    least, most = min(there[label] for label in few), max(there[label] for label in few)
    how_many = f"{least}" if least == most else f"{least} to {most}"
    labels = "each label" if len(few) == len(study.correlations) else ", ".join(few)
    text = (
        f"Warning: features were chosen on few recordings of the {study.settings.selection_split} split "
        f"({how_many} predicted as {labels}; under {FEW_RECORDINGS} the choice is mostly noise)"
    )
    # A half is predicted as each label about half as often as all of the analyzed recordings.
    if all(here[label] // 2 > there[label] for label in few):
        text += f"; --selection_split=cross_fit chooses them on halves of the {study.settings.split} split"
    return [f"{text}."]


def _few_permutations(study: Study) -> list[str]:
    """A warning where so few permutations were made that something cannot be found, whatever the data are."""
    made = study.settings.correlation.permutations
    judged = sum(result.null is not None for result in study.correlations.values())
    tests = {
        "a label alone": judged,
        "a measure of all features": len(study.alignment),
        "the mean": 0 if study.features.multi_label else min(judged, 1),  # labels that share recordings: no p
    }
    needed = {what: math.ceil(count / BEYOND_CHANCE) - 1 for what, count in tests.items()}
    missed = [what for what, number in needed.items() if made < number]
    if not missed:
        return []
    return [
        f"Warning: with {counted(made, 'permutation')} {' and '.join(missed)} cannot be found beyond chance, "
        f"however related; give --permutations={max(needed.values())} or more."
    ]


def _p_value(value: float) -> str:
    return f"{value:.2g}" if value >= 0.001 else f"{value:.0e}"
