"""cloudbuild.yaml and the specs of the jobs: substitutions, stages, commands, and the shapes that Google takes."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from avinst.cli import COMMANDS

ROOT = Path(__file__).parents[2]
BUILD = yaml.safe_load((ROOT / "cloudbuild.yaml").read_text())
SCRIPTS = {step["id"]: step["script"] for step in BUILD["steps"]}
# https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values
BUILT_IN = {"PROJECT_ID", "BUILD_ID", "COMMIT_SHA"}
SMOKE = {"_BUCKET": "a-bucket", "_DATA_BUCKET": "data", "_SMOKE_MANIFEST": "gs://a-bucket/clips.csv"}


def test_the_build_is_what_cloud_build_takes():
    """Names, types and enumerations of Google's published messages; unknown ones raise."""
    messages = pytest.importorskip(
        "google.cloud.devtools.cloudbuild_v1.types.cloudbuild", reason="needs avinst[gcp]"
    )
    build = messages.Build.from_json(json.dumps(BUILD))
    assert build.options.automap_substitutions
    assert build.timeout.total_seconds() >= 3600
    assert len(SCRIPTS) == len(build.steps)


def test_substitutions_are_declared_used_and_explained():
    declared = set(BUILD["substitutions"])
    used = set(re.findall(r"\$\{?(_[A-Z_]+)", "".join(SCRIPTS.values())))
    assert used == declared
    # Scripts see them in their environment only.
    assert BUILD["options"]["automapSubstitutions"] is True
    head = (ROOT / "cloudbuild.yaml").read_text().partition("\nsubstitutions:")[0]
    explained = re.findall(r"^#   (_[A-Z_]+) ", head, flags=re.MULTILINE)
    assert sorted(explained) == sorted(declared)
    assert all(isinstance(value, str) for value in BUILD["substitutions"].values())
    guide = (ROOT / "docs" / "cloud.md").read_text()
    assert [name for name in sorted(declared) if f"`{name}`" not in guide] == []


@pytest.mark.parametrize("step", SCRIPTS)
def test_scripts_parse_and_stop_at_the_first_error(step):
    script = SCRIPTS[step]
    assert script.startswith("#!/usr/bin/env bash\nset -euo pipefail\n")
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


@pytest.mark.parametrize("step", SCRIPTS)
def test_variables_come_from_somewhere(step):
    """`set -u` would end the build; of Cloud Build's own only those that exist."""
    script = SCRIPTS[step]
    known = set(BUILD["substitutions"]) | BUILT_IN
    if ". /workspace/names" in script:
        known |= set(re.findall(r"^([A-Z]+)=", SCRIPTS["names"], flags=re.MULTILINE))
    known |= set(re.findall(r"(?:^|\s|\|\| )(\w+)=", script)) | set(re.findall(r"for (\w+) in", script))
    assert set(re.findall(r"\$\{?(\w+)", script)) <= known


