"""Grad-CAM of one recording of a dataset: where in its frames and spectrograms the evidence for a label lies."""

import dataclasses
from collections.abc import Mapping

import keras
import numpy as np

from analysis.features import model_inputs
from analysis.gradcam import INPUT_OF, MAP_OF, METHOD_NAMES, EvidenceMaps, Method, on_input
from analysis.receptive_field import cell_centres
from avinst.keyword_settings import check_choice
from avinst.recording import Recording
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


def grad_cam(run: Run | str, recording: Recording, label: str = "", method: Method = "gradcam") -> GradCam:
    """Where in its frames and spectrograms a run finds the evidence for a label.

    Args:
        run: a finished run, or its directory.
        recording: as `avinst.load_recording` gives it, of the run's dataset or of one prepared alike.
        label: the label to explain; empty: the recording's most probable one.
        method: `gradcam`, `gradcam++` or `scorecam`.

    Returns:
        The maps, drawn by `analysis.frame_figure` and `analysis.spectrogram_figure`.

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
