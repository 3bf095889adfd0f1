"""Writes one shard of predictions: decodes its recordings, fills batches across them, asks the model."""

from collections.abc import Iterator

import numpy as np

from avinst import paths
from avinst.manifests.rows import ManifestRow
from avinst.media.decoder import Decoder
from avinst.media.types import Segment
from beam_pipelines.detector import FEATURES_SIGNATURE, SIGNATURE, Detector
from beam_pipelines.layout import Shard
from beam_pipelines.prediction_parts import PartWriter
from beam_pipelines.prediction_work import PredictionWork
from beam_pipelines.row_segments import batched, segments_of
from beam_pipelines.shard_record import PredictionsRecord, media_size, save_record
from beam_pipelines.tally import Tally


def write_predictions(
    shard: Shard, *, detector: Detector, decoder: Decoder, work: PredictionWork
) -> PredictionsRecord:
    """Makes a shard's files and then its record; a crash before the record leaves it undone.

    Batches hold segments of as many recordings as it takes to fill them, so that short clips cost no more than
    long ones. What they hold depends on the shard and the batch size alone.

    Returns:
        The record, as it was saved.
    """
    tally = Tally()
    signature = FEATURES_SIGNATURE if work.features else SIGNATURE
    parts = PartWriter(
        work.output_dir,
        shard.name,
        detector.labels,
        work.text_format,
        labelled=work.labelled,
        features=work.features,
    )
    with parts:
        for batch in batched(_segments(shard, detector, decoder, work.media_root, tally), work.batch_size):
            waveforms = np.stack([segment.waveform for _, segment in batch])
            jpegs = np.array([segment.jpeg for _, segment in batch], object)
            outputs = detector.outputs(waveforms, jpegs, signature)
            for position, (row, segment) in enumerate(batch):
                parts.add(row, segment, {name: values[position] for name, values in outputs.items()})
                tally.add_segment(row.video_id)
        parts.finish()
    tally.finish(shard.rows)
    sizes = {file: paths.size(paths.join(work.output_dir, file)) for file in parts.files}
    record = PredictionsRecord(**tally.common(shard, decoder.limits), files=sizes)
    save_record(record, work.output_dir)
    return record


def _segments(
    shard: Shard, detector: Detector, decoder: Decoder, media_root: str, tally: Tally
) -> Iterator[tuple[ManifestRow, Segment]]:
    for row in shard.rows:
        tally.start(row, media_size(media_root, row))
        for segment in segments_of(row, detector.spec, media_root, decoder, tally.reject):
            yield row, segment
