"""Cross-fitting: features chosen on one half of the recordings are correlated on the other, both ways round."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from analysis.correlations.correlation import CorrelationSettings, correlate, stable_number
from analysis.correlations.label_correlation import LabelCorrelation, clustered
from analysis.correlations.resampling import mean_of_defined
from analysis.correlations.spearman import PermutationNull, centred_intervals, corrected
from analysis.features import Features
from analysis.importance import Importance

CROSS_FIT = "cross_fit"


def halves(features: Features, groups: Mapping[str, str] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Two int arrays of rows that share the recordings of every label as evenly as can be.

    Recordings of a group are in one half. Groups go one after the other, the largest first and else in the order
    of a hash, to the half that has fewer of their labels: the same on every machine, whatever the rows' order.

    Args:
        features: of recordings.
        groups: id to group (performer, uploader); a recording that is not named is a group of its own.
    """
    members: dict[str, list[int]] = {}
    for row, video_id in enumerate(features.video_id.tolist()):
        group = (groups or {}).get(video_id)
        members.setdefault(f"recording {video_id}" if group is None else f"group {group}", []).append(row)
    sides: tuple[list[int], list[int]] = ([], [])
    ahead = np.zeros(features.labels.shape[1], dtype=int)  # of each label, recordings more in the first half
    for group in sorted(members, key=lambda name: (-len(members[name]), stable_number(name))):
        rows = members[group]
        counts = features.labels[rows].sum(axis=0)
        more = len(sides[0]) - len(sides[1])
        # Unevenness of the labels, then of the halves, with the group in the first and in the second half.
        either = [(int(np.square(ahead + s * counts).sum()), abs(more + s * len(rows))) for s in (1, -1)]
        side = either.index(min(either))
        sides[side].extend(rows)
        ahead += counts if side == 0 else -counts
    return np.sort(np.array(sides[0], dtype=int)), np.sort(np.array(sides[1], dtype=int))


def cross_fit(
    parts: Sequence[Features],
    chosen_by: Sequence[Importance],
    settings: CorrelationSettings,
    advance: Callable[[], None] = lambda: None,
) -> tuple[dict[str, LabelCorrelation], dict[str, str]]:
    """Every label's correlations over all parts, each with features that were chosen without it.

    Args:
        parts: recordings to correlate over, part by part.
        chosen_by: for each part the importance on other recordings; it decides which features.
        settings: how many features, and how.
        advance: is called after each label of each part.

    Returns:
        Label to result, which is over the parts where the label has enough recordings; label to reason why there
        is none.
    """
    found = [
        correlate(part, importance, settings, number, advance)
        for number, (part, importance) in enumerate(zip(parts, chosen_by, strict=True))
    ]
    results: dict[str, LabelCorrelation] = {}
    skipped: dict[str, str] = {}
    for label in parts[0].label_names:
        measured = [results_of_part[label] for results_of_part, _ in found if label in results_of_part]
        if measured:
            results[label] = clustered(join(measured))
        else:
            reasons = dict.fromkeys(f"in a half, {skipped_of_part[label]}" for _, skipped_of_part in found)
            skipped[label] = "; ".join(reasons)
    return results, skipped


def cross_fitting_text(
    split: str, selection_split: str, half_ids: Sequence[Sequence[str]], *, grouped: bool
) -> str:
    """How features were chosen, in words.

    Args:
        split: the analyzed one.
        selection_split: the one that features were to be chosen on, which is the analyzed one or has no
            recordings; or CROSS_FIT.
        half_ids: the recordings of each half.
        grouped: recordings of one group of the manifest are in one half.
    """
    first, second = (len(ids) for ids in half_ids)
    why = "Features were cross-fitted"
    if selection_split == split:
        why = f"The {split} split is both analyzed and the one to choose features on, so they were cross-fitted"
    elif selection_split != CROSS_FIT:
        why = f"The {selection_split} split has no recordings to choose features on, so they were cross-fitted"
    text = why + (
        f": those that were chosen by their importance on one half of the {split} recordings ({first}) were "
        f"correlated over the other half ({second}), and the other way round. A pair's rho is the mean of the "
        "halves in which it was tested; where that is both, its p-value is twice the lesser one."
    )
    return f"{text} Recordings of a group are in one half." if grouped else text


