"""Every command block is run by a test or says why not; commands in the prose name flags that there are."""

import copy
import importlib
import re
import shlex

import pytest
from command_blocks import MARKS, OTHER_LANGUAGES, PAGES, ROOT, Block, blocks, run_by_ci
from pages import PAGES_THAT_RUN

from avinst.cli import COMMANDS
from beam_pipelines.beam_flags import known_flags


@pytest.mark.parametrize("page", PAGES)
def test_a_command_block_is_run_or_bears_a_mark_that_is_true(page):
    for block in blocks(page):
        where = f"{page}:{block.line}"
        if block.language != "bash":
            assert block.language in OTHER_LANGUAGES, f"{where}: {block.language!r}; shell is written as bash"
        elif block.mark:
            assert block.mark in MARKS, f"{where}: {block.mark!r} is none of {sorted(MARKS)}"
            assert MARKS[block.mark](block), f"{where}: not true of this block: {block.mark}"
        else:
            assert page in PAGES_THAT_RUN, f"{where}: no test runs it; add the page to tests/pages.py or a mark"


def test_every_page_that_is_run_has_something_to_run():
    with_commands = {
        page for page in PAGES for block in blocks(page) if block.language == "bash" and not block.mark
    }
    assert with_commands == set(PAGES_THAT_RUN)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("make lint", True),
        ("make licences sbom vulnerabilities", True),
        ("make demo", True),  # .ci/package runs `avinst demo --fast`
        ("avinst demo --output_dir=demo", True),
        ("avinst train", False),
        ("make test-all", False),
        ("make clean", False),
        ("make lint nothing", False),
        (".ci/package", True),
        (".ci/run", True),
        ("rm", False),
    ],
)
def test_what_ci_runs(command, expected):
    assert run_by_ci(command) is expected


def test_commands_are_read_from_a_block():
    block = Block("p", 1, "bash", "# alone\na --x='b#c' \\\n  --y   # why\n\nb > c\n", "")
    assert block.commands == ["a --x='b#c'    --y", "b > c"]


def inline_commands():
    """Page and `avinst COMMAND ...` in code within the prose, without what stands for something else."""
    for page in PAGES:
        prose = re.sub(r"^ *```.*?^ *```$", "", (ROOT / page).read_text(), flags=re.MULTILINE | re.DOTALL)
        for code in re.findall(r"`(avinst [^`]+)`", prose):
            yield page, " ".join(code.split())


@pytest.mark.parametrize(("page", "code"), sorted(set(inline_commands())), ids=lambda text: text.replace("/", "-"))
def test_a_command_in_the_prose_exists(page, code):
    _, name, *words = shlex.split(code)
    if name in ("COMMAND", "--version", "--help", "help"):
        return
    assert name in COMMANDS
    flags = copy.deepcopy(importlib.import_module(COMMANDS[name].module).FLAGS)
    names = set(flags) | {f"no{flag}" for flag in flags} | {"help"}
    if name in ("prepare", "predict"):
        names |= {flag.lstrip("-") for flag in known_flags()}
    for word in words:
        assert not word.startswith("--") or word[2:].split("=")[0] in names, word
    # With its values, where it has them: `--runner` alone is a flag that the page talks about.
    valued = [word for word in words if "=" in word and word[2:].split("=")[0] in flags]
    flags.set_gnu_getopt(True)
    flags([name, *valued])


def test_programs_in_the_prose_exist():
    for page in PAGES:
        for program in re.findall(r"`python ([\w/]+\.py)", (ROOT / page).read_text()):
            assert (ROOT / program).exists(), f"{page}: python {program}"
