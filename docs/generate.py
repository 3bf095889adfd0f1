"""Makes the pages schema, commands, doctor and api from the code; a test holds them fresh.

python docs/generate.py
"""

import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from avinst.cli import COMMANDS
from avinst.command_flags import FlagFacts, grouped, groups_of
from avinst.command_help import blocks
from avinst.quiet import import_tensorflow_quietly

SCHEMA_FILE = Path(__file__).with_name("schema.md")
COMMANDS_FILE = Path(__file__).with_name("commands.md")
DOCTOR_FILE = Path(__file__).with_name("doctor.md")
API_FILE = Path(__file__).with_name("api.md")
_ABOUT_DOCTOR = """\
# What `avinst doctor` looks for

Made from the code by `python docs/generate.py`; do not edit.

```bash
avinst doctor
```

It takes about 15 seconds, most of them to import TensorFlow. It changes nothing of yours, and asks no server
unless a `gs://` place is given. (Keras and matplotlib make their folders in your home directory where these are
missing, as they do whenever they are imported.) Each line begins with `ok`, `note` (works, but worth knowing) or
`wrong`, and says what to do. Most of the {count} checks are silent where all is well. The exit status is 1 if
anything is wrong.

`--output_dir` names the directory that you mean to write to, `--data_dir` a dataset and `--run_dir` a run that
should be looked at too. `--json` prints the findings as a list of `state`, `subject` and `text`. For a report of
an error, send what `avinst doctor --verbose` prints.
"""
# What `avinst.command` makes of an outcome is the same for all; the commands' own words are in their modules.
_ABOUT_COMMANDS = """\
# The commands and their flags

Made from the code by `python docs/generate.py`; do not edit.

`avinst` alone lists the commands. `avinst COMMAND --help`, or `avinst help COMMAND`, shows what stands here. Flags
are written `--name=value`, before or after other arguments; one of the type bool is set by `--name` and unset by
`--noname`. No flag has a short form (`-v`). `avinst prepare` and `avinst predict --output_dir` hand flags that
they do not know to Apache Beam (`--runner=DataflowRunner`, ...); elsewhere an unknown flag is an error.

One rule for names: `..._dir` is a directory that avinst makes or reads, `--output_dir` the one that a command
writes to, `--output` and `..._output` are single files to be written, `--media_root` is the folder of the videos.

| every command has | |
| --- | --- |
| `--help` | shows what it does, examples and flags |
| `--flagfile=FILE` | reads flags from a file, one a line |
| `--verbose` | for a report of an error: tells versions, settings, all messages, and where it arose, on stderr |

`--json`, where a command has it, prints what was found as JSON on stdout, and nothing else there: progress and
errors go to stderr, and the exit status is the same. What cannot be a number is `null`.

Colours are shown on a terminal alone. `NO_COLOR=1` turns them off, `FORCE_COLOR=1` on.

The Tab key completes commands, flags and values after one line (bash; `avinst completion --help` tells the one for
zsh and fish):

```bash
avinst completion bash >> ~/.bashrc
```

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
        lines += [f"## `avinst {name}`", "", *_paragraphs(module.__doc__ or "")]
        for subject, members in grouped(module.FLAGS, groups_of(module)):
            lines += [f"| {subject} | type | default | |", "| --- | --- | --- | --- |"]
            lines += [*map(_row, members), ""]
    return "\n".join(lines)


def doctor_page() -> str:
    """The page that lists what `avinst doctor` looks for."""
    from avinst.checks.all_checks import CHECKS

    count = sum(map(len, CHECKS.values()))
    lines = [_ABOUT_DOCTOR.format(count=count)]
    for part, checks in CHECKS.items():
        lines += [f"| {part}: looked for | check |", "| --- | --- |"]
        lines += [f"| {' '.join(check.about.split())} | `{check.run.__name__}` |" for check in checks]
        lines.append("")
    return "\n".join(lines)


def _paragraphs(doc: str) -> Iterator[str]:
    """A module's docstring as Markdown: its commands and what is indented below a colon become blocks."""
    for block in blocks(doc):
        if block.kind == "examples":
            yield from ("```bash", *block.lines, "```", "")
        elif block.kind == "list":
            yield from (block.lines[0].capitalize(), "", "```text", *block.lines[1:], "```", "")
        else:
            yield from (*block.lines, "")


def _row(flag: FlagFacts) -> str:
    """The flag's row of the table."""
    kind = ", ".join(f"`{choice}`" for choice in flag.choices) or ", ".join(filter(None, (flag.kind, flag.bounds)))
    meaning = flag.meaning.replace("|", r"\|").replace("*", r"\*").replace("<", "&lt;")
    return f"| `--{flag.name}` | {kind} | {f'`{flag.default}` ' if flag.default else ''}| {meaning} |"


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
    from api_page import api_page  # of this folder

    SCHEMA_FILE.write_text(schema_page(), encoding="utf-8")
    COMMANDS_FILE.write_text(commands_page(), encoding="utf-8")
    DOCTOR_FILE.write_text(doctor_page(), encoding="utf-8")
    API_FILE.write_text(api_page(), encoding="utf-8")
