"""Makes schema.md and commands.md from the code: `python docs/generate.py`; a test fails while one is stale."""

import dataclasses
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from absl import flags

from avinst.cli import COMMANDS
from avinst.quiet import import_tensorflow_quietly

SCHEMA_FILE = Path(__file__).with_name("schema.md")
COMMANDS_FILE = Path(__file__).with_name("commands.md")
# What `avinst.command` makes of an outcome is the same for all; the commands' own words are in their modules.
_ABOUT_COMMANDS = """\
# The commands and their flags

Made from the code by `python docs/generate.py`; do not edit.

`avinst` alone lists the commands, `avinst COMMAND --help` shows what stands here. Flags are written
`--name=value`, before or after other arguments; one of the type bool is set by `--name` and unset by `--noname`.
`--flagfile=FILE` reads flags from a file, one a line. `avinst prepare` and `avinst predict --output_dir` hand
flags that they do not know to Apache Beam (`--runner=DataflowRunner`, ...); elsewhere an unknown flag is an error.

| exit status | |
| --- | --- |
| 0 | done |
| 1 | failed; one line on stderr says what was found, what was expected and what to change |
| 2 | wrong flags or arguments |
| 130, 143 | ended by Ctrl-C, by SIGTERM; the same command goes on where it was |

With the environment variable `AVINST_TRACEBACK` set, errors of the file system come with their traceback.
"""


def schema_page() -> str:
    """The page that documents every stored name."""
    import_tensorflow_quietly()
    from avinst.dataset import Dataset
    from avinst.schema import FEATURES
    from avinst.spec import DatasetSpec
    from beam_pipelines.shard_record import ExamplesRecord, Reject

    examples = ["| feature | type | holds |", "| --- | --- | --- |"]
    examples += [f"| `{name}` | {kind} | {meaning} |" for name, (kind, meaning) in FEATURES.items()]
    return "\n".join(
        [
            "# What a dataset holds",
            "",
            "Made from the code by `python docs/generate.py`; do not edit.",
            "",
            "## An example (`*.tfrecord`, one serialized `tf.train.Example` a segment)",
            "",
            *examples,
            "",
            "## The spec (`spec` in `dataset.json`, `assets/dataset_spec.json` in a SavedModel)",
            "",
            *_table(DatasetSpec, with_defaults=True),
            "",
            "## `dataset.json`",
            "",
            *_table(Dataset, leave_out=("data_dir",)),
            "",
            "## `shards/<shard>.json`",
            "",
            *_table(ExamplesRecord),
            "",
            "## A line of `rejects.jsonl`",
            "",
            *_table(Reject),
            "",
        ]
    )


def commands_page() -> str:
    """The page that documents every command; the modules of commands define their flags without TensorFlow."""
    lines = [_ABOUT_COMMANDS]
    for name, command in COMMANDS.items():
        module = importlib.import_module(command.module)
        lines += [f"## `avinst {name}`", "", *_paragraphs(module.__doc__ or ""), "| flag | type | default | |"]
        lines += ["| --- | --- | --- | --- |", *_flag_rows(module.FLAGS), ""]
    return "\n".join(lines)


def _paragraphs(doc: str) -> Iterator[str]:
    """A module's docstring as Markdown: its commands and what is indented below a colon become blocks."""
    for block in inspect.cleandoc(doc).split("\n\n"):
        lines = textwrap.dedent(block).splitlines()
        if lines[0].startswith("avinst "):
            remarks = [re.sub(r" {2,}\((.*)\)$", r"  # \1", line) for line in lines]
            yield from ("```bash", *remarks, "```", "")
        elif lines[0].endswith(":") and all(line.startswith("  ") for line in lines[1:]):
            yield from (lines[0].capitalize(), "", "```text", *(line[2:] for line in lines[1:]), "```", "")
        else:
            yield from (*lines, "")


def _flag_rows(flag_values: flags.FlagValues) -> Iterator[str]:
    """One row a flag, in the order of --help."""
    for flag in (flag_values[name] for name in flag_values):
        choices = getattr(flag.parser, "enum_values", None)
        kind = ", ".join(f"`{choice}`" for choice in choices) if choices else _kind(flag)
        default = flag.default_as_str.strip("'") if flag.default_as_str else ""
        # Of a flag with choices, absl puts them before the help.
        meaning = " ".join(re.sub(r"^<[^>]*>: ", "", flag.help or "").split())
        meaning = meaning.replace("|", r"\|").replace("*", r"\*").replace("<", "&lt;")
        yield f"| `--{flag.name}` | {kind} | {f'`{default}` ' if default else ''}| {meaning} |"


def _kind(flag: flags.Flag) -> str:
    """The flag's type, with its bounds."""
    name = {"comma separated list of strings": "list, by commas"}.get(flag.flag_type(), flag.flag_type())
    low, high = (getattr(flag.parser, f"{end}_bound", None) for end in ("lower", "upper"))
    if low is not None and high is not None:
        return f"{name}, {low:g} to {high:g}"
    if low is not None:
        return f"{name}, at least {low:g}"
    return f"{name}, at most {high:g}" if high is not None else name


def _table(kind: type, *, with_defaults: bool = False, leave_out: tuple[str, ...] = ()) -> list[str]:
    """One row a field; the meanings stand in the class's docstring, section Attributes."""
    meanings = _attributes(kind)
    lines = ["| name | default | meaning |" if with_defaults else "| name | meaning |"]
    lines.append("| --- " * (3 if with_defaults else 2) + "|")
    for field in dataclasses.fields(kind):
        if field.name not in leave_out:
            default = f" `{field.default}` |" if with_defaults else ""
            lines.append(f"| `{field.name}` |{default} {meanings[field.name]} |")
    return lines


def _attributes(kind: type) -> dict[str, str]:
    section = inspect.cleandoc(kind.__doc__ or "").split("Attributes:\n")[1]
    meanings = {}
    for names, text in re.findall(r"^    ([\w, ]+): ((?:.|\n(?!    \w[\w, ]*: ))*)", section, flags=re.MULTILINE):
        for name in names.split(", "):
            meanings[name] = " ".join(text.split())
    return meanings


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_page(), encoding="utf-8")
    COMMANDS_FILE.write_text(commands_page(), encoding="utf-8")
