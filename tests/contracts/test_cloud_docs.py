"""docs/cloud.md: its blocks are shell, and what they name exists."""

import importlib
import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from avinst.cli import COMMANDS
from beam_pipelines.beam_flags import check_beam_flags

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "cloud.md").read_text()
BLOCKS = re.findall(r"```bash\n(.*?)```", PAGE, flags=re.DOTALL)
VARIABLES = {"DATAFLOW_IMAGE": f"europe-west4-docker.pkg.dev/p/avinst/dataflow@sha256:{'0' * 64}"}


def lines():
    """Every command of the blocks, continued lines joined, variables replaced by something of their kind."""
    for block in BLOCKS:
        for line in block.replace("\\\n", " ").splitlines():
            yield re.sub(r"\$(\w+)", lambda match: VARIABLES.get(match[1], match[1].lower()), line)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_block_is_shell(number):
    subprocess.run(["bash", "-n"], input=BLOCKS[number], text=True, check=True)


def test_variables_are_set_before_they_are_used():
    known = {"JOB"}
    for block in BLOCKS:
        for line in block.splitlines():
            used = set(re.findall(r"\$(\w+)", line))
            set_here = set(re.findall(r"(?:export |for | )(\w+)(?:=| in )", line))
            assert used <= known | set_here, line
            known |= set_here


def test_the_commands_take_their_flags():
    """Parsed as the commands do it: names and values."""
    seen = set()
    for line in lines():
        words = shlex.split(line, comments=True)
        if words[:1] != ["avinst"]:
            continue
        command, *arguments = words[1:]
        seen.add(command)
        flags = importlib.import_module(COMMANDS[command].module).FLAGS
        flags.unparse_flags()
        flags.set_gnu_getopt(True)
        rest = flags([command, *arguments], known_only=command in ("prepare", "predict"))[1:]
        check_beam_flags(rest)
    assert {"manifest", "prepare", "inspect", "evaluate", "export", "analyze"} <= seen


def test_the_templates_take_their_parameters():
    found = 0
    for line in lines():
        if "flex-template run" not in line:
            continue
        found += 1
        words = shlex.split(line)
        file = next(word for word in words if word.startswith("--template-file-gcs-location="))
        command = re.search(r"/templates/(\w+)\.json$", file)[1]
        metadata = json.loads((ROOT / "cloud" / f"{command}_template.json").read_text())["parameters"]
        regexes = {parameter["name"]: parameter["regexes"][0] for parameter in metadata}
        given = {}
        for word in words:
            if word.startswith("--parameters="):
                separator, parameters = re.fullmatch(r"--parameters=\^(.)\^(.*)", word).groups()
                given |= dict(parameter.split("=", 1) for parameter in parameters.split(separator))
        for name, value in given.items():
            assert re.fullmatch(regexes[name], value), f"{command}: {name}={value}"
        assert {parameter["name"] for parameter in metadata if not parameter.get("isOptional")} <= set(given)
    assert found == len(list((ROOT / "cloud").glob("*_template.json")))


def test_the_arguments_for_the_image_are_those_of_a_command():
    for line in lines():
        for arguments in re.findall(r"--args=(\S+)", line):
            command, *rest = arguments.split(",")
            flags = importlib.import_module(COMMANDS[command].module).FLAGS
            flags.unparse_flags()
            flags([command, *rest])


def test_substitutions_are_the_builds():
    declared = yaml.safe_load((ROOT / "cloudbuild.yaml").read_text())["substitutions"]
    used = {
        name
        for line in lines()
        for group in re.findall(r"--substitutions=(\S+)", line)
        for name in re.findall(r"(_[A-Z_]+)=", group)
    }
    assert used
    assert used <= set(declared)
    # The page tells the defaults too.
    for name, default in declared.items():
        assert re.search(rf"^\| `{name}` \| {f'`{default}`' if default else ''} ?\|", PAGE, flags=re.MULTILINE), (
            name
        )


def test_the_variables_of_a_custom_job_are_exported():
    for block in BLOCKS:
        for file in re.findall(r"envsubst < (\S+)", block):
            needed = set(re.findall(r"\$\{(\w+)\}", (ROOT / file).read_text()))
            assert needed <= set(re.findall(r"(?:export | )(\w+)=", "\n".join(BLOCKS)))


def test_a_custom_job_gets_the_image_for_its_machine():
    text = "\n".join(BLOCKS)
    for match in re.finditer(r"envsubst < cloud/vertex_(\w+)\.yaml", text):
        *_, image = re.findall(r"export IMAGE=\$(\w+)", text[: match.start()])
        assert image == {"cpu": "TRAINER_IMAGE", "gpu": "TRAINER_GPU_IMAGE"}[match[1]]
        assert f"export {image}=$(gcloud artifacts docker images describe $REGISTRY/trainer" in text
    assert "$REGISTRY/trainer-gpu:latest" in text.partition("export TRAINER_GPU_IMAGE=")[2].partition("\n```")[0]


def test_roles_that_are_given_are_explained():
    given = set(re.findall(r"--role=(roles/[\w.]+)", "\n".join(BLOCKS)))
    table = set(re.findall(r"`(roles/[\w.]+)`", PAGE))
    assert given
    assert given <= table


def test_files_that_are_named_exist():
    for file in re.findall(r"\bcloud/[\w.]+\.\w+", PAGE):
        assert (ROOT / file).exists(), file
