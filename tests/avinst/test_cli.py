import importlib
import subprocess
import sys

import pytest

from avinst import cli

HEAVY = ("tensorflow", "keras", "apache_beam", "matplotlib", "sklearn", "scipy", "av")


def test_the_list_of_commands(capsys):
    assert cli.main(["avinst"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed and command.does in printed for name, command in cli.COMMANDS.items())


def test_an_unknown_command(capsys):
    assert cli.main(["avinst", "trian"]) == 2
    assert "did you mean 'train'?" in capsys.readouterr().err


def test_a_flag_before_the_command(capsys):
    assert cli.main(["avinst", "--verbose", "inspect"]) == 2
    assert capsys.readouterr().err == "avinst: flags come after the command: avinst COMMAND --verbose\n"


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_exists_and_shows_its_help(capsys, name):
    assert cli.main(["avinst", name, "--help"]) == 0
    printed = capsys.readouterr().out
    assert f"usage: avinst {name}" in printed
    assert importlib.import_module(cli.COMMANDS[name].module).main


def test_help_imports_nothing_heavy():
    # In a process of its own: this one has TensorFlow already.
    code = (
        "import sys\nfrom avinst import cli\n"
        "for name in cli.COMMANDS: cli.main(['avinst', name, '--help'])\n"
        f"sys.exit(' '.join(set({HEAVY}) & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_a_misspelt_flag_is_named(capsys, name):
    assert cli.main(["avinst", name, "--data_dri=x"]) == 2
    error = capsys.readouterr().err
    assert "data_dri" in error
    assert error.count("\n") == 1
