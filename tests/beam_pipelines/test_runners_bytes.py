"""The same bytes from every runner: in this process, a local job service, Dask with two worker processes.

For both jobs, `prepare` and `predict`, whose chain is the same.
"""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from known_detector import save_known
from prepare_jobs import SPEC, digests, job, wait_until, write_videos

from beam_pipelines.predicting import PredictConfig, predict_rows
from beam_pipelines.preparing import prepare_dataset
from beam_pipelines.rows_to_predict import rows_of_manifest

VIDEOS = 12


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return write_videos(tmp_path_factory.mktemp("videos"), VIDEOS, seconds=2.2)


@pytest.fixture(scope="module")
def reference(manifest, tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("reference") / "set"
    prepare_dataset(job(manifest, data_dir, workers=2), SPEC)
    found = digests(data_dir)
    assert {"dataset.json", "rejects.jsonl"} < set(found)
    assert sum(name.startswith("shards/") for name in found) > VIDEOS / 3
    return found


@contextlib.contextmanager
def server(log: Path, *arguments: str):
    """A Python module as a server, in a folder of its own; ended by its id."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments], stdout=output, stderr=subprocess.STDOUT, cwd=log.parent
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    return save_known(tmp_path_factory.mktemp("model"))


def predict(manifest, model_dir, output_dir, flags=(), **changes):
    rows, media_root = rows_of_manifest(str(manifest), "")
    values = {"videos_per_shard": 2, "features": True, **changes}
    predict_rows(PredictConfig(model_dir, media_root, str(output_dir), **values), rows, flags)
    return digests(output_dir)


@pytest.fixture(scope="module")
def reference_predictions(manifest, model_dir, tmp_path_factory):
    found = predict(manifest, model_dir, tmp_path_factory.mktemp("predictions") / "out", workers=2)
    assert {"predictions.json", "recordings.csv", "segments.csv", "rejects.jsonl"} < set(found)
    assert sum(name.endswith(".features.npz") for name in found) == VIDEOS / 2 + 1
    return found


def test_one_worker_gives_the_bytes_of_two(manifest, reference, tmp_path):
    prepare_dataset(job(manifest, tmp_path / "set", workers=1), SPEC)
    assert digests(tmp_path / "set") == reference


def test_one_worker_predicts_the_bytes_of_two(manifest, model_dir, reference_predictions, tmp_path):
    assert predict(manifest, model_dir, tmp_path / "out", workers=1) == reference_predictions


def test_portable_runner(manifest, reference, model_dir, reference_predictions, tmp_path):
    port_file = tmp_path / "port"
    with server(
        tmp_path / "log", "apache_beam.runners.portability.local_job_service_main", f"--port_file={port_file}"
    ):
        assert wait_until(lambda: port_file.exists() and port_file.read_text().strip()), "no job service"
        flags = [
            "--runner=PortableRunner",
            f"--job_endpoint=localhost:{port_file.read_text().strip()}",
            "--environment_type=LOOPBACK",
        ]
        prepare_dataset(job(manifest, tmp_path / "set"), SPEC, flags)
        predictions = predict(manifest, model_dir, tmp_path / "out", flags)
    assert digests(tmp_path / "set") == reference
    assert predictions == reference_predictions


@pytest.mark.slow
def test_dask_with_two_worker_processes(
    manifest, reference, model_dir, reference_predictions, tmp_path, monkeypatch
):
    pytest.importorskip("distributed", reason="needs avinst[dask]")
    file = tmp_path / "scheduler.json"
    quiet = ("--host=127.0.0.1", "--no-dashboard")
    with contextlib.ExitStack() as stack:
        stack.enter_context(
            server(
                tmp_path / "scheduler" / "log",
                "distributed.cli.dask_scheduler",
                *("--port=0", f"--scheduler-file={file}", *quiet),
            )
        )
        assert wait_until(lambda: file.exists() and file.read_text().endswith("}")), "no scheduler"
        address = json.loads(file.read_text())["address"]
        for number in range(2):
            # Two threads share a worker's process, and with it whatever a DoFn keeps in its module.
            threads = f"--nthreads={number + 1}"
            stack.enter_context(
                server(
                    tmp_path / f"worker{number}" / "log",
                    *("distributed.cli.dask_worker", address, "--no-nanny", threads, *quiet),
                )
            )
        monkeypatch.chdir(tmp_path)  # the workers' working directories are others: relative paths must not matter
        config = job(os.path.relpath(manifest, tmp_path), "set")
        flags = ["--runner=DaskRunner", f"--dask_client_address={address}"]
        prepare_dataset(config, SPEC, flags)
        predictions = predict(manifest, model_dir, "out", flags)
        both = [(tmp_path / f"worker{number}" / "log").read_text() for number in range(2)]
    assert digests("set") == reference
    assert predictions == reference_predictions
    assert not any("Traceback" in text for text in both), both
