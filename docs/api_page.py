"""The page of the Python API: signatures and docstrings of the public names of the four packages, as Markdown."""

import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterator

PACKAGES = ("avinst", "beam_pipelines", "trainer", "analysis")
_HEAD = """\
# The Python API

Made from the code by `python docs/generate.py`; do not edit. [From Python](python.md) leads through it in the
order of the work. Types are written as in the code; where settings are "fields of" a class, it is here too.
"""
_SECTIONS = ("Args", "Attributes", "Returns", "Raises")
_ENTRY = re.compile(r"^([A-Za-z_][\w, ]*): (.*)$")


def api_page() -> str:
    """The whole page; imports TensorFlow."""
    lines = [_HEAD]
    for package in PACKAGES:
        module = importlib.import_module(package)
        lines += [f"## {package}", "", *(inspect.getdoc(module) or "").splitlines(), ""]
        for name in sorted(module.__all__, key=str.lower):
            lines += _entry(package, name, getattr(module, name))
    return "\n".join(lines).rstrip() + "\n"


def _entry(package: str, name: str, value: object) -> Iterator[str]:
    yield from (f"### {package}.{name}", "")
    if inspect.isfunction(value):
        yield from ("```python", f"{name}{_signature(value)}", "```", "")
    elif hasattr(value, "__dataclass_fields__"):
        yield from ("A dataclass.", "")
    yield from _markdown(inspect.getdoc(value) or "")
    if hasattr(value, "__dataclass_fields__"):
        yield from _settings(dataclasses.fields(value))  # type: ignore[arg-type]


def _settings(fields: tuple[dataclasses.Field, ...]) -> Iterator[str]:
    """A table of the fields whose metadata says what they mean; of others the docstring does."""
    explained = [field for field in fields if "help" in field.metadata]
    if not explained:
        return
    yield from ("| field | type | default | meaning |", "| --- | --- | --- | --- |")
    for field in explained:
        choices, limits = field.metadata.get("choices"), field.metadata.get("limits")
        kind = ", ".join(f"`{choice!r}`" for choice in choices) if choices else type(field.default).__name__
        kind += f", {limits[0]:,} to {limits[1]:,}" if limits else ""
        meaning = field.metadata["help"].replace("|", r"\|").replace("*", r"\*").replace("<", "&lt;")
        yield f"| `{field.name}` | {kind} | `{field.default!r}` | {meaning} |"
    yield ""


def _signature(function: object) -> str:
    """One parameter a line where it is long; names of types without their modules."""
    signature = inspect.signature(function)  # type: ignore[arg-type]
    text = _short(str(signature))
    if len(text) < 90:
        return text
    parameters = []
    keyword_only = False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not keyword_only:
            keyword_only = True
            parameters.append("*")
        parameters.append(_short(str(parameter)))
    returns = re.sub(r".* -> ", "", text)
    return "(\n    " + ",\n    ".join(parameters) + f",\n) -> {returns}"


def _short(text: str) -> str:
    return re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Z])", "", text).replace("DatasetV2", "tf.data.Dataset")


def _markdown(doc: str) -> Iterator[str]:
    """Google's sections become lists; what stands before and after them stays."""
    section = ""
    for line in doc.splitlines():
        if line.rstrip(":") in _SECTIONS and line.endswith(":"):
            section = line.rstrip(":")
            yield from (f"**{section}**", "")
            continue
        if section and line and not line.startswith(" "):
            section = ""
        yield _of_section(section, line) if section else line.replace("*", r"\*")
    yield ""


def _of_section(section: str, line: str) -> str:
    """A line of a section: the first of an entry becomes a bullet, what goes on below it is indented."""
    entry = _ENTRY.match(line[4:]) if line.startswith("    ") and not line.startswith("     ") else None
    if entry and section != "Returns":
        text = entry[2].replace("*", r"\*")
        return f"- `{entry[1]}`: {text}"
    text = line.strip().replace("*", r"\*")
    return f"  {text}" if text and section != "Returns" else text
