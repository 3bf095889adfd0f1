"""Makes docs/schema.md from the code: `python docs/generate.py`; a test fails while the file is stale."""

import dataclasses
import inspect
import re
from pathlib import Path

from avinst.quiet import import_tensorflow_quietly

import_tensorflow_quietly()

from avinst.dataset import Dataset  # noqa: E402
from avinst.schema import FEATURES  # noqa: E402
from avinst.spec import DatasetSpec  # noqa: E402
from beam_pipelines.shard_record import ExamplesRecord, Reject  # noqa: E402

SCHEMA_FILE = Path(__file__).with_name("schema.md")


def schema_page() -> str:
    """The page that documents every stored name."""
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
    section = inspect.getdoc(kind).split("Attributes:\n")[1]
    meanings = {}
    for names, text in re.findall(r"^    ([\w, ]+): ((?:.|\n(?!    \w[\w, ]*: ))*)", section, flags=re.MULTILINE):
        for name in names.split(", "):
            meanings[name] = " ".join(text.split())
    return meanings


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_page(), encoding="utf-8")
