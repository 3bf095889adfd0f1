import dataclasses

import numpy as np
import pytest
from toy_models import FRAME_SIZE, LOG_MEL_SHAPE, batch_of, toy_model
from toy_study_parts import toy_dataset

from analysis import grad_cam, grad_cam_figures
from analysis.maps.gradcam import EvidenceMaps
from avinst import Recording, UserError
from trainer import Run, TrainConfig

BATCH = batch_of(["r"] * 3, [(0,)] * 3)
RECORDING = Recording("r", "test", ("cello",), np.arange(3, dtype=np.float32), BATCH["log_mel"], BATCH["frame"])


def run_of(*modalities):
    return Run("RUN", TrainConfig(), toy_dataset(), toy_model(modalities))


def test_maps_are_those_of_the_label_at_the_size_of_the_inputs():
    run = run_of("audio", "visual")
    labels = run.dataset_info.labels
    found = grad_cam(run, RECORDING, labels[1])
    expected = EvidenceMaps(run.model)(BATCH, np.array([1, 1, 1]))
    assert found.label == labels[1]
    for modality, size in (("audio", LOG_MEL_SHAPE), ("visual", (FRAME_SIZE, FRAME_SIZE))):
        np.testing.assert_allclose(found.raw[modality], expected[modality], rtol=1e-5)
        assert found.maps[modality].shape == (3, *size)
        alive = expected[modality].max(axis=(1, 2)) > 0
        np.testing.assert_allclose(found.maps[modality].max(axis=(1, 2)), alive.astype(float))
    others = EvidenceMaps(run.model)(BATCH, np.array([0, 0, 0]))
    assert not np.allclose(others["audio"], expected["audio"])


def test_without_a_label_the_most_probable_one_is_explained():
    run = run_of("audio")
    probabilities = run.model({"log_mel": BATCH["log_mel"]}).numpy().mean(axis=0)
    found = grad_cam(run, RECORDING)
    assert found.label == run.dataset_info.labels[probabilities.argmax()]
    assert found.probability == pytest.approx(probabilities.max(), rel=1e-5)
    assert list(found.maps) == ["audio"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"label": "oboe"}, "label='oboe': expected one of"),
        (
            {"method": "grad_cam"},
            "method='grad_cam': expected one of gradcam, gradcam++, scorecam; did you mean 'gradcam'?",
        ),
    ],
)
def test_a_label_or_method_that_is_not_there_is_told(arguments, told):
    with pytest.raises(UserError) as error:
        grad_cam(run_of("audio"), RECORDING, **arguments)
    assert str(error.value).startswith(told)


def test_the_figures_show_the_segments_inputs_and_maps():
    run = run_of("audio", "visual")
    cam = grad_cam(run, RECORDING, run.dataset_info.labels[1])
    figures = grad_cam_figures(cam, RECORDING, run.dataset_info.spec, segment=2)
    shown = [[image.get_array() for axes in figure.axes[:2] for image in axes.images] for figure in figures]
    of_frame, of_spectrogram = shown
    for image in of_frame[:2]:
        np.testing.assert_array_equal(image, RECORDING.frame[2])
    np.testing.assert_array_equal(of_frame[2], cam.maps["visual"][2])
    for image in of_spectrogram[:2]:
        np.testing.assert_array_equal(image, RECORDING.log_mel[2].T)
    np.testing.assert_array_equal(of_spectrogram[2], cam.maps["audio"][2].T)
    title = f"r, 2 s: evidence for {cam.label}, probability {cam.probability:.2f}"
    assert [figure.get_suptitle() for figure in figures] == [title] * 2


def test_a_model_of_one_modality_has_its_own_figure_alone():
    run = run_of("visual")
    (figure,) = grad_cam_figures(grad_cam(run, RECORDING), RECORDING, run.dataset_info.spec)
    assert figure.axes[0].get_ylabel() == "pixels"


def test_figures_of_what_is_not_there_are_told():
    run = run_of("audio")
    cam = grad_cam(run, RECORDING)
    for segment in (-1, 3):
        with pytest.raises(UserError, match=rf"^segment={segment}: expected 0 to 2$"):
            grad_cam_figures(cam, RECORDING, run.dataset_info.spec, segment)
    other = dataclasses.replace(RECORDING, video_id="other")
    with pytest.raises(UserError, match=r"^maps of 'r' and recording 'other'; expected the same one$"):
        grad_cam_figures(cam, other, run.dataset_info.spec)
