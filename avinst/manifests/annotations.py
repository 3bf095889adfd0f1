"""What the annotation files of known data sets are read into, with all errors of a file reported together."""

import csv
import dataclasses
import io
import math
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from avinst.errors import UserError
from avinst.manifests import text as manifest_text
from avinst.manifests.rows import LABEL_SEPARATOR, checked_labels

Raw = TypeVar("Raw")
Parsed = TypeVar("Parsed")


@dataclasses.dataclass(frozen=True)
class Annotation:
    """A recording, or a span of one, as a data set's files name it.

    Attributes:
        name: YouTube id, or path of the file; with or without an extension.
        labels: at least one.
        split: train, validation or test where the data set decides it, else empty.
        start_seconds: where the span begins in the whole recording.
        end_seconds: where it ends; infinity for the whole of it.
        group: what keeps related recordings in one split, such as the YouTube id; empty for the name.
    """

    name: str
    labels: tuple[str, ...]
    split: str = ""
    start_seconds: float = 0.0
    end_seconds: float = math.inf
    group: str = ""


def checked(annotation: Annotation) -> Annotation:
    """The annotation with its labels as a manifest has them: without spaces round them, each once.

    Raises:
        UserError: no name, an empty label, one that holds the separator or a control character, or a span that
            does not go forward.
    """
    if not annotation.name:
        raise UserError("the id is empty")
    if not annotation.labels or not all(label.strip() for label in annotation.labels):
        raise UserError(f"{annotation.name!r} has no label")
    for label in annotation.labels:
        if LABEL_SEPARATOR in label:
            raise UserError(f"label {label!r}; a label may not hold {LABEL_SEPARATOR!r}")
    start, end = annotation.start_seconds, annotation.end_seconds
    if not 0 <= start < end:
        raise UserError(f"{annotation.name!r} from {start:g} to {end:g} s; expected 0 <= start < end")
    return dataclasses.replace(annotation, labels=checked_labels(annotation.labels))


def read_file(path: str) -> str:
    """The text of an annotation file; raises UserError where it cannot be read."""
    return manifest_text.read_file(path, "annotation file", "--annotations names the files of the data set")


def parse_lines(path: str, numbered: Iterable[tuple[int, Raw]], parse: Callable[[Raw], Parsed]) -> list[Parsed]:
    """What `parse` makes of each line.

    Raises:
        UserError: lines for which `parse` raised a UserError, all together with their numbers; or no line.
    """
    parsed: list[Parsed] = []
    errors: list[tuple[int, str]] = []
    for line, raw in numbered:
        try:
            parsed.append(parse(raw))
        except UserError as error:
            errors.append((line, str(error)))
    manifest_text.raise_together(path, "lines", errors)
    if not parsed:
        raise UserError(f"{path} holds no annotations; is this the file of the data set, and whole?")
    return parsed


def text_lines(path: str) -> Iterator[tuple[int, str]]:
    """(number from 1, line without its end) of the lines that are not blank."""
    for line, content in enumerate(read_file(path).split("\n"), start=1):
        if content.strip():
            yield line, content.rstrip("\r")


def csv_fields(content: str, *, space_after_comma: bool = False) -> list[str]:
    """The fields of one line of a CSV file; line by line, a quote that is left open spoils its own line only.

    Args:
        content: the line.
        space_after_comma: a space that follows a comma belongs to neither field (`id, "a,b"` has two fields).

    Raises:
        UserError: quotes that are never closed, or closed in mid-field.
    """
    try:
        return next(csv.reader(io.StringIO(content), skipinitialspace=space_after_comma, strict=True))
    except csv.Error as error:
        raise UserError(f"not CSV: {error}") from error


def seconds(text: str) -> float:
    """A number of seconds; raises UserError where the text is none."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UserError(f"{text!r} is no number of seconds")
    return value
