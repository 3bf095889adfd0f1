"""Makes a manifest from a folder that holds one folder of videos for each class.

avinst manifest --format=folders --media_root=VIDEOS --output=manifest.csv
"""

import csv
import io
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from absl import flags

from avinst import command, paths
from avinst.errors import UserError
from avinst.manifest_rows import LABEL_SEPARATOR, REQUIRED_COLUMNS

VIDEO_EXTENSIONS = (
    ".mp4",
    ".m4v",
    ".mov",
    ".mkv",
    ".webm",
    ".avi",
    ".ts",
    ".mts",
    ".mpg",
    ".mpeg",
    ".3gp",
    ".flv",
)


def rows_from_folders(media_root: str) -> list[tuple[str, str]]:
    """Lists the videos below class folders.

    Args:
        media_root: a local folder; each folder directly in it is a class, its videos may lie at any depth.

    Returns:
        (path relative to the root, label), in the order of the paths. Hidden files and folders are left out.

    Raises:
        UserError: no such folder, or no video in any class folder.
    """
    root = Path(media_root)
    if not root.is_dir():
        raise UserError(f"no folder {media_root!r}; --media_root is the folder that holds one folder a class")
    found = []
    for folder in sorted(entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith(".")):
        if LABEL_SEPARATOR in folder.name:
            raise UserError(f"folder {folder.name!r}: a label may not hold {LABEL_SEPARATOR!r}; rename the folder")
        for file in sorted(folder.rglob("*")):
            hidden = any(part.startswith(".") for part in file.relative_to(root).parts)
            if file.suffix.lower() in VIDEO_EXTENSIONS and file.is_file() and not hidden:
                found.append((file.relative_to(root).as_posix(), folder.name))
    if not found:
        extensions = " ".join(VIDEO_EXTENSIONS)
        raise UserError(
            f"no videos in the class folders of {media_root!r}; expected ROOT/CLASS/*.mp4 ({extensions})"
        )
    return found


FORMATS: Mapping[str, Callable[[str], list[tuple[str, str]]]] = {"folders": rows_from_folders}

FLAGS = flags.FlagValues()
_FORMAT = flags.DEFINE_enum(
    "format", "folders", list(FORMATS), "how the videos and their labels are arranged", flag_values=FLAGS
)
_MEDIA_ROOT = flags.DEFINE_string("media_root", None, "the folder of the videos", flag_values=FLAGS)
_OUTPUT = flags.DEFINE_string("output", "manifest.csv", "the CSV file to be written", flag_values=FLAGS)


def manifest() -> None:
    """Flags to one plain call; writes the manifest and says what is in it."""
    rows = FORMATS[_FORMAT.value](command.required(_MEDIA_ROOT))
    write_manifest(rows, _OUTPUT.value)
    counts = Counter(label for _, label in rows)
    listed = ", ".join(f"{label} {count}" for label, count in sorted(counts.items()))
    print(f"{_OUTPUT.value}: {len(rows)} videos, {len(counts)} labels ({listed})")  # noqa: T201


def write_manifest(rows: Sequence[tuple[str, str]], output: str) -> None:
    """Writes (path, label) rows as CSV, whole or not at all.

    Raises:
        UserError: the file cannot be written there.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    # By default a recording's id is its path without extension; a.mp4 beside a.avi needs ids of their own.
    stems = Counter(PurePosixPath(path).with_suffix("") for path, _ in rows)
    ids = [path if stems[PurePosixPath(path).with_suffix("")] > 1 else "" for path, _ in rows]
    if any(ids):
        writer.writerow([*REQUIRED_COLUMNS, "video_id"])
        writer.writerows((*row, video_id) for row, video_id in zip(rows, ids, strict=True))
    else:
        writer.writerow(REQUIRED_COLUMNS)
        writer.writerows(rows)
    try:
        paths.write_text(output, text.getvalue())
    except OSError as error:
        raise UserError(f"cannot write {output!r}: {error.strerror}; give another --output") from error


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    return command.run(manifest, FLAGS, argv)


if __name__ == "__main__":
    sys.exit(main())
