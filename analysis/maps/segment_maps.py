"""The raw maps of every segment of a split for its true labels: what all counts and means of maps are made of."""

import dataclasses
import io
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from analysis.maps.gradcam import INPUT_OF, MAP_OF, EvidenceMaps, dead_maps
from analysis.maps.receptive_field import cell_centres
from avinst import paths
from avinst.progress import Progress


@dataclasses.dataclass(frozen=True)
class SegmentMaps:
    """A row is a segment and one of its true labels.

    Attributes:
        label_names: the dataset's.
        video_id: str [n], the recording.
        start_seconds: float32 [n], where the segment begins in the file, seconds.
        label_index: int [n], the true label whose logit is explained.
        maps: modality to float32 [n, rows, columns], at least 0, not normalised.
        centres: modality to the places that the maps' rows and columns look at (`cell_centres`).
    """

    label_names: tuple[str, ...]
    video_id: np.ndarray
    start_seconds: np.ndarray
    label_index: np.ndarray
    maps: Mapping[str, np.ndarray]
    centres: Mapping[str, tuple[np.ndarray, np.ndarray]]


def segment_maps(
    evidence_maps: EvidenceMaps,
    batches: Iterable[Mapping[str, Any]],
    label_names: tuple[str, ...],
    total: int | None = None,
) -> SegmentMaps:
    """Computes the maps of all segments.

    Args:
        evidence_maps: of the model.
        batches: dicts of `avinst.schema.parse_examples`, at least one.
        label_names: the dataset's.
        total: number of segments, for the progress line.
    """
    kept: dict[str, list[np.ndarray]] = {name: [] for name in ("video_id", "start_seconds", "label_index")}
    maps: dict[str, list[np.ndarray]] = {modality: [] for modality in evidence_maps.modalities}
    names = [INPUT_OF[modality] for modality in evidence_maps.modalities]
    progress = Progress("maps: segments", total)
    for batch in batches:
        labels = np.asarray(batch["label"]) > 0
        rows, label_index = np.nonzero(labels)
        inputs = {name: np.asarray(batch[name])[rows] for name in names}
        found = evidence_maps.in_batches(inputs, label_index, max(1, len(labels)))
        for modality, values in found.items():
            maps[modality].append(values)
        kept["video_id"].append(np.array([name.decode() for name in np.asarray(batch["video_id"])])[rows])
        kept["start_seconds"].append(np.asarray(batch["segment_start_seconds"])[rows])
        kept["label_index"].append(label_index)
        progress.advance(len(labels))
    progress.finish()
    return SegmentMaps(
        label_names=label_names,
        **{name: np.concatenate(parts) for name, parts in kept.items()},
        maps={modality: np.concatenate(parts) for modality, parts in maps.items()},
        centres={modality: cell_centres(evidence_maps.model, MAP_OF[modality]) for modality in maps},
    )


def save_segment_maps(found: SegmentMaps, path: str) -> None:
    """Writes `video_id`, `start_seconds`, `label`, and for each modality `<modality>_maps` and its cells' centres.

    Centres are pixels of the frame, and windows and mel bands of the spectrogram.
    """
    arrays: dict[str, Any] = {
        "video_id": found.video_id,
        "start_seconds": found.start_seconds,
        "label": np.array(found.label_names)[found.label_index],
    }
    for modality, maps in found.maps.items():
        arrays[f"{modality}_maps"] = maps
        arrays[f"{modality}_row_centres"], arrays[f"{modality}_column_centres"] = found.centres[modality]
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    paths.write_bytes(path, buffer.getvalue())


@dataclasses.dataclass(frozen=True)
class DeadCount:
    """How many maps of a label and a modality show no evidence anywhere.

    Attributes:
        label: whose maps.
        modality: `audio` or `visual`.
        segments: that bear the label.
        dead_segments: of these, those with a dead map.
        recordings: that bear the label.
        dead_recordings: ids of those all of whose segments have a dead map.
    """

    label: str
    modality: str
    segments: int
    dead_segments: int
    recordings: int
    dead_recordings: tuple[str, ...]


def count_dead(found: SegmentMaps) -> list[DeadCount]:
    """Counts them over all segments, for each modality and each label that a segment bears."""
    counts = []
    for modality, maps in found.maps.items():
        dead = dead_maps(maps)
        for index in np.unique(found.label_index):
            rows = found.label_index == index
            recordings = np.unique(found.video_id[rows])
            alive = np.unique(found.video_id[rows & ~dead])
            counts.append(
                DeadCount(
                    label=found.label_names[index],
                    modality=modality,
                    segments=int(rows.sum()),
                    dead_segments=int((rows & dead).sum()),
                    recordings=len(recordings),
                    dead_recordings=tuple(np.setdiff1d(recordings, alive).tolist()),
                )
            )
    return counts
