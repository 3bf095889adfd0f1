"""Which segments are shown with their Grad-CAM: correct, wrong and least certain recordings of each label."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

import numpy as np

from analysis.features import Features
from analysis.maps.gradcam import INPUT_OF, MAP_OF, EvidenceMaps, dead_maps, on_input
from analysis.maps.receptive_field import cell_centres

Group = Literal["correct", "wrong", "least_certain"]
GROUPS: tuple[Group, ...] = get_args(Group)


@dataclasses.dataclass(frozen=True)
class Choice:
    """A segment to be shown for a label.

    Attributes:
        label_index: the true label, in whose gallery it is.
        group: of the label's recordings; a recording may be in two groups.
        video_id: the recording.
        segment_index: number of the segment in the recording.
        probability: of the true label, the recording's.
        predicted: names of the labels that the recording was predicted as.
        explained: the labels whose maps are shown: the true one and, where another was predicted in its stead,
            that one; or the one that was asked for.
    """

    label_index: int
    group: Group
    video_id: str
    segment_index: int
    probability: float
    predicted: tuple[str, ...]
    explained: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class LabelEvidence:
    """What speaks for one label in a segment.

    Attributes:
        label_index: the label.
        maps: modality to float32 in [0, 1] of its input's height and width.
        dead: modalities whose map shows no evidence anywhere.
    """

    label_index: int
    maps: Mapping[str, np.ndarray]
    dead: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Exhibit:
    """A chosen segment with what the model got and where it found its evidence.

    Attributes:
        choice: which segment, for which label.
        start_seconds: where the segment begins in its recording.
        inputs: `log_mel` float32 [frames, mels] dB and `frame` uint8 [size, size, 3].
        explained: the evidence for each of the choice's explained labels, in their order.
    """

    choice: Choice
    start_seconds: float
    inputs: Mapping[str, np.ndarray]
    explained: tuple[LabelEvidence, ...]

    @property
    def evidence(self) -> Mapping[str, np.ndarray]:
        """The maps of the first of the explained labels: the true one unless another was asked for."""
        return self.explained[0].maps

    @property
    def dead(self) -> tuple[str, ...]:
        """The modalities whose map for that label shows no evidence anywhere."""
        return self.explained[0].dead


def choose_segments(
    segments: Features, recordings: Features, per_label: int, explained_label: int | None = None
) -> list[Choice]:
    """The middle segments of some recordings of each label and each group.

    `correct` and `wrong` (the label is, or is not, among the predicted ones) are spread evenly from the most to
    the least probable: the best alone would flatter the model. `least_certain` are those of the smallest
    distance between the two most probable labels; where recordings bear several labels, of the probability
    nearest to 0.5.

    Args:
        segments: of the analyzed split.
        recordings: the same by recording.
        per_label: recordings of each group.
        explained_label: the label whose maps are wanted, for all; None: the true and the predicted one.
    """
    by_video: dict[str, list[int]] = {}
    for row, video_id in enumerate(segments.video_id.tolist()):
        by_video.setdefault(video_id, []).append(int(segments.segment_index[row]))
    choices = []
    for label_index in range(len(recordings.label_names)):
        for group, rows in _groups(recordings, label_index, per_label).items():
            for row in rows:
                video_id = str(recordings.video_id[row])
                indices = sorted(by_video[video_id])
                names = zip(recordings.label_names, recordings.predicted[row], strict=True)
                explained = (label_index, *_rival(recordings, row, label_index))
                choices.append(
                    Choice(
                        label_index=label_index,
                        group=group,
                        video_id=video_id,
                        segment_index=indices[len(indices) // 2],
                        probability=float(recordings.probabilities[row, label_index]),
                        predicted=tuple(name for name, held in names if held),
                        explained=explained if explained_label is None else (explained_label,),
                    )
                )
    return choices


def make_exhibits(
    evidence_maps: EvidenceMaps, batches: Iterable[Mapping[str, Any]], choices: list[Choice], batch_size: int
) -> list[Exhibit]:
    """Finds the chosen segments among the batches and computes their maps, those of each modality on its input.

    Args:
        evidence_maps: of the model.
        batches: dicts of `avinst.schema.parse_examples`; read until all are found.
        choices: what to show.
        batch_size: segments at once for Grad-CAM.

    Returns:
        One for each choice, in their order.

    Raises:
        ValueError: a chosen segment is not among the batches.
    """
    if not choices:
        return []
    found = find_segments({(choice.video_id, choice.segment_index) for choice in choices}, batches)
    # A segment is computed once for each label that is explained, in whatever groups it is.
    wanted = sorted(
        {(choice.video_id, choice.segment_index, label) for choice in choices for label in choice.explained}
    )
    chosen = [found[video_id, segment] for video_id, segment, _ in wanted]
    stacked = {name: np.stack([example[name] for example in chosen]) for name in INPUT_OF.values()}
    raw = evidence_maps.in_batches(stacked, np.array([label for *_, label in wanted]), batch_size)
    drawn = {
        modality: on_input(
            maps,
            cell_centres(evidence_maps.model, MAP_OF[modality]),
            stacked[INPUT_OF[modality]].shape[1:3],
        )
        for modality, maps in raw.items()
    }
    dead = {modality: dead_maps(maps) for modality, maps in raw.items()}
    evidence = {
        key: LabelEvidence(
            label_index=key[2],
            maps={modality: maps[row] for modality, maps in drawn.items()},
            dead=tuple(modality for modality in dead if dead[modality][row]),
        )
        for row, key in enumerate(wanted)
    }
    exhibits = []
    for choice in choices:
        example = found[choice.video_id, choice.segment_index]
        exhibits.append(
            Exhibit(
                choice=choice,
                start_seconds=float(example["segment_start_seconds"]),
                inputs={name: example[name] for name in INPUT_OF.values()},
                explained=tuple(
                    evidence[choice.video_id, choice.segment_index, label] for label in choice.explained
                ),
            )
        )
    return exhibits


def _groups(recordings: Features, label_index: int, per_label: int) -> dict[Group, np.ndarray]:
    """Rows of the label's recordings to be shown, by group."""
    rows = np.flatnonzero(recordings.labels[:, label_index])
    probabilities = recordings.probabilities
    rows = rows[np.argsort(-probabilities[rows, label_index], kind="stable")]
    right = recordings.predicted[rows, label_index]
    if recordings.multi_label:
        certainty = np.abs(probabilities[rows, label_index] - 0.5)
    else:
        largest = np.sort(probabilities[rows], axis=1)[:, -2:]
        certainty = largest[:, -1] - largest[:, 0]
    return {
        "correct": _spread(rows[right], per_label),
        "wrong": _spread(rows[~right], per_label),
        "least_certain": rows[np.argsort(certainty, kind="stable")[:per_label]],
    }


