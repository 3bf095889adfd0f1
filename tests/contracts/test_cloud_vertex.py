"""The specs of Vertex AI's custom jobs: the shape that Google takes, machines that exist, flags of `train`."""

import json
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = ("vertex_cpu.yaml", "vertex_gpu.yaml")
# GPUs and how many a machine has: https://docs.cloud.google.com/vertex-ai/docs/training/configure-compute
MACHINES = {
    "n2-standard-16": None,
    "g2-standard-4": ("NVIDIA_L4", 1),
    "g2-standard-24": ("NVIDIA_L4", 2),
    "g2-standard-48": ("NVIDIA_L4", 4),
    "g2-standard-96": ("NVIDIA_L4", 8),
    "a2-highgpu-1g": ("NVIDIA_TESLA_A100", 1),
    "a2-highgpu-8g": ("NVIDIA_TESLA_A100", 8),
}


def keys(value):
    """Of all mappings inside."""
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from keys(inner)


@pytest.mark.parametrize("file", FILES)
def test_the_machine_exists_with_these_gpus(file):
    (pool,) = yaml.safe_load((ROOT / "cloud" / file).read_text())["workerPoolSpecs"]
    machine = pool["machineSpec"]
    gpus = (machine.get("acceleratorType"), machine.get("acceleratorCount"))
    assert gpus == (MACHINES[machine["machineType"]] or (None, None))


@pytest.mark.parametrize("file", FILES)
def test_keys_are_those_that_gcloud_takes(file):
    """`Note that keys with underscore are invalid`, says its reference; the messages below would take them."""
    assert [key for key in keys(yaml.safe_load((ROOT / "cloud" / file).read_text())) if "_" in key] == []


@pytest.mark.parametrize("file", FILES)
def test_the_custom_jobs_are_what_vertex_ai_takes(file):
    custom_job = pytest.importorskip("google.cloud.aiplatform_v1.types.custom_job", reason="needs avinst[gcp]")
    names = {
        "IMAGE": "europe-west4-docker.pkg.dev/p/avinst/trainer@sha256:0",
        "DATA_DIR": "gs://b/dataset",
        "OUTPUT": "gs://b/runs/joint",
        "SERVICE_ACCOUNT": "trainer@p.iam.gserviceaccount.com",
    }
    text = (ROOT / "cloud" / file).read_text()
    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(names)
    filled = re.sub(r"\$\{(\w+)\}", lambda match: names[match[1]], text)
    spec = custom_job.CustomJobSpec.from_json(json.dumps(yaml.safe_load(filled)))
    (pool,) = spec.worker_pool_specs
    assert pool.replica_count == 1
    assert pool.container_spec.image_uri == names["IMAGE"]
    assert spec.base_output_directory.output_uri_prefix == names["OUTPUT"]
    assert spec.scheduling.restart_job_on_worker_restart
    command, *arguments = pool.container_spec.args
    assert command == "train"
    from trainer import train

    # Parsed as the command does it, unknown names and values that are not allowed raise.
    train.FLAGS.unparse_flags()
    train.FLAGS(["avinst train", *arguments])
    assert train.FLAGS.data_dir == names["DATA_DIR"]
    assert not train.FLAGS.run_dir  # the service's
