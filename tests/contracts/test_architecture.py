"""The pictures of docs/architecture.md hold against the code: their edges are its imports."""

import ast
import re
from pathlib import Path

import pytest

from avinst.cli import COMMANDS

ROOT = Path(__file__).parents[2]
FOLDERS = ("avinst", "beam_pipelines", "trainer", "analysis")
BLOCKS = re.findall(r"```mermaid\n(.*?)```", (ROOT / "docs" / "architecture.md").read_text(), flags=re.DOTALL)
HELD = [block for block in BLOCKS if "%% imports" in block]
NODE = re.compile(r'^\s*(\w+)\["([\w.]+)"\]$', flags=re.MULTILINE)
EDGE = re.compile(r"^\s*(\w+) --> (\w+(?: & \w+)*)$", flags=re.MULTILINE)


def module_of(file):
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_of(file): file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")}


def is_for_types_alone(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imported_modules(tree):
    """Modules of this project that run when this one does, those imported within functions too."""
    for node in ast.iter_child_nodes(tree):
        if is_for_types_alone(node):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in FILES)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield from (name for name in (whole if whole in FILES else node.module,) if name in FILES)
        else:
            yield from imported_modules(node)


IMPORTS = {name: set(imported_modules(ast.parse(file.read_text()))) for name, file in FILES.items()}


def imports_between(names):
    """(importing, imported) among the names; a folder's name stands for all of its modules."""

    def node_of(module):
        return next((name for name in names if module == name or module.startswith(f"{name}.")), None)

    pairs = {(node_of(module), node_of(other)) for module, others in IMPORTS.items() for other in others}
    return {(one, other) for one, other in pairs if one and other and one != other}


def test_the_pictures_are_there():
    assert len(BLOCKS) == len(HELD) + 1  # one of the way of the data
    assert len(HELD) >= 4


@pytest.mark.parametrize("block", HELD, ids=lambda block: re.search(r"%% imports: (.*)", block)[1])
def test_every_edge_is_an_import_and_every_import_an_edge(block):
    names = dict(NODE.findall(block))
    assert [name for name in names.values() if name not in FILES] == []
    drawn = {(names[one], names[other]) for one, others in EDGE.findall(block) for other in others.split(" & ")}
    lines = [line for line in block.splitlines() if "-->" in line]
    assert len(lines) == len(EDGE.findall(block)), "an edge is written `one --> other & third`"
    assert drawn == imports_between(list(names.values()))


def test_the_way_of_the_data_has_every_command():
    (block,) = (block for block in BLOCKS if block not in HELD)
    named = set(re.findall(r"avinst (\w+)", block))
    assert named == set(COMMANDS) - {"demo", "doctor", "completion"}  # they make nothing of the user's


def test_every_folder_is_explained():
    text = (ROOT / "docs" / "architecture.md").read_text()
    assert [folder for folder in FOLDERS if f"`{folder}/`" not in text] == []
