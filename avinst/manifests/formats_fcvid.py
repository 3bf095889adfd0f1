"""FCVID, and the list of its musical classes that the code of the ICMR 2017 paper comes with."""

import collections
import functools
from collections.abc import Mapping, Sequence

from avinst.errors import UserError
from avinst.manifests.annotations import Annotation, checked, parse_lines, text_lines
from avinst.manifests.formats_csv import split_called
from avinst.manifests.media_index import without_extension

_FOLDER_SUFFIX = "Performance"


def class_of(path: str) -> str:
    """The class that a video's folder stands for: `./violinPerformance/_iiwx8skEBs` is violin.

    Raises:
        UserError: a path without folder.
    """
    folder = path.removeprefix("./").rpartition("/")[0].rpartition("/")[2]
    name = folder.removesuffix(_FOLDER_SUFFIX) or folder
    if not name:
        raise UserError(f"{path!r} has no folder; expected CLASS/VIDEO")
    return name


def read_icmr2017(files: Sequence[str]) -> list[Annotation]:
    """Reads the list of the ICMR 2017 code: `./violinPerformance/_iiwx8skEBs,6`, no header.

    The class is the folder's. The number is only checked to stand for one folder throughout a file: it does not
    follow the alphabetical list of classes that is published beside it. Videos have no given split.

    Raises:
        UserError: lines of another shape, or whose number contradicts an earlier line's, with their numbers.
    """
    found = []
    for file in files:
        number_of: dict[str, str] = {}
        class_of_number: dict[str, str] = {}
        parse = functools.partial(_icmr2017_row, number_of=number_of, class_of_number=class_of_number)
        found += parse_lines(file, text_lines(file), parse)
    return found


def _icmr2017_row(content: str, number_of: dict[str, str], class_of_number: dict[str, str]) -> Annotation:
    path, comma, number = content.rpartition(",")
    number = number.strip()
    if not comma or not number.isdecimal():
        raise UserError(f"{content!r}; expected ./FOLDER/ID,NUMBER")
    label = class_of(path)
    if number_of.setdefault(label, number) != number:
        raise UserError(f"class {label!r} has number {number}, in an earlier line {number_of[label]}")
    if class_of_number.setdefault(number, label) != label:
        raise UserError(f"number {number} is class {label!r}, in an earlier line {class_of_number[number]!r}")
    return checked(Annotation(path, (label,), group=_video(path)))


def read_fcvid(files: Sequence[str]) -> list[Annotation]:
    """Reads FCVID's two files, which belong together line by line, and optionally the names of its classes.

    Args:
        files: `FCVID_VideoName_TrainTestSplit.txt` (`<folder/video.ext> <train|test>`), `FCVID_Label.txt` (a
            line of 0 and 1 for each video, a column for each class; several 1 are several labels), and
            optionally a file with the classes' names, one a line in the order of the columns. Without it, a
            column is called after the folder of the videos that have this label alone.

    Raises:
        UserError: bad lines with their numbers, files of different lengths, or a column whose name is not clear.
    """
    if len(files) not in (2, 3):
        raise UserError("fcvid takes --annotations=FCVID_VideoName_TrainTestSplit.txt,FCVID_Label.txt")
    videos = parse_lines(files[0], text_lines(files[0]), _fcvid_video)
    width = len(next(text_lines(files[1]), (1, ""))[1].split())
    columns = parse_lines(files[1], text_lines(files[1]), functools.partial(_fcvid_labels, width=width))
    if len(videos) != len(columns):
        raise UserError(f"{files[0]} has {len(videos)} videos, {files[1]} {len(columns)} lines; expected as many")
    names = _given_names(files[2], width) if len(files) == 3 else _names_by_folder(files[1], videos, columns)
    return [
        checked(Annotation(path, tuple(names[column] for column in ones), split, group=_video(path)))
        for (path, split), ones in zip(videos, columns, strict=True)
    ]


def _video(path: str) -> str:
    return without_extension(path.rpartition("/")[2])


def _fcvid_video(content: str) -> tuple[str, str]:
    # From the right: a file name may hold spaces.
    path, *split = content.rsplit(maxsplit=1)
    if len(split) != 1:
        raise UserError(f"{content!r}; expected FOLDER/VIDEO.EXT train or test")
    return path.strip(), split_called(split[0])


def _fcvid_labels(content: str, width: int) -> tuple[int, ...]:
    """The columns that hold a 1 (the matrix itself would take 22 million values)."""
    bits = content.split()
    wrong = [bit for bit in bits if bit not in ("0", "1")]
    if wrong:
        raise UserError(f"{wrong[0]!r}; expected 0 or 1 for each class, spaces between")
    if len(bits) != width:
        raise UserError(f"{len(bits)} columns; expected {width} as in the first line")
    if "1" not in bits:
        raise UserError("no label: all columns are 0")
    return tuple(column for column, bit in enumerate(bits) if bit == "1")


def _given_names(file: str, width: int) -> Mapping[int, str]:
    names = parse_lines(file, text_lines(file), str.strip)
    if len(names) != width or len(set(names)) != width:
        raise UserError(
            f"{file} has {len(set(names))} different names; expected {width}, one a column of the labels"
        )
    return dict(enumerate(names))


def _names_by_folder(
    file: str, videos: Sequence[tuple[str, str]], columns: Sequence[tuple[int, ...]]
) -> Mapping[int, str]:
    """Each column's name: the class of the videos that are of this column alone.

    They must all agree: two files that do not belong together line by line would show here.
    """
    advice = "; is it of the same videos? A third file in --annotations may give the names, one a line"
    names: dict[int, str] = {}
    for (path, _), ones in zip(videos, columns, strict=True):
        if len(ones) == 1 and names.setdefault(ones[0], class_of(path)) != class_of(path):
            raise UserError(
                f"{file}: column {ones[0] + 1} is {names[ones[0]]!r} by an earlier video, "
                f"but {path!r} has it{advice}"
            )
    nameless = sorted({column for ones in columns for column in ones} - set(names))
    if nameless:
        raise UserError(f"{file}: column {nameless[0] + 1} is never a video's only label{advice}")
    twice = [name for name, count in collections.Counter(names.values()).items() if count > 1]
    if twice:
        raise UserError(f"{file}: two columns hold the videos of the folder of {twice[0]!r}{advice}")
    return names
