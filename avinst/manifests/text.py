"""A manifest as text, both ways: CSV or JSONL to the values of each line, and the values of rows to text."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from avinst import paths
from avinst.errors import UserError
from avinst.nearest import file_hint

REQUIRED_COLUMNS = ("video_path", "label")
OPTIONAL_COLUMNS = ("video_id", "split", "start_seconds", "end_seconds", "group")
COLUMNS = (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS)
_ERRORS_SHOWN = 10

Values = dict[str, object]


def read_file(path: str, what: str, advice: str) -> str:
    """The text of a file that a user named.

    Args:
        path: local or remote.
        what: what the file is, for the message.
        advice: what to do where it is missing.

    Raises:
        UserError: there is none, it is a directory, it may not be read, or it is not UTF-8.
    """
    if not paths.exists(path):
        raise UserError(f"no {what} at {path!r}{file_hint(path)}; {advice}")
    try:
        return paths.read_text(path)
    except UnicodeDecodeError as error:
        raise UserError(f"{path!r} is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except IsADirectoryError as error:
        raise UserError(f"{path!r} is a directory; give the {what} itself") from error
    except OSError as error:
        raise UserError(f"cannot read {path!r}: {error.strerror}; check its permissions") from error


def raise_together(path: str, what: str, errors: Iterable[tuple[int, str]]) -> None:
    """Raises one UserError for all errors of a file, in the order of their lines; nothing if there are none.

    Args:
        path: the file.
        what: what is bad, in the plural, such as `rows`.
        errors: (line number from 1, message). The first ten are shown, the others counted.
    """
    found = [f"line {line}: {message}" for line, message in sorted(errors)]
    if found:
        more = f"; and {len(found) - _ERRORS_SHOWN} more" if len(found) > _ERRORS_SHOWN else ""
        bad = what.removesuffix("s") if len(found) == 1 else what
        raise UserError(f"{path}: {len(found)} bad {bad}: " + "; ".join(found[:_ERRORS_SHOWN]) + more)


def is_jsonl(path: str) -> bool:
    """Whether a manifest of this name is JSONL; all others are CSV."""
    return path.endswith((".jsonl", ".json"))


def parse(
    path: str, text: str, needed: Sequence[str] = REQUIRED_COLUMNS
) -> Iterator[tuple[int, Values | UserError]]:
    """The values of each row with its line number, or what is wrong with the line; `needed` columns must be there.

    Raises:
        UserError: a CSV header with unknown, missing or repeated columns: no row could be understood.
    """
    return _parse_jsonl(text, needed) if is_jsonl(path) else _parse_csv(path, text, needed)


def _parse_csv(path: str, text: str, needed: Sequence[str]) -> Iterator[tuple[int, Values | UserError]]:
    # Strict: a quote that is never closed is an error, not a row that swallows the rest of the file.
    # Encoded, for StringIO takes four bytes a character: as much as the rows themselves.
    file = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8", newline="")
    reader = csv.DictReader(file, restkey="", strict=True)
    try:
        try:
            _check_columns(reader.fieldnames or (), needed)
        except UserError as error:
            raise UserError(f"{path}: {error}") from error
        for values in reader:
            yield reader.line_num, dict(values)
    except csv.Error as error:
        # After a broken quote nothing is known of where the next row begins: this is the last line given.
        # DictReader still stands at the last good row.
        yield reader.line_num + 1, UserError(f"not CSV: {error}")


def _parse_jsonl(text: str, needed: Sequence[str]) -> Iterator[tuple[int, Values | UserError]]:
    for line, content in enumerate(text.split("\n"), start=1):
        if content.strip():
            try:
                yield line, _json_values(content, needed)
            except UserError as error:
                yield line, error


def _json_values(content: str, needed: Sequence[str]) -> Values:
    try:
        values = json.loads(content)
    except ValueError as error:  # JSONDecodeError, and what Python says of numbers with thousands of digits
        raise UserError(f"not JSON: {getattr(error, 'msg', error)}") from error
    except RecursionError as error:
        raise UserError("not a row: nested too deeply") from error
    if not isinstance(values, dict):
        raise UserError(f"expected an object, found {type(values).__name__}")
    _check_columns(tuple(values), needed)
    return values


def _check_columns(names: Sequence[str], needed: Sequence[str]) -> None:
    unknown = [f"unknown column {name!r}" for name in names if name not in COLUMNS]
    missing = [f"column {name!r} is missing" for name in needed if name not in names]
    repeated = [f"column {name!r} is there twice" for name in sorted(set(names)) if names.count(name) > 1]
    if unknown or missing or repeated:
        raise UserError(
            f"{', '.join([*unknown, *missing, *repeated])}; a manifest has {', '.join(needed)} "
            f"and may have {', '.join(name for name in COLUMNS if name not in needed)}"
        )


def render(path: str, rows: Sequence[Mapping[str, object]], separator: str) -> str:
    """Rows as the text of a manifest of this name, with only the columns that some row has a value for.

    Args:
        path: decides between JSONL and CSV.
        rows: column name to value; `label` is a list of names; a value of "" or None is left out.
        separator: between the names of a label in CSV.
    """
    if is_jsonl(path):
        return "".join(json.dumps(_filled(row), ensure_ascii=False) + "\n" for row in rows)
    used = {column for row in rows for column in _filled(row)}
    columns = [column for column in COLUMNS if column in used or column in REQUIRED_COLUMNS]
    lines = [_csv_line(columns)]
    for row in rows:
        cells = [row.get(column, "") for column in columns]
        lines.append(_csv_line([separator.join(cell) if isinstance(cell, list) else cell for cell in cells]))
    return "".join(lines)


def _csv_line(cells: Sequence[object]) -> str:
    # Only characters of the line end are quoted: with "\n" alone, a name that holds "\r" would break its row.
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().removesuffix("\r\n") + "\n"


def _filled(row: Mapping[str, object]) -> Values:
    return {column: row[column] for column in COLUMNS if row.get(column) not in ("", None)}
