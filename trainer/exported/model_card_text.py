"""The words of a model card: Markdown in which names cannot be taken for markup."""

import re
from collections.abc import Iterable, Sequence

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "~": "&#126;", "$": "&#36;"}


def plain(text: str) -> str:
    """Text as it is to be read, whatever is in it, in a table's cell or within a line."""
    text = "".join(_ENTITIES.get(character, character) for character in " ".join(text.split()))
    return re.sub(r"([\\`*_\[\]])", r"\\\1", text)


def code(text: str) -> str:
    """A code span; the fence is longer than any in the text."""
    text = " ".join(text.split())
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"


def bullets(lines: Iterable[str]) -> str:
    """A list."""
    return "\n".join(f"- {line}" for line in lines)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; its cells are Markdown in which no bar stands by itself."""
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows))


def senses(modalities: Sequence[str]) -> str:
    """What a network of these modalities takes in."""
    words = {"audio": "sound", "visual": "pictures"}
    return " and ".join(words[modality] for modality in modalities)
