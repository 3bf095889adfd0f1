"""The nearest valid name to one that a user wrote, for the hint at the end of an error."""

import difflib
import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

_MOST_FILES = 10_000  # of one folder; the hint is not worth more time
_ALIKE = 0.65  # of `kee` and `key` it is 0.67; below lie names that share letters by chance
_SHORTEST_BEGINNING = 3


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like `name`, letters' case aside; None where none is like it.

    What all names share says nothing: neither the dashes of flags nor an extension count. A name that goes on as
    `name` begins is like it, too: `validation` is what `val` stands for.
    """
    written = name.lower()
    by_lower_case = {candidate.lower(): candidate for candidate in known}
    likeness = {candidate: _likeness(written, candidate) for candidate in by_lower_case}
    found = [candidate for candidate, value in likeness.items() if value >= _ALIKE]
    if not found and len(written.lstrip("-")) >= _SHORTEST_BEGINNING:
        found = sorted((candidate for candidate in by_lower_case if candidate.startswith(written)), key=len)
    return by_lower_case[max(found, key=likeness.__getitem__)] if found else None


def _likeness(name: str, candidate: str) -> float:
    """From 0 to 1, as difflib measures it."""
    extension = PurePosixPath(name).suffix
    if extension and extension == PurePosixPath(candidate).suffix:
        name, candidate = name.removesuffix(extension), candidate.removesuffix(extension)
    matcher = difflib.SequenceMatcher(None, candidate.lstrip("-"), name.lstrip("-"))
    if matcher.real_quick_ratio() < _ALIKE or matcher.quick_ratio() < _ALIKE:  # a folder may hold thousands
        return 0.0
    return matcher.ratio()


def hint(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """What to write instead of `name`.

    Args:
        name: what the user wrote.
        known: what may be written.
        otherwise: the hint where no known name is like it.

    Returns:
        `did you mean 'violin'?`, of a flag without the quotes, or `otherwise`.
    """
    near = nearest(name, known)
    if near is None:
        return otherwise
    return f"did you mean {near if near.startswith('--') else repr(near)}?"


def expected(name: str, known: Iterable[str]) -> str:
    """All that may be written instead of `name`: `expected one of a, b; did you mean 'a'?`."""
    known = list(known)
    near = hint(name, known)
    return f"expected one of {', '.join(known)}" + (f"; {near}" if near else "")


def file_hint(path: str) -> str:
    """`; did you mean 'videos/manifest.csv'?` for a local path that is not there; empty if nothing is like it."""
    if "://" in path:  # to list a bucket takes time and rights
        return ""
    folder, name = os.path.split(path.rstrip("/"))
    try:
        with os.scandir(folder or ".") as entries:
            names = [entry.name for _, entry in zip(range(_MOST_FILES), entries, strict=False)]
    except (OSError, ValueError):
        return _folder_hint(folder, name)
    near = nearest(name, (candidate for candidate in names if not candidate.startswith(".tmp-")))
    return f"; did you mean {str(Path(folder, near))!r}?" if near and near != name else ""


def _folder_hint(folder: str, name: str) -> str:
    """Where the folder itself is misspelt: the nearest one, if it holds the file."""
    if not folder or folder == os.path.dirname(folder):  # noqa: PTH120  # a string, as the user wrote it
        return ""
    above, last = os.path.split(folder)
    try:
        near = nearest(last, os.listdir(above or "."))  # noqa: PTH208  # names alone
        there = Path(above, near, name) if near else None
        return f"; did you mean {str(there)!r}?" if there and there.exists() else ""
    except (OSError, ValueError):
        return ""
