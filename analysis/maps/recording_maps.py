"""Grad-CAM of one recording of a dataset: where in its frames and spectrograms the evidence for a label lies."""

import dataclasses
from collections.abc import Mapping

import keras
import numpy as np
from matplotlib.figure import Figure

from analysis.features import model_inputs
from analysis.maps.gradcam import INPUT_OF, MAP_OF, METHOD_NAMES, EvidenceMaps, Method, on_input
from analysis.maps.gradcam_figures import frame_figure, spectrogram_figure
from analysis.maps.receptive_field import cell_centres
from avinst.errors import UserError
from avinst.keyword_settings import check_choice
from avinst.paths import StrPath
from avinst.recording import Recording
from avinst.spec import DatasetSpec
from trainer.run import Run, loaded

_SEGMENTS_AT_ONCE = 32


@dataclasses.dataclass(frozen=True)
class GradCam:
    """The evidence for a label in each segment of a recording.

    Attributes:
        video_id: the recording.
        label: whose logit is explained.
        probability: of the label, the recording's: the mean over its segments.
        start_seconds: float32 [segments], where each segment begins.
        maps: `audio` float32 [segments, log_mel_frames, mel_bands] and `visual` float32 [segments, size, size], of
            those that the model has: at the size of the input, each in [0, 1], its own largest value 1; 0
            everywhere where nothing speaks for the label.
        raw: the same at the size of the feature maps, not scaled: these compare between segments.
    """

    video_id: str
    label: str
    probability: float
    start_seconds: np.ndarray
    maps: Mapping[str, np.ndarray]
    raw: Mapping[str, np.ndarray]


def grad_cam(run: Run | StrPath, recording: Recording, label: str = "", method: Method = "gradcam") -> GradCam:
    """Where in its frames and spectrograms a run finds the evidence for a label.

    Args:
        run: a finished run, or its directory.
        recording: as `avinst.load_recording` gives it, of the run's dataset or of one prepared alike.
        label: the label to explain; empty: the recording's most probable one.
        method: `gradcam`, `gradcam++` or `scorecam`.

    Returns:
        The maps, drawn by `analysis.grad_cam_figures`.

    Raises:
        UserError: no finished run, no such label or method; the message names the nearest one.
    """
    run = loaded(run)
    labels, model = run.dataset_info.labels, run.model
    check_choice("method", method, list(METHOD_NAMES))
    if label:
        check_choice("label", label, labels)
    inputs = {"log_mel": recording.log_mel, "frame": recording.frame}
    rows = [
        slice(start, start + _SEGMENTS_AT_ONCE) for start in range(0, len(recording.log_mel), _SEGMENTS_AT_ONCE)
    ]
    batches = [{name: values[part] for name, values in inputs.items()} for part in rows]
    # Its inputs as a list, whatever structure they were given in.
    network = keras.Model(model.inputs, model.get_layer("probabilities").output)
    found = [np.asarray(network(model_inputs(model, batch), training=False)) for batch in batches]
    probabilities = np.concatenate(found).mean(axis=0)
    index = labels.index(label) if label else int(probabilities.argmax())
    evidence = EvidenceMaps(model, method)
    raw = evidence.in_batches(inputs, np.full(len(recording.log_mel), index), _SEGMENTS_AT_ONCE)
    maps = {
        modality: on_input(values, cell_centres(model, MAP_OF[modality]), inputs[INPUT_OF[modality]].shape[1:3])
        for modality, values in raw.items()
    }
    return GradCam(
        video_id=recording.video_id,
        label=labels[index],
        probability=float(probabilities[index]),
        start_seconds=recording.start_seconds,
        maps=maps,
        raw=raw,
    )


def grad_cam_figures(cam: GradCam, recording: Recording, spec: DatasetSpec, segment: int = 0) -> list[Figure]:
    """A segment's frame and spectrogram, each once plain and once with its map.

    Args:
        cam: as `grad_cam` gives it.
        recording: the one that it is of.
        spec: `dataset.spec`, for the spectrogram's axes.
        segment: number of the segment in the recording, from 0.

    Returns:
        The frame's figure and the spectrogram's, of those that the model has.

    Raises:
        UserError: the recording is another one, or has no such segment.
    """
    if cam.video_id != recording.video_id:
        raise UserError(f"maps of {cam.video_id!r} and recording {recording.video_id!r}; expected the same one")
    if not 0 <= segment < len(cam.start_seconds):
        raise UserError(f"segment={segment}: expected 0 to {len(cam.start_seconds) - 1}")
    start = float(cam.start_seconds[segment])
    title = f"{cam.video_id}, {start:g} s: evidence for {cam.label}, probability {cam.probability:.2f}"
    figures = []
    if "visual" in cam.maps:
        figures.append(frame_figure(recording.frame[segment], cam.maps["visual"][segment], title))
    if "audio" in cam.maps:
        log_mel, evidence = recording.log_mel[segment], cam.maps["audio"][segment]
        figures.append(spectrogram_figure(log_mel, evidence, spec, start, title))
    return figures