def join(parts: Sequence[LabelCorrelation]) -> LabelCorrelation:
    """One label's correlations in several parts, as one.

    A pair that was tested in one part keeps its p-value; one that was tested in k parts gets min(1, k min(p)), and
    the correction of Benjamini and Hochberg is over all pairs. rho is the mean over the parts in which a pair was
    tested, and so are the blocks' mean |rho|, their resamples and their permutations.

    Args:
        parts: of one label; each part's features were chosen without its recordings.
    """
    audio = list(dict.fromkeys(name for part in parts for name in part.names[: part.audio_count]))
    visual = list(dict.fromkeys(name for part in parts for name in part.names[part.audio_count :]))
    names = (*audio, *visual)
    place = {name: number for number, name in enumerate(names)}
    places = [np.array([place[name] for name in part.names], dtype=int) for part in parts]
    tested = np.zeros((len(names), len(names)), dtype=bool)
    rho = np.full((len(parts), *tested.shape), np.nan)
    for number, (part, at) in enumerate(zip(parts, places, strict=True)):
        tested[np.ix_(at, at)] = True
        rho[number][np.ix_(at, at)] = part.rho
    means = np.array([[mean.value for mean in (p.within_audio, p.within_visual, p.across)] for p in parts])
    # A block that is dead in one part is judged in the others alone.
    weights = np.where(np.isfinite(means), 1.0, 0.0)
    weights /= np.maximum(weights.sum(axis=0), 1.0)
    resampled = sum(
        np.where(weight > 0, weight * part.resampled, 0.0) for weight, part in zip(weights, parts, strict=True)
    )
    within_audio, within_visual, across = centred_intervals(mean_of_defined(means), np.asarray(resampled))
    chosen_in = {name: [part for part in parts if name in part.names] for name in names}
    return LabelCorrelation(
        label=parts[0].label,
        names=names,
        audio_count=len(audio),
        rho=mean_of_defined(rho),
        tested=tested,
        recordings=sum(part.recordings for part in parts),
        part_recordings=tuple(part.recordings for part in parts),
        dead=tuple(name for name in names if all(name in part.dead for part in chosen_in[name])),
        within_audio=within_audio,
        within_visual=within_visual,
        across=across,
        resampled=np.asarray(resampled),
        null=_joined_null(parts, places, len(audio), len(visual)),
        fdr_level=parts[0].fdr_level,
    )


def _joined_null(
    parts: Sequence[LabelCorrelation], places: Sequence[np.ndarray], audio: int, visual: int
) -> PermutationNull | None:
    nulls = [part.null for part in parts if part.null is not None]
    if len(nulls) < len(parts):
        return None
    p_values = np.full((len(parts), audio, visual), np.nan)
    for number, (part, null) in enumerate(zip(parts, nulls, strict=True)):
        at, count = places[number], part.audio_count
        p_values[number][np.ix_(at[:count], at[count:] - audio)] = null.p_values
    tests = np.isfinite(p_values).sum(axis=0)
    least = np.where(np.isfinite(p_values), p_values, np.inf).min(axis=0)
    p_joined = np.where(tests > 0, np.minimum(tests * np.where(tests > 0, least, 1.0), 1.0), np.nan)
    return PermutationNull(
        p_values=p_joined,
        q_values=corrected(p_joined),
        mean_absolute=mean_of_defined(np.stack([null.mean_absolute for null in nulls])),
        maximum=np.fmax.reduce([null.maximum for null in nulls]),
    )
