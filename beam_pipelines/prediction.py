"""What a detector says of one video: label probabilities of each segment and of the whole recording."""

import dataclasses
import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from avinst.media.decoder import Decoder
from avinst.media.types import Loss, MediaError
from avinst.media.video_segments import BATCH, loss_in_words, segment_batches
from avinst.paths import StrPath
from beam_pipelines import prediction_text
from beam_pipelines.detector import Detector

if TYPE_CHECKING:
    from beam_pipelines.prediction_figure import Thumbnails


@dataclasses.dataclass(frozen=True)
class Prediction:
    """One recording's probabilities.

    Attributes:
        video_path: as it was given.
        labels: names of the columns.
        start_seconds: float64 [segments].
        segment_probabilities: float32 [segments, labels].
        losses: parts of the video that could not be used, in words.
        segment_seconds: length of a segment.
    """

    video_path: str
    labels: tuple[str, ...]
    start_seconds: np.ndarray
    segment_probabilities: np.ndarray
    losses: tuple[str, ...]
    segment_seconds: float

    @property
    def probabilities(self) -> np.ndarray:
        """The recording's: the mean over its segments, float32 [labels]."""
        return np.asarray(self.segment_probabilities.mean(axis=0))

    def ranked(self) -> list[tuple[str, float]]:
        """(label, probability of the recording), the most probable first."""
        order = np.argsort(-self.probabilities, kind="stable")
        return [(self.labels[index], float(self.probabilities[index])) for index in order]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values: probabilities of the recording and of every segment, as in written files."""
        return {
            "video_path": self.video_path,
            "probabilities": prediction_text.plain(self.labels, self.probabilities),
            "segments": [
                {
                    "start_seconds": float(start),
                    "probabilities": prediction_text.plain(self.labels, row),
                }
                for start, row in zip(self.start_seconds, self.segment_probabilities, strict=True)
            ],
            "losses": list(self.losses),
        }


def predict_video(
    detector: Detector,
    video_path: StrPath,
    decoder: Decoder | None = None,
    start_seconds: float = 0.0,
    end_seconds: float = math.inf,
    *,
    batch_size: int = BATCH,
    thumbnails: "Thumbnails | None" = None,
) -> Prediction:
    """Decodes a video and asks the detector about each of its segments.

    Args:
        detector: an exported model.
        video_path: a media file.
        decoder: the child process that decodes; None: one is started for this video.
        start_seconds: where to begin in the file.
        end_seconds: where to end.
        batch_size: segments that the model is given at once.
        thumbnails: is shown every segment, for a figure.

    Returns:
        Label probabilities of each segment, and of the recording.

    Raises:
        UserError: no such file, one that may not be looked at or fetched, or nothing in it can be used.
    """
    video_path = os.fspath(video_path)
    if decoder is None:
        with Decoder() as own:
            return predict_video(
                detector,
                video_path,
                own,
                start_seconds,
                end_seconds,
                batch_size=batch_size,
                thumbnails=thumbnails,
            )
    losses: list[Loss | MediaError] = []
    rows: list[np.ndarray] = []
    starts: list[float] = []
    span = (start_seconds, end_seconds)
    for segments in segment_batches(video_path, decoder, detector.spec, losses, *span, batch_size=batch_size):
        waveforms = np.stack([segment.waveform for segment in segments])
        rows.append(detector.probabilities(waveforms, np.array([segment.jpeg for segment in segments], object)))
        starts.extend(segment.start_seconds for segment in segments)
        if thumbnails:
            thumbnails.add(segments)
    words = tuple(map(loss_in_words, losses))
    seconds = detector.spec.segment_seconds
    return Prediction(video_path, detector.labels, np.array(starts), np.concatenate(rows), words, seconds)
