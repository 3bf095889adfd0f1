import numpy as np
import pytest
from toy_models import FRAME_SIZE, LOG_MEL_SHAPE, batch_of, toy_model
from toy_study_parts import toy_dataset

from analysis import grad_cam
from analysis.gradcam import EvidenceMaps
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
        ({"method": "grad_cam"}, "method='grad_cam': did you mean 'gradcam'?"),
    ],
)
def test_a_label_or_method_that_is_not_there_is_told(arguments, told):
    with pytest.raises(UserError) as error:
        grad_cam(run_of("audio"), RECORDING, **arguments)
    assert str(error.value).startswith(told)
