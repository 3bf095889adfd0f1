"""The studied split in TensorBoard's projector: both encoders' features of its recordings, by label."""

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from analysis.extraction import Batches
from analysis.study import Study
from trainer.board.projector import RecordingFeatures, write_projector
from trainer.evaluation.predictions import Predictions


def write_embeddings(study: Study, model: keras.Model, batches: Batches, log_dir: str) -> None:
    """Writes what the projector shows, as `avinst evaluate` does, beside the study's other summaries.

    The features are the study's; a pass over the split gives the thumbnails only, and runs no model.

    Args:
        study: of the split.
        model: that was studied.
        batches: of the split, in the study's order.
        log_dir: the folder of the study's summaries, which holds an event file.
    """
    segments = study.segment_features
    keys = zip(segments.video_id.tolist(), segments.segment_index.tolist(), strict=True)
    row_of = {key: row for row, key in enumerate(keys)}
    gathered = RecordingFeatures(model, len(study.features))
    for batch in batches:
        rows = [row_of[key] for key in _keys(batch)]
        outputs = {f"{modality}_features": values[rows] for modality, values in segments.modalities().items()}
        shown = {name: tf.convert_to_tensor(batch[name]) for name in ("video_id", "frame")}
        gathered.observe(shown, outputs)
    predictions = Predictions(
        video_ids=segments.video_id,
        segment_index=segments.segment_index,
        start_seconds=np.zeros(len(segments), np.float32),
        labels=segments.labels.astype(np.float32),
        probabilities=segments.probabilities,
    )
    write_projector(
        log_dir,
        gathered,
        predictions.by_recording(),
        segments.label_names,
        multi_label=segments.multi_label,
    )


def _keys(batch: Mapping[str, np.ndarray | tf.Tensor]) -> list[tuple[str, int]]:
    ids = [name.decode() for name in np.asarray(batch["video_id"]).tolist()]
    return list(zip(ids, np.asarray(batch["segment_index"]).tolist(), strict=True))
