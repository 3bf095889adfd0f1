"""Imports run one way: avinst <- beam_pipelines, avinst <- trainer <- analysis."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAY_IMPORT = {
    "avinst": {"avinst"},
    "beam_pipelines": {"beam_pipelines", "avinst"},
    "trainer": {"trainer", "avinst"},
    "analysis": {"analysis", "trainer", "avinst"},
}


def imported_folders(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            names = [node.module]
        yield from (name.split(".")[0] for name in names)


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_imports_run_one_way(folder):
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    for file in files:
        forbidden = (set(imported_folders(file)) & (set(MAY_IMPORT) | {"tests"})) - MAY_IMPORT[folder]
        assert not forbidden, f"{file.relative_to(ROOT)} imports {forbidden}"
