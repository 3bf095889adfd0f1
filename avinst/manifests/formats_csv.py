"""Data sets of trimmed YouTube clips that come as CSV: VGGSound, AudioSet, Kinetics."""

import functools
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from avinst.errors import UserError
from avinst.manifests.annotations import (
    Annotation,
    checked,
    csv_fields,
    parse_lines,
    read_file,
    seconds,
    text_lines,
)

VGGSOUND_CLIP_SECONDS = 10.0
# What data sets call a split, and what it is called here.
SPLIT_NAMES = {
    "": "",
    "train": "train",
    "val": "validation",
    "validate": "validation",
    "validation": "validation",
    "valid": "validation",
    "test": "test",
}
_KINETICS_COLUMNS = ("label", "youtube_id", "time_start", "time_end")
_CLASS_NAMES_HEADER = "index,mid,display_name"


def split_called(name: str) -> str:
    """The split of a data set's own name for it; raises UserError where the name is unknown."""
    if name.strip().lower() not in SPLIT_NAMES:
        raise UserError(f"split {name!r}; expected one of {', '.join(filter(None, SPLIT_NAMES))}")
    return SPLIT_NAMES[name.strip().lower()]


def read_vggsound(files: Sequence[str]) -> list[Annotation]:
    """Reads `vggsound.csv`: `---g-f_I2yQ,1,people marching,test`, no header; clips of 10 s, one label each.

    Labels may hold commas within quotes.

    Raises:
        UserError: lines of another shape, with their numbers.
    """
    return [row for file in files for row in parse_lines(file, text_lines(file), _vggsound_row)]


def _vggsound_row(content: str) -> Annotation:
    fields = csv_fields(content)
    if len(fields) != 4:
        raise UserError(
            f"{len(fields)} fields; expected id,start second,label,split (a label with commas in quotes)"
        )
    name, start, label, split = fields
    begin = seconds(start)
    return checked(
        Annotation(name, (label.strip(),), split_called(split), begin, begin + VGGSOUND_CLIP_SECONDS, group=name)
    )


def read_audioset(files: Sequence[str]) -> list[Annotation]:
    """Reads AudioSet's segment files: `--PJHxphWEs, 30.000, 40.000, "/m/09x0r,/t/dd00088"`, # lines left out.

    Args:
        files: segment files, and optionally `class_labels_indices.csv`, which gives the label ids their names.
            `eval_segments.csv` is the test split; files with `train` in their name are the training split.

    Raises:
        UserError: lines of another shape, or a label id that has no name, with the lines' numbers.
    """
    naming = [file for file in files if _is_class_names(file)]
    names = {mid: name for file in naming for mid, name in parse_lines(file, text_lines(file), _class_name)}
    segments = [file for file in files if file not in naming]
    if not segments:
        raise UserError("only class names in --annotations; add a segment file such as eval_segments.csv")
    return [
        row
        for file in segments
        for row in parse_lines(
            file,
            ((line, content) for line, content in text_lines(file) if not content.startswith("#")),
            functools.partial(_audioset_row, split=_audioset_split(file), names=names),
        )
    ]


def _is_class_names(file: str) -> bool:
    return read_file(file).lstrip().startswith(_CLASS_NAMES_HEADER)


def _class_name(content: str) -> tuple[str, str]:
    fields = csv_fields(content)
    if len(fields) != 3:
        raise UserError(f"{len(fields)} fields; expected {_CLASS_NAMES_HEADER}")
    return fields[1], fields[2]


def _audioset_split(file: str) -> str:
    name = PurePosixPath(file).name
    if name.startswith("eval"):
        return "test"
    return "train" if "train" in name else ""


def _audioset_row(content: str, split: str, names: Mapping[str, str]) -> Annotation:
    fields = csv_fields(content, space_after_comma=True)
    if len(fields) != 4:
        raise UserError(f'{len(fields)} fields; expected YTID, start_seconds, end_seconds, "label,label"')
    name, start, end, labels = fields
    ids = [label.strip() for label in labels.split(",")]
    unnamed = [label for label in ids if names and label not in names]
    if unnamed:
        raise UserError(f"label {unnamed[0]!r} is not in the file of class names")
    called = tuple(dict.fromkeys(names.get(label, label) for label in ids))
    return checked(Annotation(name, called, split, seconds(start), seconds(end), group=name))


def read_kinetics(files: Sequence[str]) -> list[Annotation]:
    """Reads Kinetics: a header `label,youtube_id,time_start,time_end,split`, one clip a line, one label each.

    Raises:
        UserError: columns missing (the test split is published without labels), or bad lines with their numbers.
    """
    return [row for file in files for row in _kinetics_file(file)]


def _kinetics_file(file: str) -> list[Annotation]:
    lines = text_lines(file)
    _, header = next(lines, (1, ""))
    columns = [column.strip() for column in csv_fields(header)] if header else []
    missing = [column for column in _KINETICS_COLUMNS if column not in columns]
    if missing:
        raise UserError(
            f"{file}: column {missing[0]!r} is missing; expected {', '.join(_KINETICS_COLUMNS)}, split"
        )
    return parse_lines(file, lines, functools.partial(_kinetics_row, columns=columns))


def _kinetics_row(content: str, columns: Sequence[str]) -> Annotation:
    fields = csv_fields(content)
    if len(fields) != len(columns):
        raise UserError(f"{len(fields)} fields; the header has {len(columns)}")
    values = dict(zip(columns, fields, strict=True))
    name, start, end = values["youtube_id"], seconds(values["time_start"]), seconds(values["time_end"])
    split = split_called(values.get("split", ""))
    return checked(Annotation(name, (values["label"].strip(),), split, start, end, group=name))