def test_the_stages_that_are_built_exist():
    stages = re.findall(r"^FROM \S+ AS (\w+)$", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    built = re.findall(r"--target=(\w+)", "".join(SCRIPTS.values()))
    assert {"packages", "test"} <= set(built) <= set(stages)
    assert "for target in dataflow trainer; do" in SCRIPTS["images"]
    assert {"dataflow", "trainer"} <= set(stages)


def run_names(tmp_path, **substitutions):
    """The names that the first step writes, as the others read them."""
    script = SCRIPTS["names"].replace("/workspace", str(tmp_path))
    environment = {**BUILD["substitutions"], "PROJECT_ID": "a-project", **substitutions}
    subprocess.run(["bash", "-c", script], env=environment, check=True)
    return dict(line.split("=", 1) for line in (tmp_path / "names").read_text().splitlines())


def test_the_images_names(tmp_path):
    registry = "europe-west4-docker.pkg.dev/a-project/avinst"
    assert run_names(tmp_path) == {
        "PACKAGES": f"{registry}/packages-cpu:latest",
        "DATAFLOW": f"{registry}/dataflow:latest",
        "TRAINER": f"{registry}/trainer:latest",
        "SUFFIX": "",
    }
    names = run_names(tmp_path, _VARIANT="gpu", _TAG="v1")
    assert names["TRAINER"] == f"{registry}/trainer-gpu:v1"
    assert names["PACKAGES"] == f"{registry}/packages-gpu:latest"


def run_step(tmp_path, step, *, tools, **substitutions):
    """Runs a step with recorded stand-ins for its tools; returns its status and the tools' command lines."""
    run_names(tmp_path, **substitutions)
    (tmp_path / "bin").mkdir()
    log = tmp_path / "calls"
    log.touch()
    for tool, answer in tools.items():
        stand_in = tmp_path / "bin" / tool
        stand_in.write_text(f'#!/bin/bash\necho "{tool} $*" >> {log}\n{answer}\n')
        stand_in.chmod(0o755)
    (tmp_path / "dataflow.digest").write_text(f"registry/dataflow@sha256:{'a' * 64}\n")
    environment = {
        **BUILD["substitutions"],
        "PROJECT_ID": "a-project",
        "BUILD_ID": "b-1",
        "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
        **substitutions,
    }
    script = SCRIPTS[step].replace("/workspace", str(tmp_path))
    done = subprocess.run(
        ["bash", "-c", script], env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    return done, log.read_text().splitlines()


def test_the_images_are_pushed_and_known_by_their_digests(tmp_path):
    answer = '[ "$1" != inspect ] || echo "$3@sha256:0"'
    done, calls = run_step(tmp_path, "images", tools={"docker": answer}, COMMIT_SHA="0123abc")
    assert done.returncode == 0, done.stderr
    assert [call.split()[1] for call in calls] == ["build", "push", "inspect"] * 2
    image = "europe-west4-docker.pkg.dev/a-project/avinst/dataflow:latest"
    assert "--target=dataflow --build-arg=VARIANT=cpu --build-arg=VERSION=0.1.0" in calls[0]
    assert f"--build-arg=REVISION=0123abc --tag={image} ." in calls[0]
    assert (tmp_path / "dataflow.digest").read_text() == f"{image}@sha256:0\n"
    assert (tmp_path / "trainer.digest").read_text().endswith("/trainer:latest@sha256:0\n")


def test_without_a_bucket_there_are_no_templates_and_without_a_manifest_no_smoke_job(tmp_path):
    for number, step in enumerate(("templates", "smoke-job", "smoke-result")):
        folder = tmp_path / str(number)
        folder.mkdir()
        done, calls = run_step(folder, step, tools={"gcloud": "exit 1", "docker": "exit 1"})
        assert (done.returncode, calls) == (0, [])


def test_templates_name_the_image_by_its_digest_and_metadata_that_exist(tmp_path):
    done, calls = run_step(tmp_path, "templates", tools={"gcloud": ""}, _BUCKET="a-bucket")
    assert done.returncode == 0, done.stderr
    found = sorted(file.name for file in (ROOT / "cloud").glob("*_template.json"))
    assert sorted(re.search(r"--metadata-file=cloud/(\S+)", call)[1] for call in calls) == found
    for call in calls:
        assert re.search(r"--image=registry/dataflow@sha256:a{64} --sdk-language=PYTHON", call)
        assert re.search(r"flex-template build gs://a-bucket/templates/\w+\.json ", call)


@pytest.mark.parametrize(
    ("state", "status"), [("JOB_STATE_DONE", 0), ("JOB_STATE_FAILED", 1), ("JOB_STATE_CANCELLED", 1)]
)
def test_the_smoke_job_decides_over_the_build(tmp_path, state, status):
    answer = f'case "$*" in *run*) echo job-1 ;; *describe*) echo {state} ;; esac'
    names = {**SMOKE, "_SERVICE_ACCOUNT": "worker@x"}
    done, calls = run_step(tmp_path, "smoke-job", tools={"gcloud": answer, "sleep": ""}, **names)
    assert done.returncode == status
    run = calls[0]
    parameters = dict(
        parameter.split("=", 1)
        for group in re.findall(r"--parameters=(\S+)", run)
        for parameter in group.split(",")
    )
    template = json.loads((ROOT / "cloud" / "prepare_template.json").read_text())["parameters"]
    checks = {parameter["name"]: parameter.get("regexes", []) for parameter in template}
    for name, value in parameters.items():
        assert all(re.search(check, value) for check in checks[name]), f"{name}={value}"
    assert {parameter["name"] for parameter in template if not parameter.get("isOptional")} <= set(parameters)
    assert "--service-account-email=worker@x" in run


def test_the_smoke_result_is_of_the_same_dataset(tmp_path):
    names = SMOKE
    done, calls = run_step(tmp_path, "smoke-result", tools={"docker": ""}, **names)
    assert done.returncode == 0, done.stderr
    smoke = SCRIPTS["smoke-job"]
    for flag in ("frame_size=96", "max_reject_rate=0.5"):
        assert flag in smoke
        assert f"--{flag}" in calls[0]
    assert "gs://data/smoke/b-1" in calls[0]
    for call in calls:
        command = re.search(r"trainer:latest (\w+)", call)[1]
        assert command in COMMANDS


@pytest.mark.parametrize("file", ["vertex_cpu.yaml", "vertex_gpu.yaml"])
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
