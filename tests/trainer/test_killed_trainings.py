"""A training that is killed at any moment: the same command goes on and ends as an undisturbed one."""

import json
import signal
from pathlib import Path

import numpy as np
import pytest
from training_jobs import curves, trainings, weights

pytestmark = pytest.mark.slow
EPOCHS, FUSION_EPOCHS, STEPS, BATCH_SIZE = 2, 3, 6, 8
SETTINGS = [
    "--audio_backbone=small_cnn",
    "--visual_backbone=small_cnn",
    f"--epochs={EPOCHS}",
    f"--fusion_epochs={FUSION_EPOCHS}",
    f"--batch_size={BATCH_SIZE}",
]
# 48 examples are 6 steps an epoch. Each moment is one at which a rerun has to begin elsewhere.
INDEPENDENT = [
    "audio, epoch 1/2: 16",  # before any state
    "before checkpoints/audio/best.json",  # new best weights, the old figure
    "before checkpoints/audio/state-00001-0000000.npz",  # the epoch is in the log, not in the state
    "after checkpoints/audio/state-00002-0000000.npz",  # two states
    "before stages/audio/model.keras",
    "after stages/audio/model.keras",  # its checkpoints are there still
    "visual, epoch 2/2: 24",
    "visual, BatchNorm statistics: 8",
    "fusion, features of validation: 8",
    "fusion, epoch 3/3: 40",
    "before model.keras",
]
JOINT = ["joint, epoch 2/2: 8", "joint, epoch 2/2: validating, batch 1", "before stages/joint/model.keras"]
# Moment to the state that a signal leaves and what the rerun says.
TOLD_TO_END = {
    "joint, epoch 1/2: 16": ("state-00000-0000002.npz", "joint: goes on after step 2 of epoch 1 of 2"),
    "joint, epoch 2/2: 48": ("state-00001-0000006.npz", "joint: goes on after step 6 of epoch 2 of 2"),
    "joint, epoch 2/2: validating, batch 2": ("state-00001-0000006.npz", "joint: goes on after step 6 of epoch 2"),
}


@pytest.fixture(scope="module")
def children():
    with trainings() as started:
        yield started


@pytest.fixture(scope="module")
def undisturbed(children, dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    for scheme in ("independent", "joint"):
        assert children.run(*flags(dataset, folder / scheme, scheme), output=folder / "output") == 0
    return folder


def flags(dataset, run_dir, scheme):
    return [f"--data_dir={dataset.data_dir}", f"--run_dir={run_dir}", f"--scheme={scheme}", *SETTINGS]


def check_like_undisturbed(run_dir, expected_dir):
    """The same weights to the bit, in every stage; the same curves, so the same schedule and number of steps."""
    found, expected = curves(run_dir), curves(expected_dir)
    assert found == expected
    models = sorted(path.relative_to(expected_dir) for path in expected_dir.rglob("model.keras"))
    assert sorted(path.relative_to(run_dir) for path in run_dir.rglob("model.keras")) == models
    for model in models:
        there, here = weights(expected_dir, str(model)), weights(run_dir, str(model))
        assert set(here) == set(there)
        for name in there:
            np.testing.assert_array_equal(here[name], there[name], err_msg=f"{model}: {name}")
    assert not list(run_dir.rglob(".*"))
    assert not list((run_dir / "checkpoints").iterdir())


@pytest.mark.parametrize("moment", [*INDEPENDENT, *JOINT])
def test_killed_at_this_moment_it_goes_on_and_ends_alike(children, dataset, undisturbed, tmp_path, moment):
    scheme = "joint" if moment in JOINT else "independent"
    run_dir = tmp_path / "run"
    command = flags(dataset, run_dir, scheme)
    status = children.run(*command, output=tmp_path / "output", at=moment, signal=signal.SIGKILL)
    assert status == -signal.SIGKILL, (tmp_path / "output").read_text()
    assert children.run(*command, output=tmp_path / "output") == 0, (tmp_path / "output").read_text()
    check_like_undisturbed(run_dir, undisturbed / scheme)


@pytest.mark.parametrize("moment", TOLD_TO_END)
def test_told_to_end_it_saves_the_step_and_goes_on_with_the_next(children, dataset, undisturbed, tmp_path, moment):
    run_dir, output = tmp_path / "run", tmp_path / "output"
    command = flags(dataset, run_dir, "joint")
    assert children.run(*command, output=output, at=moment, signal=signal.SIGTERM) == 143, output.read_text()
    assert output.read_text().endswith("\navinst train: interrupted; run the same command again to go on\n")
    state, line = TOLD_TO_END[moment]
    assert [path.name for path in (run_dir / "checkpoints" / "joint").glob("state*")] == [state]
    assert children.run(*command, output=output) == 0, output.read_text()
    assert line in output.read_text()
    check_like_undisturbed(run_dir, undisturbed / "joint")


def test_the_undisturbed_runs_learning_rate_follows_the_schedule(undisturbed):
    """What the killed runs are compared with: the last step's rate is 0, the warm-up ends at the first step."""
    steps = STEPS * EPOCHS
    rates = curves(undisturbed / "joint")["joint/train/epoch_learning_rate"]
    warm_up = round(0.1 * steps)
    expected = [0.5e-3 * (1 + np.cos(np.pi * (done - warm_up) / (steps - warm_up))) for done in (STEPS, 2 * STEPS)]
    np.testing.assert_allclose([rates[0], rates[1]], expected, atol=1e-9)
    config = json.loads(Path(undisturbed, "joint", "config.json").read_text())
    assert config["flags"]["augment"] is True
