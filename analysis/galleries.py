"""Which segments are shown with their Grad-CAM: from the most to the least certain recording of each label."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np

from analysis.features import Features
from analysis.gradcam import INPUT_OF, MAP_OF, EvidenceMaps, dead_maps, on_input
from analysis.receptive_field import cell_centres


@dataclasses.dataclass(frozen=True)
class Choice:
    """A segment to be shown for a label.

    Attributes:
        label_index: the true label, whose logit is explained.
        video_id: the recording.
        segment_index: number of the segment in the recording.
        probability: of the label, the recording's.
        predicted: names of the labels that the recording was predicted as.
    """

    label_index: int
    video_id: str
    segment_index: int
    probability: float
    predicted: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Exhibit:
    """A chosen segment with what the model got and where it found its evidence.

    Attributes:
        choice: which segment, for which label.
        start_seconds: where the segment begins in its recording.
        inputs: `log_mel` float32 [frames, mels] dB and `frame` uint8 [size, size, 3].
        evidence: modality to float32 in [0, 1] of its input's height and width.
        dead: modalities whose map shows no evidence anywhere.
    """

    choice: Choice
    start_seconds: float
    inputs: Mapping[str, np.ndarray]
    evidence: Mapping[str, np.ndarray]
    dead: tuple[str, ...]


def choose_segments(segments: Features, recordings: Features, per_label: int) -> list[Choice]:
    """The middle segment of recordings spread evenly from the most to the least certain one of each label.

    Neither the best nor the worst alone: a gallery of the most certain recordings would flatter the model.
    """
    by_video: dict[str, list[int]] = {}
    for row, video_id in enumerate(segments.video_id.tolist()):
        by_video.setdefault(video_id, []).append(int(segments.segment_index[row]))
    choices = []
    for label_index in range(len(recordings.label_names)):
        rows = np.flatnonzero(recordings.labels[:, label_index])
        rows = rows[np.argsort(-recordings.probabilities[rows, label_index], kind="stable")]
        spread = np.unique(np.linspace(0, len(rows) - 1, min(per_label, len(rows))).round().astype(int))
        for row in rows[spread]:
            video_id = str(recordings.video_id[row])
            indices = sorted(by_video[video_id])
            choices.append(
                Choice(
                    label_index=label_index,
                    video_id=video_id,
                    segment_index=indices[len(indices) // 2],
                    probability=float(recordings.probabilities[row, label_index]),
                    predicted=tuple(
                        name
                        for name, held in zip(recordings.label_names, recordings.predicted[row], strict=True)
                        if held
                    ),
                )
            )
    return choices


def make_exhibits(
    model: keras.Model, batches: Iterable[Mapping[str, Any]], choices: list[Choice], batch_size: int
) -> list[Exhibit]:
    """Finds the chosen segments among the batches and computes their maps, those of each modality on its input.

    Args:
        model: flat, with contract layers.
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
    found = _find({(choice.video_id, choice.segment_index) for choice in choices}, batches)
    chosen = [found[choice.video_id, choice.segment_index] for choice in choices]
    stacked = {name: np.stack([example[name] for example in chosen]) for name in INPUT_OF.values()}
    indices = np.array([choice.label_index for choice in choices])
    evidence: dict[str, np.ndarray] = {}
    dead: dict[str, np.ndarray] = {}
    for modality, maps in EvidenceMaps(model).in_batches(stacked, indices, batch_size).items():
        centres = cell_centres(model, MAP_OF[modality])
        evidence[modality] = on_input(maps, centres, stacked[INPUT_OF[modality]].shape[1:3])
        dead[modality] = dead_maps(maps)
    return [
        Exhibit(
            choice=choice,
            start_seconds=float(example["segment_start_seconds"]),
            inputs={name: example[name] for name in INPUT_OF.values()},
            evidence={modality: values[position] for modality, values in evidence.items()},
            dead=tuple(modality for modality in dead if dead[modality][position]),
        )
        for position, (choice, example) in enumerate(zip(choices, chosen, strict=True))
    ]


def _find(
    wanted: set[tuple[str, int]], batches: Iterable[Mapping[str, Any]]
) -> dict[tuple[str, int], dict[str, np.ndarray]]:
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
