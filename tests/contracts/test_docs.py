"""What the documents list is what the code has."""

import ast
import dataclasses
import re
from pathlib import Path

import pytest

from avinst.media.types import DecodeLimits

ROOT = Path(__file__).parents[2]
MODULES = (
    "avinst/media/*.py",
    "beam_pipelines/row_segments.py",
    "beam_pipelines/tally.py",
)
SOURCES = [source for pattern in MODULES for source in ROOT.glob(pattern)]
CALLS = ("MediaError", "Loss", "reject")


def reasons():
    """Second or later string constants of what makes a reject, and the pairs that `_why_lost` returns."""
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text())):
            values = []
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                values = node.args[1:] if name in CALLS else []
            elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
                values = node.value.elts[:1]
            for value in values:
                if isinstance(value, ast.Constant) and re.fullmatch(r"[a-z]+(_[a-z]+)*", str(value.value)):
                    yield value.value


def test_every_reason_for_a_reject_is_explained():
    found = set(reasons()) - {"find", "decode"}  # stages
    assert {"timed_out", "no_picture", "not_found", "truncated"} <= found
    text = (ROOT / "docs" / "prepare.md").read_text()
    assert [reason for reason in sorted(found) if f"`{reason}`" not in text] == []


def test_the_security_page_has_every_limit_with_its_default():
    text = (ROOT / "docs" / "security.md").read_text()
    limits = dataclasses.fields(DecodeLimits)
    assert [field.name for field in limits if f"| `--{field.name}` | `{field.default}`" not in text] == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_files_of_the_repository_that_a_page_names_are_there(page):
    folders = "avinst|beam_pipelines|trainer|analysis|tests|benchmarks|cloud"
    named = re.findall(rf"`((?:{folders})/[\w/]+\.\w+)`", page.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_list_of_pages_has_every_page():
    text = (ROOT / "docs" / "index.md").read_text()
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert [page for page in sorted(pages) if f"({page})" not in text] == []
