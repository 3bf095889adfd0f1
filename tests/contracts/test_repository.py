"""What the repository promises: the lock, the versions, generated pages, and files that name each other."""

import copy
import importlib.util
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

import avinst
from avinst.cli import COMMANDS
from avinst.command_flags import COMMON
from beam_pipelines.beam_flags import known_flags

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize(("file", "fewest"), [("requirements.lock", 100), ("supply-chain.lock", 20)])
def test_the_lock_has_every_version_with_hashes_and_no_address(file, fewest):
    lock = (ROOT / file).read_text()
    assert "://" not in lock
    entries = re.split(r"\n(?=[a-z0-9])", re.sub(r"^#.*\n", "", lock, flags=re.MULTILINE).strip())
    assert len(entries) > fewest
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_the_lock_satisfies_the_declared_dependencies():
    from packaging.requirements import Requirement

    lock = (ROOT / "requirements.lock").read_text()
    locked = dict(re.findall(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==([^\s;\\]+)", lock, flags=re.MULTILINE))
    extras = PROJECT["optional-dependencies"]
    for line in PROJECT["dependencies"] + extras["dev"] + extras["gcp"] + extras["dask"]:
        requirement = Requirement(line)
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        assert requirement.specifier.contains(locked[name]), line


def test_the_version_is_the_same_everywhere():
    assert PROJECT["version"] == avinst.__version__
    assert f"## {avinst.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_every_dependency_is_explained():
    text = (ROOT / "docs" / "dependencies.md").read_text().lower()
    for line in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]:
        name = re.match(r"[A-Za-z0-9_-]+", line)[0].lower()
        assert f"`{name}`" in text, f"{name} is not in docs/dependencies.md"


@pytest.mark.parametrize("page", ["schema", "commands", "doctor", "api"])
def test_the_generated_pages_are_fresh(page):
    location = ROOT / "docs" / ("api_page.py" if page == "api" else "generate.py")
    module_spec = importlib.util.spec_from_file_location("docs_generate", location)
    module = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(module)
    made = getattr(module, f"{page}_page")()
    assert (ROOT / "docs" / f"{page}.md").read_text() == made, "run python docs/generate.py"


def test_the_page_of_commands_has_every_flag():
    page = (ROOT / "docs" / "commands.md").read_text()
    assert "| other flags |" not in page, "FLAG_GROUPS of the command's module leaves a flag out"
    for name, command in COMMANDS.items():
        section = page.split(f"## `avinst {name}`\n")[1].split("\n## ")[0]
        for flag in importlib.import_module(command.module).FLAGS:
            where = page if flag in COMMON else section
            assert f"| `--{flag}` |" in where, f"avinst {name} --{flag}"


@pytest.mark.parametrize("file", [*map(str, ROOT.glob("*.md")), *sorted(map(str, (ROOT / "docs").glob("*.md")))])
def test_links_lead_somewhere(file):
    text = (ROOT / file).read_text()
    for target in re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", text):
        target = target[0] or target[1]
        if "://" not in target:
            path, _, heading = target.partition("#")
            page = (ROOT / file).parent / path if path else ROOT / file
            assert page.exists(), f"{file} names {target}"
            assert not heading or heading in headings_of(page), f"{file} names {target}"


def headings_of(page):
    """As code hosts name them in links: lower case, no punctuation, - for a space."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    titles = [re.sub(r"\]\([^)]*\)", "]", title) for title in re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def commands_in(text):
    """Every `avinst ...` line of the fenced blocks, continued lines joined."""
    # All fences are matched, lest the end of one in another language pass for the beginning of a block.
    for language, block in re.findall(r"^ *```(\w*)\n(.*?)^ *```$", text, flags=re.MULTILINE | re.DOTALL):
        lines = block.replace("\\\n", " ").splitlines() if language in ("bash", "sh", "console", "") else []
        for line in lines:
            if line.lstrip().startswith("avinst "):
                yield shlex.split(line, comments=True)[1:]


@pytest.mark.parametrize("file", ["README.md", *sorted(map(str, (ROOT / "docs").glob("*.md")))])
def test_the_commands_in_the_documents_exist(file):
    """Names, flags and their values; that the commands also run, the end-to-end tests show."""
    for name, *arguments in commands_in((ROOT / file).read_text()):
        assert name in COMMANDS, f"{file}: avinst {name}"
        module = importlib.import_module(COMMANDS[name].module)
        flags = set(module.FLAGS) | {f"no{flag}" for flag in module.FLAGS} | {"help"}
        beams = {flag.lstrip("-") for flag in known_flags()}
        has_beams = name in ("prepare", "predict")
        known = flags | (beams if has_beams else set())
        for argument in arguments:
            if argument.startswith("--"):
                assert argument[2:].split("=")[0] in known, f"{file}: avinst {name} {argument}"
        values = copy.deepcopy(module.FLAGS)
        values.set_gnu_getopt(True)
        if "--help" not in arguments:
            values(
                [f"{file}: avinst {name}", *arguments], known_only=flags != known
            )  # raises for a value that is none


def test_no_address_of_a_machine_or_registry_is_committed():
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a git checkout")
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    pattern = re.compile(r"p[y]pi\.org|python[h]osted|registry\.n[p]mjs|/[r]oot/|/[h]ome/\w+/", re.IGNORECASE)
    for name in tracked.stdout.splitlines():
        file = ROOT / name
        if file.suffix in {".py", ".md", ".toml", ".yaml", ".lock", ".json", ""}:
            assert not pattern.search(file.read_text(encoding="utf-8")), name
