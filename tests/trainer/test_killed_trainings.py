"""Trainings that are ended again and again: the same command goes on and ends as an undisturbed one."""

import json
import re
import signal
from pathlib import Path

import numpy as np
import pytest
from training_jobs import curves, trainings, weights

pytestmark = pytest.mark.slow
KILL, TERM = signal.SIGKILL, signal.SIGTERM
EPOCHS, FUSION_EPOCHS, STEPS, BATCH_SIZE = 2, 2, 6, 8  # 48 examples
SETTINGS = [
    "--audio_backbone=small_cnn",
    "--visual_backbone=small_cnn",
    f"--epochs={EPOCHS}",
    f"--fusion_epochs={FUSION_EPOCHS}",
    f"--batch_size={BATCH_SIZE}",
]
# For each scheme: when a process is ended, how, and what the one after it says that it goes on after. Each moment
# is one at which another file is missing, old or left over.
ENDS = {
    "independent": [
        ("audio, epoch 1/2: 16", KILL, ""),
        ("before checkpoints/audio/best.json", KILL, ""),  # the weights are there, what they reached is not
        ("before checkpoints/audio/state-00001-0000000.npz", KILL, ""),  # the curves have the epoch
        ("audio, epoch 2/2: 24", KILL, "audio: goes on after epoch 1 of 2"),
        # Two states.
        ("after checkpoints/audio/state-00002-0000000.npz", KILL, "audio: goes on after epoch 2 of 2"),
        ("after stages/audio/model.keras", KILL, "audio: done already"),  # its checkpoints are there still
        ("visual, BatchNorm statistics: 8", KILL, "visual: goes on after epoch 2 of 2"),
        ("fusion, features of validation: 8", KILL, "visual: done already"),
        ("fusion, epoch 2/2: 40", KILL, "fusion: goes on after epoch 1 of 2"),
        ("before model.keras", KILL, "fusion: done already"),
    ],
    "joint": [
        ("joint, epoch 1/2: 16", TERM, "joint: goes on after step 2 of epoch 1 of 2"),
        ("joint, epoch 1/2: 40", KILL, "joint: goes on after step 2 of epoch 1 of 2"),
        ("joint, epoch 2/2: validating, batch 1", KILL, "joint: goes on after epoch 1 of 2"),
        ("joint, epoch 2/2: 48", TERM, "joint: goes on after step 6 of epoch 2 of 2"),
        ("joint, epoch 2/2: validating, batch 2", TERM, "joint: goes on after step 6 of epoch 2 of 2"),
        ("before stages/joint/model.keras", KILL, "joint: goes on after epoch 2 of 2"),
    ],
}


@pytest.fixture(scope="module")
def children():
    with trainings() as started:
        yield started


@pytest.fixture(scope="module")
def undisturbed(children, dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    for scheme in ENDS:
        assert children.run(*flags(dataset, folder / scheme, scheme), output=folder / "output") == 0
    return folder


def flags(dataset, run_dir, scheme):
    return [f"--data_dir={dataset.data_dir}", f"--run_dir={run_dir}", f"--scheme={scheme}", *SETTINGS]


def goes_on_after(output):
    """The line that says where a training goes on: of the stage under way, else of the last one that is done."""
    lines = re.findall(r"^\w+: (?:goes on after .*|done already)$", output, re.MULTILINE)
    under_way = [line for line in lines if "goes on" in line]
    return (under_way or lines or [""])[-1]


def check_like_undisturbed(run_dir, expected_dir):
    """The same weights to the bit, in every stage; the same curves, so the same schedule and number of steps."""
    assert curves(run_dir) == curves(expected_dir)
    models = sorted(path.relative_to(expected_dir) for path in expected_dir.rglob("model.keras"))
    assert sorted(path.relative_to(run_dir) for path in run_dir.rglob("model.keras")) == models
    for model in models:
        there, here = weights(expected_dir, str(model)), weights(run_dir, str(model))
        assert set(here) == set(there)
        for name in there:
            np.testing.assert_array_equal(here[name], there[name], err_msg=f"{model}: {name}")
    assert not list(run_dir.rglob(".*"))
    assert not list((run_dir / "checkpoints").iterdir())


@pytest.mark.parametrize("scheme", ENDS)
def test_ended_at_any_moment_it_goes_on_and_ends_alike(children, dataset, undisturbed, tmp_path, scheme):
    command = flags(dataset, tmp_path / "run", scheme)
    expected = ""
    for number, (moment, how, after) in enumerate([*ENDS[scheme], (None, 0, "")]):
        output = tmp_path / f"output{number}"
        status = children.run(*command, output=output, at=moment, signal=how)
        text = f"{moment}\n{output.read_text()}"
        assert status == {KILL: -KILL, TERM: 143, 0: 0}[how], text
        if how == TERM:
            assert text.endswith("\navinst train: interrupted; run the same command again to go on\n")
        assert goes_on_after(text) == expected, text
        expected = after
    check_like_undisturbed(tmp_path / "run", undisturbed / scheme)


def test_the_undisturbed_runs_learning_rate_follows_the_schedule(undisturbed):
    """What the ended runs are compared with: the warm-up ends at the first step, the last step's rate is 0."""
    steps = STEPS * EPOCHS
    rates = curves(undisturbed / "joint")["joint/train/epoch/learning_rate"]
    warm_up = round(0.1 * steps)
    expected = [0.5e-3 * (1 + np.cos(np.pi * (done - warm_up) / (steps - warm_up))) for done in (STEPS, 2 * STEPS)]
    np.testing.assert_allclose([rates[0], rates[1]], expected, atol=1e-9)
    config = json.loads(Path(undisturbed, "joint", "config.json").read_text())
    assert config["flags"]["augment"] is True
