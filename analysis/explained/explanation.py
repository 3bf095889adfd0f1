"""What a run says of one video, second by second, and where in sound and picture it finds its evidence."""

import dataclasses
import math
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from analysis.explained.kept_segments import KeptSegments
from analysis.features import model_inputs
from analysis.maps.gradcam import MAP_OF, EvidenceMaps
from analysis.maps.receptive_field import cell_centres
from avinst.errors import UserError
from avinst.media.decoder import Decoder
from avinst.media.types import Loss, MediaError
from avinst.media.video_segments import loss_in_words, segment_batches
from avinst.nearest import expected
from avinst.spec import DatasetSpec


@dataclasses.dataclass(frozen=True)
class Detecting:
    """A model and what its inputs and outputs are.

    Attributes:
        model: flat, with contract layers.
        spec: what a segment is.
        labels: names of the outputs, in order.
    """

    model: keras.Model
    spec: DatasetSpec
    labels: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Explanation:
    """What is shown of a video: one row for each segment that could be decoded.

    Attributes:
        spec: what a segment is.
        labels: names of the columns of `probabilities`.
        label_index: the label that is explained.
        start_seconds: media time at which segment 0 begins.
        rows: int [segments in the part]: the row of each segment, -1 of one that could not be decoded.
        probabilities: float32 [rows, labels].
        maps: modality to Grad-CAM, float32 [rows, map's rows, map's columns] in [0, 1], where 1 is the largest
            value of the whole video, so that seconds compare; 0 everywhere: no evidence for the label.
        centres: modality to where the rows and columns of its maps look in the input (`cell_centres`).
        log_mel: float16 [rows, frames, mels], dB; on disk.
        waveform: float32 [rows, segment_samples] in [-1, 1]; on disk.
        losses: parts of the video that could not be used, in words.
    """

    spec: DatasetSpec
    labels: tuple[str, ...]
    label_index: int
    start_seconds: float
    rows: np.ndarray
    probabilities: np.ndarray
    maps: dict[str, np.ndarray]
    centres: dict[str, tuple[np.ndarray, np.ndarray]]
    log_mel: np.ndarray
    waveform: np.ndarray
    losses: tuple[str, ...]

    @property
    def label(self) -> str:
        """Name of the label that is explained."""
        return self.labels[self.label_index]

    @property
    def recording_probabilities(self) -> np.ndarray:
        """float32 [labels], the mean over the rows."""
        return np.asarray(self.probabilities.mean(axis=0))

    def seconds(self, segment: int) -> float:
        """Media time at which a segment begins."""
        return self.start_seconds + segment * self.spec.segment_seconds


def explain_video(
    detecting: Detecting,
    video_path: str,
    decoder: Decoder,
    folder: str,
    label: str = "",
    start_seconds: float = 0.0,
    end_seconds: float = math.inf,
    batch_size: int = 32,
    say: Callable[[int], None] = lambda segments: None,
) -> Explanation:
    """Predicts a video's segments and computes their maps. Memory does not grow with the sound and the pictures.

    Args:
        detecting: the model.
        video_path: a media file.
        decoder: the child process that decodes.
        folder: where to keep what the maps are computed from; the caller deletes it.
        label: the one to explain; empty: the recording's most probable one.
        start_seconds: where to begin in the file.
        end_seconds: where to end.
        batch_size: segments at once for Grad-CAM.
        say: is told how many segments were decoded.

    Raises:
        UserError: no such file, nothing in it can be used, or no such label.
    """
    label_index = index_of_label(label, detecting.labels) if label else None
    kept = KeptSegments(detecting.spec, folder)
    # With a list of inputs, whatever structure the model was built with.
    listed = keras.Model(detecting.model.inputs, detecting.model.get_layer("probabilities").output)
    predict = tf.function(lambda inputs: listed(inputs, training=False), reduce_retracing=True)
    losses: list[Loss | MediaError] = []
    predicted = []
    for segments in segment_batches(video_path, decoder, detecting.spec, losses, start_seconds, end_seconds):
        batch = kept.add(segments)
        predicted.append(np.asarray(predict(model_inputs(detecting.model, batch)), np.float32))
        say(len(kept.numbers))
    lost = [loss.segment for loss in losses if isinstance(loss, Loss) and loss.segment is not None]
    rows = np.full(1 + max([*kept.numbers, *lost]), -1)
    rows[kept.numbers] = np.arange(len(kept.numbers))
    probabilities = np.concatenate(predicted)
    if label_index is None:
        label_index = int(np.argmax(probabilities.mean(axis=0)))
    maps = _scaled_maps(detecting.model, kept, label_index, batch_size)
    return Explanation(
        spec=detecting.spec,
        labels=detecting.labels,
        label_index=label_index,
        start_seconds=max(0.0, start_seconds),
        rows=rows,
        probabilities=probabilities,
        maps=maps,
        centres={modality: cell_centres(detecting.model, MAP_OF[modality]) for modality in maps},
        log_mel=kept.log_mel(),
        waveform=kept.waveform(),
        losses=tuple(map(loss_in_words, losses)),
    )


def _scaled_maps(
    model: keras.Model, kept: KeptSegments, label_index: int, batch_size: int
) -> dict[str, np.ndarray]:
    """Grad-CAM of all segments by modality, [rows, map's rows, map's columns], its maximum over the video 1."""
    evidence = EvidenceMaps(model)
    found = [evidence(batch, np.full(len(batch["frame"]), label_index)) for batch in kept.batches(batch_size)]
    scaled = {}
    for modality in evidence.modalities:
        maps = np.concatenate([part[modality] for part in found])
        largest = maps.max()
        scaled[modality] = maps / largest if largest > 0 else maps
    return scaled


def index_of_label(label: str, labels: tuple[str, ...]) -> int:
    """The label's column; raises UserError where there is none of this name."""
    if label not in labels:
        raise UserError(f"the run has no label {label!r}; {expected(label, labels)}")
    return labels.index(label)
