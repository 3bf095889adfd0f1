"""The image, as far as it can be checked without Docker: what the Dockerfile names exists and fits together."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
# Comments out, continued lines joined.
STEPS = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE)).splitlines()
ARGUMENTS = dict(re.findall(r"^ARG (\w+)=(\S+)$", DOCKERFILE, flags=re.MULTILINE))
STAGES = re.findall(r"^FROM (\S+) AS (\w+)$", DOCKERFILE, flags=re.MULTILINE)


def locked(file):
    """Package to (version, hashes)."""
    entries = re.split(r"\n(?=[a-z0-9])", file.read_text().strip())
    return {
        re.match(r"[a-z0-9._-]+", entry)[0]: (
            re.search(r"==([^\s;\\]+)", entry)[1],
            frozenset(re.findall(r"--hash=sha256:([0-9a-f]{64})", entry)),
        )
        for entry in entries
    }


def stage_steps():
    """Stage to its steps."""
    steps, stage = {}, ""
    for step in STEPS:
        if step.startswith("FROM "):
            stage = step.split()[-1]
        if stage and step.strip():
            steps.setdefault(stage, []).append(step)
    return steps


def inherited(stage):
    """The steps of a stage and of all that it begins with, the first ones first."""
    base = {name: source for source, name in STAGES}[stage]
    below = inherited(base) if base in {name for _, name in STAGES} else []
    return below + stage_steps()[stage]


def test_stages_begin_with_stages_or_pinned_images():
    names = [name for _, name in STAGES]
    for position, (source, _) in enumerate(STAGES):
        if source in names[:position]:
            continue
        tag = re.sub(r"\$\{(\w+)\}", lambda match: ARGUMENTS[match[1]], source).partition(":")[2]
        assert re.search(r"\d", tag), f"{source} names no version"
        assert "latest" not in tag
    for step in STEPS:
        for source in re.findall(r"(?:--from|[,]from)=(\w+)", step):
            assert source in names, step


def test_all_that_is_copied_exists_and_is_sent():
    ignored = (ROOT / ".dockerignore").read_text().split()
    for step in STEPS:
        if not step.startswith("COPY ") or "--from" in step:
            continue
        for source in step.split()[1:-1]:
            for variant in ("cpu", "gpu"):
                file = ROOT / source.replace("${VARIANT}", variant)
                assert file.exists(), step
                assert not set(file.relative_to(ROOT).parts) & set(ignored), f"{source} is ignored"


def test_every_package_is_in_the_wheels_stage():
    copied = {word for step in stage_steps()["wheel"] for word in step.split()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = {name.rstrip("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    assert packages <= copied
    assert {"setup.py", "pyproject.toml", "MANIFEST.in", *project["project"]["license-files"]} <= copied


def test_variables_are_declared_in_their_stage():
    for stage, steps in stage_steps().items():
        declared = set(re.findall(r"^ARG (\w+)", "\n".join(inherited(stage)), flags=re.MULTILINE))
        for step in steps:
            used = set(re.findall(r"\$\{(\w+)\}", step))
            known = set(ARGUMENTS) if step.startswith("FROM ") else declared
            assert used <= known, step


def test_the_entry_points_are_those_of_the_roles():
    last = {
        stage: [step for step in inherited(stage) if step.startswith(("ENTRYPOINT", "USER"))]
        for _, stage in STAGES
    }
    # Dataflow's contract: boot is the last thing that runs, and it writes to directories of root's.
    assert last["dataflow"] == ['ENTRYPOINT ["/opt/apache/beam/boot"]']
    assert last["trainer"] == ["USER avinst", 'ENTRYPOINT ["avinst"]']
    steps = "\n".join(inherited("dataflow"))
    assert "COPY --from=beam /opt/apache/beam /opt/apache/beam" in steps
    assert re.search(r"COPY --from=launcher (/opt/google/dataflow/python_template_launcher) \1\n", steps)


def test_a_gpus_driver_is_found_where_services_mount_it():
    variables = " ".join(step for step in inherited("trainer") if step.startswith("ENV "))
    assert "LD_LIBRARY_PATH=/usr/local/nvidia/lib:/usr/local/nvidia/lib64" in variables
    assert "NVIDIA_DRIVER_CAPABILITIES=compute,utility" in variables


def test_the_images_differ_in_no_file():
    for stage in ("dataflow", "trainer"):
        assert stage_steps()[stage][0] == f"FROM runtime AS {stage}"
        kinds = {step.split()[0] for step in stage_steps()[stage]}
        assert kinds <= {"FROM", "ARG", "LABEL", "USER", "ENV", "WORKDIR", "ENTRYPOINT"}


def test_the_flex_templates_file_is_where_the_launcher_looks():
    file = re.search(r"FLEX_TEMPLATE_PYTHON_PY_FILE=(\S+)", DOCKERFILE)[1]
    workdir = re.search(r"^WORKDIR (/opt\S+)", DOCKERFILE, flags=re.MULTILINE)[1]
    assert (ROOT / Path(file).relative_to(workdir)).is_file()
    assert "COPY cloud/flex_template.py cloud/" in inherited("dataflow")


def test_beams_entry_point_is_of_the_locked_version():
    assert ARGUMENTS["BEAM"] == locked(ROOT / "cloud" / "cpu.lock")["apache-beam"][0]
    assert f"python{ARGUMENTS['PYTHON'].replace('.', '')}-template" in DOCKERFILE


@pytest.mark.parametrize("variant", ["cpu", "gpu"])
def test_the_images_locks_are_part_of_the_one_lock(variant):
    """The tests run with requirements.lock: what the image holds has to be the same files."""
    everything, image = locked(ROOT / "requirements.lock"), locked(ROOT / "cloud" / f"{variant}.lock")
    extra = {name for name in image if name not in everything}
    assert all(name.startswith("nvidia-") for name in extra)
    assert bool(extra) == (variant == "gpu")
    assert {name: entry for name, entry in image.items() if name not in extra} == {
        name: everything[name] for name in image if name not in extra
    }
    assert all(hashes for _, hashes in image.values())
    assert "://" not in (ROOT / "cloud" / f"{variant}.lock").read_text()
    assert not {"pytest", "mypy", "ruff", "librosa", "dask"} & set(image)


@pytest.mark.parametrize("variant", ["cpu", "gpu"])
def test_the_images_locks_hold_every_dependency(variant):
    """One that was added without `make lock` would be missing in the image alone: tests have their own lock."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = project["dependencies"] + project["optional-dependencies"]["gcp"]
    names = {re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", line)[0]).lower() for line in needed}
    assert names <= set(locked(ROOT / "cloud" / f"{variant}.lock"))


def test_the_steps_of_the_script_are_those_of_the_dockerfile():
    script = ROOT / "cloud" / "install.sh"
    steps = set(re.findall(r"^  (\w+)\)$", script.read_text(), flags=re.MULTILINE))
    used = re.findall(r"RUN (?:--mount=\S+ )?cloud/install\.sh (\w+)", DOCKERFILE)
    assert set(used) == steps == {"packages", "wheel", "avinst", "check"}
    # Nothing gets into the image that the script does not bring: packages are checked by their hashes there.
    assert "pip install" not in "".join(step for step in STEPS)
    assert "--require-hashes" in script.read_text()
    wrong = subprocess.run([script, "pakages"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("usage: ")
