"""What the documents list is what the code has."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = (
    "avinst/media*.py",
    "avinst/decoder*.py",
    "avinst/child*.py",
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
