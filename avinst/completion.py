"""Prints the script by which a shell completes avinst's commands, flags and their values with the Tab key.

avinst completion bash >> ~/.bashrc
avinst completion zsh > ~/.zfunc/_avinst        (a folder of $fpath, before compinit)
avinst completion fish > ~/.config/fish/completions/avinst.fish

Shells that are started afterwards complete: avinst tr, avinst train --sche, --scheme=jo, and the names of files
and directories. To try it in a running bash: source <(avinst completion bash).
"""

import argparse
import importlib
import re
import sys
from collections.abc import Iterator, Sequence

import shtab
from absl import flags

from avinst import cli, command, command_flags
from avinst.command_flags import FlagFacts, facts
from avinst.errors import UsageError
from avinst.nearest import hint

SHELLS = ("bash", "zsh", "fish")
FLAGS = command_flags.new_flags()
# A command's arguments beside its flags: how many, and what completes them.
_POSITIONAL = {
    "inspect": ("DATASET", "?", shtab.DIRECTORY),
    "predict": ("VIDEO", "*", shtab.FILE),
    "explain": ("VIDEO", "?", shtab.FILE),
}
# bash cuts words at `=`, which shtab's function does not expect: it is given the words without it, and its answers
# get it where a value is to follow.
_BASH_EQUALS = """
_avinst_values=" {values} "
_avinst_complete() {{
  local -a words=()
  local word at=0 i
  for i in "${{!COMP_WORDS[@]}}"; do
    word="${{COMP_WORDS[i]}}"
    if [ "$word" = "=" ]; then
      [ "$i" -eq "$COMP_CWORD" ] || continue
      word=""
    fi
    [ "$i" -eq "$COMP_CWORD" ] && at=${{#words[@]}}
    words+=("$word")
  done
  local COMP_WORDS=("${{words[@]}}") COMP_CWORD=$at
  _shtab_avinst
  if [[ "${{words[at]}}" == -* ]]; then
    for i in "${{!COMPREPLY[@]}}"; do
      if [[ "$_avinst_values" == *" ${{COMPREPLY[i]}} "* ]]; then
        COMPREPLY[i]+="="
        compopt -o nospace 2>/dev/null || :
      fi
    done
  fi
}}
complete -o bashdefault -F _avinst_complete avinst
"""


def script(shell: str) -> str:
    """The script that a shell of this name reads: bash, zsh or fish."""
    text = shtab.complete(parser(), shell)
    if shell == "bash":
        values = sorted(
            {f"--{flag.name}" for name in cli.COMMANDS for flag in _flags_of(name) if flag.kind != "bool"}
        )
        text = text.replace("\ncomplete -o bashdefault -F _shtab_avinst avinst", "")
        return text + _BASH_EQUALS.format(values=" ".join(["--flagfile", *values]))
    if shell == "zsh":  # --flag=value as well as --flag value
        return re.sub(r'^(\s*"--\w+)(\[.*:\w+:.*")$', r"\1=\2", text, flags=re.MULTILINE)
    return text


def parser() -> argparse.ArgumentParser:
    """The commands, their flags and what may be given, as argparse holds them; nothing is parsed with it."""
    whole = argparse.ArgumentParser(prog="avinst", add_help=False)
    commands = whole.add_subparsers()
    for name, known in cli.COMMANDS.items():
        one = commands.add_parser(name, help=known.does, add_help=False)
        for flag in _flags_of(name):
            _add(one, flag)
        flagfile = one.add_argument("--flagfile", help="read flags from a file, one a line", metavar="FILE")
        flagfile.complete = shtab.FILE  # type: ignore[attr-defined]  # shtab's way to say it
        one.add_argument("--help", action="store_true", help="show examples and flags")
        if name in _POSITIONAL:
            word, count, completed = _POSITIONAL[name]
            one.add_argument(word, nargs=count).complete = completed  # type: ignore[attr-defined]
    commands.choices["completion"].add_argument("SHELL", choices=list(SHELLS))
    shows_help = commands.add_parser("help", help="shows a command's examples and flags", add_help=False)
    shows_help.add_argument("COMMAND", choices=list(cli.COMMANDS))
    commands.add_parser("version", help="shows avinst's version", add_help=False)
    return whole


def _flags_of(name: str) -> Iterator[FlagFacts]:
    flag_values: flags.FlagValues = importlib.import_module(cli.COMMANDS[name].module).FLAGS
    for flag in flag_values:
        yield facts(flag_values[flag])


def _add(one: argparse.ArgumentParser, flag: FlagFacts) -> None:
    meaning = flag.meaning.replace("%", "%%")
    if flag.kind == "bool":
        if flag.default == "true":
            one.add_argument(f"--no{flag.name}", action="store_true", help=f"do not: {meaning}")
        else:
            one.add_argument(f"--{flag.name}", action="store_true", help=meaning)
        return
    added = one.add_argument(f"--{flag.name}", help=meaning, choices=flag.choices or None)
    if flag.is_path:
        added.complete = shtab.DIRECTORY if flag.is_directory else shtab.FILE  # type: ignore[attr-defined]


def completion(arguments: Sequence[str]) -> None:
    """Prints the script; a user reads what goes wrong in one line."""
    if len(arguments) != 1:
        raise UsageError(f"one shell is expected: {', '.join(SHELLS)}; found {' '.join(arguments) or 'none'}")
    if arguments[0] not in SHELLS:
        near = hint(arguments[0], SHELLS, f"there are {', '.join(SHELLS)}")
        raise UsageError(f"no shell {arguments[0]!r}; {near}")
    print(script(arguments[0]))  # noqa: T201


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    return command.run(completion, FLAGS, argv, positional="SHELL")


if __name__ == "__main__":
    sys.exit(main())
