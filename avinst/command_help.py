"""What `avinst COMMAND --help` shows: what it does, examples, and the flags by subject."""

import dataclasses
import inspect
import re
import textwrap
from collections.abc import Iterator
from types import ModuleType

from absl import flags

from avinst import terminal
from avinst.command_flags import FlagFacts, grouped, groups_of

_NAME_COLUMNS = 26  # of the longest flags that share a line with their meaning
_EVERYWHERE = (
    ("--verbose", "for a report of an error: versions, settings, all messages, and where an error arose"),
    ("--flagfile=FILE", "read flags from a file, one a line"),
    ("--help", "show this"),
)


@dataclasses.dataclass(frozen=True)
class Block:
    """A part of a command's docstring.

    Attributes:
        kind: `text`, `examples` (command lines) or `list` (a heading and lines below it).
        lines: without common indentation; of a `list` the first one is the heading.
    """

    kind: str
    lines: tuple[str, ...]


def blocks(doc: str) -> Iterator[Block]:
    """A module's docstring in its parts, which blank lines divide."""
    for part in filter(None, inspect.cleandoc(doc).split("\n\n")):
        lines = textwrap.dedent(part).splitlines()
        if lines[0].startswith("avinst "):
            yield Block("examples", tuple(re.sub(r" {2,}\((.*)\)$", r"  # \1", line) for line in lines))
        elif lines[0].endswith(":") and all(line.startswith("  ") for line in lines[1:]):
            yield Block("list", (lines[0], *(line[2:] for line in lines[1:])))
        else:
            yield Block("text", tuple(lines))


def help_text(name: str, module: ModuleType, flag_values: flags.FlagValues, positional: str) -> str:
    """The whole help of a command.

    Args:
        name: as it is called, `avinst train`.
        module: the command's, for its docstring and its FLAG_GROUPS.
        flag_values: its flags.
        positional: what may stand beside flags, such as `VIDEO...`; empty: nothing.
    """
    parts = list(blocks(module.__doc__ or ""))
    examples = [line for part in parts if part.kind == "examples" for line in part.lines]
    about = [part for part in parts if part.kind != "examples"]
    lines = [*_filled(" ".join(about[0].lines)), ""] if about else []
    lines += [f"{_heading('usage:')} {name} [--flag=value ...] {positional}".rstrip(), ""]
    if examples:
        lines += [_heading("examples:"), *(f"  {line}" for line in examples), ""]
    for part in about[1:]:
        if part.kind == "list":
            lines += [_heading(part.lines[0]), *(row for line in part.lines[1:] for row in _listed(line)), ""]
        else:
            lines += [*_filled(" ".join(part.lines)), ""]
    for subject, members in grouped(flag_values, groups_of(module)):
        lines += [_heading(f"{subject}:")]
        for member in members:
            lines += _described(spelling(member), _meaning(member))
        lines.append("")
    lines += [_heading("for every command:"), *(line for pair in _EVERYWHERE for line in _described(*pair))]
    return "\n".join(lines)


def spelling(flag: FlagFacts) -> str:
    """How the flag is written: `--batch_size=INT`, `--[no]audit`."""
    if flag.kind == "bool":
        return f"--[no]{flag.name}" if flag.default == "true" else f"--{flag.name}"
    if flag.choices:
        return f"--{flag.name}=CHOICE"
    what = {"int": "INT", "float": "NUMBER", "list, by commas": "A,B,..."}.get(flag.kind)
    return f"--{flag.name}={what or ('DIR' if flag.is_directory else 'FILE' if flag.is_path else 'TEXT')}"


def _meaning(flag: FlagFacts) -> str:
    """The help with what may be given and what is taken otherwise."""
    limits = [", ".join(flag.choices)] if flag.choices else []
    limits += [flag.bounds] if flag.bounds else []
    if flag.kind == "bool":
        limits += ["default: on"] if flag.default == "true" else []
    elif flag.default:  # what an empty value means stands in the meaning
        limits += [f"default: {flag.default}"]
    return f"{flag.meaning.rstrip('.')} [{'; '.join(limits)}]" if limits else flag.meaning.rstrip(".")


def _described(name: str, meaning: str) -> list[str]:
    indent = " " * (_NAME_COLUMNS + 4)
    lines = _filled(meaning, indent)
    if len(name) > _NAME_COLUMNS:
        return [f"  {name}", *lines]
    return [f"  {name:<{_NAME_COLUMNS}}  {lines[0].lstrip()}", *lines[1:]]


def _listed(line: str) -> list[str]:
    """A line of a list: what follows the first wide gap stays in its column."""
    term = re.match(r"\S+ {2,}", line)
    return _filled(line, "  ", "  " + " " * (term.end() if term else 0))


def _filled(text: str, indent: str = "", hanging: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        terminal.width(),
        initial_indent=indent,
        subsequent_indent=indent if hanging is None else hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _heading(text: str) -> str:
    return terminal.painted(text, bold=True)
