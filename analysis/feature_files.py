"""Features as files: `features.npz`, one row a recording, and `segment_features.npz`, one row a segment."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis.features import Features
from avinst import paths
from avinst.errors import UserError
from avinst.manifests.rows import LABEL_SEPARATOR
from avinst.nearest import file_hint


def save_features(features: Features, path: str) -> None:
    """Writes recordings or segments, one row each; no array for a modality that is not there.

    `label` and `predicted` are names as in a manifest, several joined by '|', empty where nothing was predicted;
    `label_names` orders the columns of `probabilities` and `logits`. `segment_index` is there of segments only.
    """
    arrays: dict[str, Any] = {
        "video_id": features.video_id,
        "label": _joined(features.labels, features.label_names),
        "predicted": _joined(features.predicted, features.label_names),
        "probabilities": features.probabilities,
        "logits": features.logits,
        "label_names": np.array(features.label_names),
        "multi_label": np.array(features.multi_label),
    }
    if (features.segment_index >= 0).any():
        arrays["segment_index"] = features.segment_index
    arrays |= {f"{modality}_features": values for modality, values in features.modalities().items()}
    # Straight into the file: the features of many segments do not fit in memory twice.
    with paths.writing_locally(path) as local, open(local, "wb") as file:  # noqa: PTH123
        np.savez_compressed(file, **arrays)


def load_features(path: str) -> Features:
    """The inverse of `save_features`; raises UserError where there is no such file."""
    if not paths.exists(path):
        raise UserError(f"no features at {path!r}{file_hint(path)}; make them with avinst analyze")
    with np.load(io.BytesIO(paths.read_bytes(path)), allow_pickle=False) as arrays:
        names = tuple(arrays["label_names"].tolist())
        label_sets = [set(text.split(LABEL_SEPARATOR)) for text in arrays["label"].tolist()]
        segments = arrays.get("segment_index")
        return Features(
            label_names=names,
            multi_label=bool(arrays["multi_label"]),
            video_id=arrays["video_id"],
            segment_index=np.full(len(label_sets), -1) if segments is None else segments,
            labels=np.array([[name in labels for name in names] for labels in label_sets], dtype=bool),
            logits=arrays["logits"],
            probabilities=arrays["probabilities"],
            audio=arrays.get("audio_features"),
            visual=arrays.get("visual_features"),
        )


def _joined(mask: np.ndarray, names: Sequence[str]) -> np.ndarray:
    return np.array(
        [LABEL_SEPARATOR.join(name for name, held in zip(names, row, strict=True) if held) for row in mask]
    )
