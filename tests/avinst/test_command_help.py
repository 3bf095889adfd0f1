import importlib
import re

import pytest

from avinst import cli
from avinst.command_flags import COMMON, facts, grouped, groups_of
from avinst.command_help import Block, blocks, spelling
from trainer import train

MODULES = {name: importlib.import_module(command.module) for name, command in cli.COMMANDS.items()}


@pytest.mark.parametrize("name", cli.COMMANDS)
@pytest.mark.parametrize("columns", [72, 80, 110])
def test_no_line_is_wider_than_the_terminal_but_examples(capsys, monkeypatch, name, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    assert cli.main(["avinst", name, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if len(line) > columns and not line.startswith("  avinst ")] == []


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_an_example_that_it_can_parse(name):
    examples = [
        line for block in blocks(MODULES[name].__doc__) if block.kind == "examples" for line in block.lines
    ]
    assert examples
    assert all(re.match(rf"avinst {name}( |$)", line) for line in examples)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_flag_is_in_one_group(name):
    flag_values, groups = MODULES[name].FLAGS, groups_of(MODULES[name])
    listed = [flag.name for _, members in grouped(flag_values, groups) for flag in members]
    assert sorted(listed) == sorted(set(flag_values) - set(COMMON))
    if groups:
        assert "other flags" not in dict(grouped(flag_values, groups))
    assert len(listed) <= 12 or groups


def test_choices_bounds_and_defaults_are_shown(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "110")
    assert cli.main(["avinst", "help", "train"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "--scheme=CHOICE what is trained" in shown
    assert "[audio, visual, independent, joint; default: joint]" in shown
    assert "[1 to 65536; default: 32]" in shown
    assert "--[no]augment alter" in shown
    assert shown.index("examples:") < shown.index("where from, where to:") < shown.index("the network:")


def test_what_is_said_about_a_flag():
    dropout = facts(train.FLAGS["dropout"])
    assert (dropout.kind, dropout.bounds, dropout.default) == ("float", "0 to 0.95", "0.2")
    assert [spelling(facts(train.FLAGS[name])) for name in ("seed", "run_dir", "dropout", "mix", "json")] == [
        "--seed=INT",
        "--run_dir=DIR",
        "--dropout=NUMBER",
        "--mix=CHOICE",
        "--json",
    ]


def test_a_docstring_in_its_parts():
    doc = "Does it.\n\navinst x --a=1     (a remark)\n\nMore,\nto read.\n\nformats:\n  one  1\n  two  2\n"
    assert list(blocks(doc)) == [
        Block("text", ("Does it.",)),
        Block("examples", ("avinst x --a=1  # a remark",)),
        Block("text", ("More,", "to read.")),
        Block("list", ("formats:", "one  1", "two  2")),
    ]