def _spread(rows: np.ndarray, number: int) -> np.ndarray:
    """At most `number` of the rows, evenly, the first and the last among them."""
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(number, len(rows))).round().astype(int))]


def _rival(recordings: Features, row: int, label_index: int) -> tuple[int, ...]:
    """The most probable of the labels that were predicted and are not true; none where the label was found."""
    if recordings.predicted[row, label_index]:
        return ()
    rivals = recordings.predicted[row] & ~recordings.labels[row]
    if not rivals.any():
        return ()
    return (int(np.where(rivals, recordings.probabilities[row], -np.inf).argmax()),)


def find_segments(
    wanted: set[tuple[str, int]], batches: Iterable[Mapping[str, Any]]
) -> dict[tuple[str, int], dict[str, np.ndarray]]:
    """Inputs and beginning of the segments of these recordings and numbers; ValueError where one is missing."""
    found: dict[tuple[str, int], dict[str, np.ndarray]] = {}
    names = (*INPUT_OF.values(), "segment_start_seconds")
    for batch in batches:
        ids, numbers = np.asarray(batch["video_id"]), np.asarray(batch["segment_index"])
        for row, key in enumerate(zip((name.decode() for name in ids), numbers.tolist(), strict=True)):
            if key in wanted:
                found[key] = {name: np.asarray(batch[name][row]) for name in names}
        if len(found) == len(wanted):
            return found
    missing = sorted(wanted - set(found))
    raise ValueError(f"segment {missing[0]} is not in the split, {len(missing)} of {len(wanted)} are missing")
