"""Colours where a person looks at a terminal; plain text in pipes and files."""

import os
import shutil
import sys
from typing import TextIO

from termcolor import colored

_WIDEST, _NARROWEST = 110, 60


def has_colours(stream: TextIO) -> bool:
    """Whether to colour what goes to the stream: NO_COLOR and FORCE_COLOR decide, else whether it is a terminal.

    termcolor's own rule looks at stdout alone, while errors go to stderr.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return os.environ.get("TERM") != "dumb" and stream.isatty()


def painted(text: str, colour: str | None = None, *, bold: bool = False, stream: TextIO | None = None) -> str:
    """The text in a colour of termcolor's (`red`, `green`, `yellow`, `cyan`), where the stream shows colours.

    Args:
        text: to be written.
        colour: its colour; None leaves it as it is.
        bold: whether it is bold.
        stream: where it will be written to; sys.stdout by default.
    """
    if not has_colours(stream or sys.stdout):
        return text
    return colored(text, colour, attrs=["bold"] if bold else None, force_color=True)


def width() -> int:
    """Columns to fill: those of the terminal, from 60 to 110; 110 where there is none."""
    return max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size((_WIDEST, 24)).columns))
