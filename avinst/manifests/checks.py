"""Where manifest rows contradict each other: an id or file twice, a file in two groups, a group in two splits."""

import collections
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from avinst.manifests.rows import ManifestRow

    NumberedRows = Iterable[tuple[int, ManifestRow]]


def contradictions(
    lines: Sequence[int], rows: "Sequence[ManifestRow]", *, splits: bool = True
) -> list[tuple[int, str]]:
    """What is wrong between rows that are right each by itself.

    Args:
        lines: the line number of each row.
        rows: the rows.
        splits: whether rows are to be divided into splits, as they are not where they are only to be predicted.

    Returns:
        (line number, message) for each row that contradicts an earlier one.
    """
    # Most manifests repeat nothing; a set tells that in a fraction of the memory of what follows.
    twice_ids, twice_paths = _repeated(row.video_id for row in rows), _repeated(row.video_path for row in rows)
    ids = [(line, row) for line, row in zip(lines, rows, strict=True) if row.video_id in twice_ids]
    files = [(line, row) for line, row in zip(lines, rows, strict=True) if row.video_path in twice_paths]
    divided = _divided_groups(zip(lines, rows, strict=True))
    in_two_groups = _files_in_two_groups(files) if splits else []
    return [*_repeated_ids(ids), *_repeated_files(files), *in_two_groups, *divided]


def _repeated(names: Iterable[str]) -> set[str]:
    """Those that occur more than once."""
    seen: set[str] = set()
    return {name for name in names if name in seen or seen.add(name)}  # type: ignore[func-returns-value]


def _repeated_ids(rows: "NumberedRows") -> list[tuple[int, str]]:
    first: dict[str, int] = {}
    return [
        (line, f"video_id {row.video_id!r} is in line {first[row.video_id]} already; ids are unique")
        for line, row in rows
        if first.setdefault(row.video_id, line) != line
    ]


def _repeated_files(rows: "NumberedRows") -> list[tuple[int, str]]:
    """One file may be in several rows only for times that do not overlap: pieces of a long recording."""
    of_file: dict[str, list[tuple[int, ManifestRow]]] = collections.defaultdict(list)
    for line, row in rows:
        of_file[row.video_path].append((line, row))
    errors = []
    for path, spans in of_file.items():
        spans.sort(key=lambda span: (span[1].start_seconds, span[0]))
        latest_line, latest = spans[0]
        for line, row in spans[1:]:
            # A repeated id is told of by itself.
            if row.start_seconds < latest.end_seconds and row.video_id != latest.video_id:
                earlier, later = sorted((line, latest_line))
                errors.append(
                    (
                        later,
                        f"file {path!r} is in line {earlier} already, for times that overlap; keep one of them",
                    )
                )
            if row.end_seconds > latest.end_seconds:
                latest_line, latest = line, row
    return errors


def _files_in_two_groups(rows: "NumberedRows") -> list[tuple[int, str]]:
    """Splits are of groups: rows of one file in two groups could be trained on and tested with.

    Not where both name the same split.
    """
    first: dict[str, tuple[int, ManifestRow]] = {}
    return [
        (
            line,
            f"file {row.video_path!r} is in group {before.group!r} (line {number}) "
            f"and in {row.group!r}; give all rows of one file the same group (without one, it is the file's path)",
        )
        for line, row in rows
        for number, before in [first.setdefault(row.video_path, (line, row))]
        if before.group != row.group and not before.split == row.split != ""
    ]


def _divided_groups(rows: "NumberedRows") -> list[tuple[int, str]]:
    first: dict[str, tuple[int, str]] = {}
    return [
        (
            line,
            f"group {row.group!r} is in split {first[row.group][1]!r} and in {row.split!r} (line "
            f"{first[row.group][0]} says {first[row.group][1]!r}); recordings of one group must stay in one split",
        )
        for line, row in rows
        if row.split and first.setdefault(row.group, (line, row.split))[1] != row.split
    ]
