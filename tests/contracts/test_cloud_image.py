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


def test_interpreter_entry_point_and_launcher_are_of_one_python():
    """Boot looks for the interpreter's packages, the launcher starts it."""
    sources = {name: re.sub(r"\$\{(\w+)\}", lambda match: ARGUMENTS[match[1]], source) for source, name in STAGES}
    version = ARGUMENTS["PYTHON"]
    assert sources["packages"] == f"python:{version}-slim"
    assert sources["beam"].startswith(f"apache/beam_python{version}_sdk:")
    assert f"/python{version.replace('.', '')}-template-launcher-base:" in sources["launcher"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f">={version}" in project["requires-python"].split(",")  # what the locks are made for


def test_a_step_that_fails_ends_the_build():
    for step in STEPS:
        if step.startswith("RUN "):
            assert not re.search(r"\|\||[;|]|\b(true|exit)\b", step), step


def test_the_last_step_of_the_stage_test_runs_the_tests_on_what_ships():
    steps = [step for step in stage_steps()["test"] if not step.startswith(("COPY", "ENV"))]
    assert steps == [
        "FROM runtime AS test",
        "RUN cloud/install.sh packages requirements.lock",
        "RUN cloud/install.sh tree .",
        "RUN chown -hR avinst /opt/avinst",
        "USER avinst",
        'RUN python -m pytest -m "not slow" -q -p no:cacheprovider',
    ]
    order = [step.partition(" ")[2] for step in stage_steps()["test"]]
    assert order.index(". .") < order.index("cloud/install.sh tree .")


def test_what_runs_is_checked_and_workers_make_no_environment_of_their_own():
    for stage in ("dataflow", "trainer", "test"):
        steps = inherited(stage)
        assert "RUN cloud/install.sh check" in steps
        # https://beam.apache.org/documentation/runtime/environments: else boot begins one without our packages.
        assert "ENV RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT=1" in steps


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
    assert set(used) == steps == {"packages", "wheel", "avinst", "tree", "check"}
    # Nothing gets into the image that the script does not bring: packages are checked by their hashes there.
    assert "pip install" not in "".join(step for step in STEPS)
    assert "--require-hashes" in script.read_text()
    wrong = subprocess.run([script, "pakages"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("usage: ")


def run_install(tmp_path, *arguments, failing="nothing"):
    """Runs a step of the script with a recorded stand-in for Python; returns its status and the calls."""
    python = tmp_path / "python"
    log = tmp_path / "calls"
    log.touch()
    python.write_text(f'#!/bin/sh\necho "$*" >> {log}\ncase "$*" in *{failing}*) exit 1 ;; esac\n')
    python.chmod(0o755)
    done = subprocess.run(
        [ROOT / "cloud" / "install.sh", *arguments],
        env={"PYTHON": str(python), "PATH": "/usr/bin:/bin"},
        check=False,
    )
    return done.returncode, log.read_text().splitlines()


PIP = "-m pip --disable-pip-version-check"


@pytest.mark.parametrize(
    ("arguments", "calls"),
    [
        (("packages", "a.lock"), [f"{PIP} install --quiet --require-hashes --requirement a.lock"]),
        (("wheel", "w"), [f"{PIP} wheel --quiet --no-deps --no-index --no-build-isolation --wheel-dir w ."]),
        (("avinst", "a.whl"), [f"{PIP} install --quiet --no-deps --no-index a.whl"]),
        (("check",), [f"{PIP} check", "-m avinst.doctor"]),
    ],
)
def test_the_script_calls_and_fails_with_what_it_calls(tmp_path, arguments, calls):
    assert run_install(tmp_path, *arguments) == (0, calls)
    for number, call in enumerate(calls):
        folder = tmp_path / str(number)
        folder.mkdir()
        status, made = run_install(folder, *arguments, failing=f'"{call}"')
        assert status != 0
        assert made == calls[: number + 1]


def test_the_tree_of_the_tests_finds_what_is_installed(tmp_path):
    packages = ("avinst", "beam_pipelines", "trainer", "analysis")
    for folder in ("site", "tree"):
        for package in packages:
            (tmp_path / folder / package).mkdir(parents=True)
            (tmp_path / folder / package / "__init__.py").write_text(f"# {folder}\n")
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho {tmp_path}/site\n")
    python.chmod(0o755)
    command = [ROOT / "cloud" / "install.sh", "tree", tmp_path / "tree"]
    environment = {"PYTHON": str(python), "PATH": "/usr/bin:/bin"}
    subprocess.run(command, env=environment, check=True)
    for package in packages:
        assert (tmp_path / "tree" / package / "__init__.py").read_text() == "# site\n"
    (tmp_path / "site" / "trainer" / "__init__.py").unlink()
    assert subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 1
