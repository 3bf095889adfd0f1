"""Two replicas compute what one does."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import replica_checks
from training_jobs import REPOSITORY, trainings, weights

pytestmark = pytest.mark.slow  # a second TensorFlow, with two devices


@pytest.fixture(scope="module")
def one():
    return replica_checks.figures()


@pytest.fixture(scope="module")
def two():
    """In a process of its own: how many devices there are is decided before TensorFlow uses one."""
    program = [sys.executable, str(REPOSITORY / "tests" / "replica_checks.py"), "2"]
    done = subprocess.run(
        program, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(REPOSITORY), "PATH": ""}
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "name",
    [
        "gradient",
        "loss with gradient",
        "clipped gradient",
        "losses with batch norm",
        "weights with batch norm",
        "validation",
    ],
)
def test_two_replicas_compute_what_one_does(one, two, name):
    found, expected = two[name], one[name]
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        found, expected = list(found.values()), list(expected.values())
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)  # float32, sums in another order


def test_the_whole_gradient_is_clipped(one, two):
    for figures in (one, two):
        assert np.linalg.norm(figures["gradient"]) > 0.1
        np.testing.assert_allclose(np.linalg.norm(figures["clipped gradient"]), 0.05, rtol=1e-5)
        direction = np.array(figures["gradient"]) / np.linalg.norm(figures["gradient"])
        np.testing.assert_allclose(np.array(figures["clipped gradient"]) / 0.05, direction, rtol=1e-4, atol=1e-6)


def test_what_is_no_number_on_the_last_replica_is_seen(one, two):
    for figures in (one, two):
        assert not figures["nan in the last row: loss is finite"]
        # A loss scale that is too high: the step is left out.
        assert figures["overflow in the last row: loss is finite"]
        assert figures["overflow in the last row: weights stay"]


SETTINGS = ["--audio_backbone=small_cnn", "--visual_backbone=small_cnn", "--epochs=1", "--batch_size=8"]


def test_a_training_on_two_replicas_gives_the_weights_of_one(dataset, tmp_path):
    command = [f"--data_dir={dataset.data_dir}", "--scheme=joint", "--noaugment", "--dropout=0", "--clip_norm=1"]
    with trainings() as children:
        for count, flags in (("one", []), ("two", ["--virtual_cpus=2"])):
            arguments = [*command, *SETTINGS, *flags, f"--run_dir={tmp_path / count}"]
            assert children.run(*arguments, output=tmp_path / "output") == 0, (tmp_path / "output").read_text()
        bad = [*command, "--batch_size=9", "--virtual_cpus=2", f"--run_dir={tmp_path / 'bad'}"]
        assert children.run(*bad, output=tmp_path / "bad output") == 1
    assert "2 replicas: " in (tmp_path / "output").read_text()
    assert Path(tmp_path / "bad output").read_text() == (
        "avinst train: --batch_size=9 cannot be divided among 2 replicas; give --batch_size=8\n"
    )
    there, here = (
        np.concatenate(
            [weight.ravel() for name, weight in weights(tmp_path / count).items() if "moving" not in name]
        )
        for count in ("one", "two")
    )
    # 5e-5 measured: AdamW's first steps are of one size, so that rounding decides those of gradients near 0.
    assert np.linalg.norm(here - there) < 3e-4 * np.linalg.norm(there)
