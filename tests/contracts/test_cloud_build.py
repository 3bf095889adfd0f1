"""cloudbuild.yaml: substitutions, stages, what its steps call, and the shape that Google takes."""

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


def test_a_build_of_an_own_account_has_a_log_and_memory_for_the_tests():
    # Refused without: https://docs.cloud.google.com/build/docs/securing-builds/configure-user-specified-service-accounts
    assert BUILD["options"]["logging"] == "CLOUD_LOGGING_ONLY"
    # GB, of the machines that a build may name: https://cloud.google.com/build/pricing
    memory = {"E2_MEDIUM": 4, "E2_HIGHCPU_8": 8, "N1_HIGHCPU_8": 7.2, "E2_HIGHCPU_32": 32, "N1_HIGHCPU_32": 28.8}
    assert memory[BUILD["options"]["machineType"]] >= 16  # several processes with TensorFlow, 0.6 to 1 GB each


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


def test_the_packages_are_built_from_the_last_ones_and_kept(tmp_path):
    done, calls = run_step(tmp_path, "packages", tools={"docker": ""}, _VARIANT="gpu")
    assert done.returncode == 0, done.stderr
    image = "europe-west4-docker.pkg.dev/a-project/avinst/packages-gpu:latest"
    build, push = calls
    assert build.startswith("docker build --target=packages --build-arg=VARIANT=gpu ")
    assert f"--cache-from={image} --tag={image} ." in build
    assert "--build-arg=BUILDKIT_INLINE_CACHE=1" in build  # without it the image is no cache
    assert push == f"docker push {image}"


def test_the_tests_are_built_which_runs_them(tmp_path):
    done, calls = run_step(tmp_path, "test", tools={"docker": ""}, _VARIANT="gpu")
    assert done.returncode == 0, done.stderr
    assert calls == ["docker build --target=test --build-arg=VARIANT=gpu --tag=avinst-test ."]


@pytest.mark.parametrize("failing", ["build", "push"])
@pytest.mark.parametrize("step", ["packages", "test", "images", "templates", "smoke-job", "smoke-result"])
def test_a_step_fails_with_its_first_tool(tmp_path, step, failing):
    """Calls up to the failing one, and none after it."""
    if failing == "push" and step not in ("packages", "images"):
        pytest.skip("pushes nothing")
    answer = f'[ "$1" != {failing} ]' if step in ("packages", "test", "images") else "exit 1"
    done, calls = run_step(tmp_path, step, tools={"docker": answer, "gcloud": answer, "sleep": ""}, **SMOKE)
    assert done.returncode != 0
    assert len(calls) == (2 if failing == "push" else 1)


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


# https://docs.cloud.google.com/dataflow/docs/reference/rest/v1b3/projects.jobs: at work, then ended.
@pytest.mark.parametrize(
    ("last", "status"),
    [
        ("JOB_STATE_DONE", 0),
        ("JOB_STATE_FAILED", 1),
        ("JOB_STATE_CANCELLED", 1),
        ("JOB_STATE_UPDATED", 1),
        ("JOB_STATE_DRAINED", 1),
    ],
)
def test_the_smoke_job_is_waited_for_and_decides_over_the_build(tmp_path, last, status):
    states = ["JOB_STATE_QUEUED", "JOB_STATE_PENDING", "JOB_STATE_RUNNING", last]
    (tmp_path / "states").write_text("\n".join(states) + "\n")
    look = f"head -n 1 {tmp_path}/states; sed -i 1d {tmp_path}/states"
    answer = f'case "$*" in *run*) echo job-1 ;; *describe*) {look} ;; esac'
    names = {**SMOKE, "_SERVICE_ACCOUNT": "worker@x"}
    done, calls = run_step(tmp_path, "smoke-job", tools={"gcloud": answer, "sleep": ""}, **names)
    assert [call.partition(" ")[0] for call in calls] == ["gcloud", *["gcloud", "sleep"] * 3, "gcloud"]
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
    assert len(calls) == 2
    for call in calls:
        # Of the networks of a build's containers, the one that has its credentials.
        assert call.startswith(
            "docker run --network=cloudbuild europe-west4-docker.pkg.dev/a-project/avinst/trainer:"
        )
        command = re.search(r"trainer:latest (\w+)", call)[1]
        assert command in COMMANDS
