"""What goes into wheel and sdist, without building them (`.ci/package` does)."""

import re
import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = [name.rstrip("*") for name in PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]]


def test_every_file_of_the_packages_is_shipped():
    data = PROJECT["tool"]["setuptools"]["package-data"]
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*"):
            if file.is_dir() or file.suffix in (".py", ".pyc"):
                continue
            name = str(file.relative_to(ROOT / package))
            assert any(fnmatch(name, pattern) for pattern in data.get(package, [])), f"{file} is not shipped"


def test_every_folder_of_modules_is_a_package():
    """One without __init__.py would be missing from the wheel and nowhere else."""
    for package in PACKAGES:
        for folder in {file.parent for file in (ROOT / package).rglob("*.py")}:
            assert (folder / "__init__.py").exists(), folder


def test_what_the_manifest_names_exists():
    for line in (ROOT / "MANIFEST.in").read_text().splitlines():
        kind, *names = line.split()
        if kind == "include":
            assert all((ROOT / name).is_file() for name in names), line
        elif kind != "global-exclude":
            assert kind == "recursive-include"
            assert list((ROOT / names[0]).rglob(names[1])), line


def test_the_sdist_holds_the_repository():
    """What README.md links to, and what builds the image and runs the tests, is where the sources are."""
    lines = [line.split() for line in (ROOT / "MANIFEST.in").read_text().splitlines()]
    files = {name for kind, *names in lines if kind == "include" for name in names}
    folders = {names[0] for kind, *names in lines if kind == "recursive-include" and names[1] == "*"} | set(
        PACKAGES
    )
    # Setuptools brings these by itself.
    files |= {"README.md", "pyproject.toml", "setup.py", "MANIFEST.in", *PROJECT["project"]["license-files"]}
    for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / "README.md").read_text()):
        assert link.partition("/")[0] in folders or link in files, link
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        folder, _, inside = name.partition("/")
        assert (folder in folders) if inside else (name in files), f"{name} is not in the sdist"


def test_ci_builds_and_runs_the_package():
    steps = (ROOT / ".ci" / "run").read_text()
    assert re.search(r"^\.ci/package$", steps, flags=re.MULTILINE)
    package = (ROOT / ".ci" / "package").read_text()
    # The image's own steps, each of them.
    assert set(re.findall(r"install\.sh\"? (\w+)", package)) == {"packages", "wheel", "avinst", "tree", "check"}
    assert "demo --fast" in package
