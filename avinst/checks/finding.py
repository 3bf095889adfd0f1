"""What a check of the doctor says, and what it is told about the user's plans."""

import dataclasses
from typing import NamedTuple

OK, NOTE, WRONG = "ok", "note", "wrong"


class Finding(NamedTuple):
    """The outcome of one check: `ok`, `note` (works, but worth knowing) or `wrong`, and what to do."""

    state: str
    subject: str
    text: str


@dataclasses.dataclass(frozen=True)
class Plans:
    """What the user means to do, as far as the flags say.

    Attributes:
        output_dir: where datasets and runs are to be written, local or gs://.
        data_dir: a dataset to look at; empty: none.
        run_dir: a run to look at; empty: none.
    """

    output_dir: str = "."
    data_dir: str = ""
    run_dir: str = ""


def ok(subject: str, text: str) -> list[Finding]:
    """All is well."""
    return [Finding(OK, subject, text)]


def note(subject: str, text: str) -> list[Finding]:
    """It works, but is worth knowing."""
    return [Finding(NOTE, subject, text)]


def wrong(subject: str, text: str) -> list[Finding]:
    """It does not work; the text ends with what to do."""
    return [Finding(WRONG, subject, " ".join(text.split()))]
