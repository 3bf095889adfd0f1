"""Which video files lie below a folder, and which of them an annotation means; each folder is listed once."""

import collections
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from avinst import paths
from avinst.errors import UserError
from avinst.nearest import file_hint
from avinst.progress import tell
from avinst.quiet import import_tensorflow_quietly

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
_YOUTUBE_ID = re.compile(r"[A-Za-z0-9_-]{11}")


def list_videos(media_root: str, note: Callable[[str], None] = tell) -> list[str]:
    """The video files below a folder, at any depth.

    Args:
        media_root: local, or on a cloud file system.
        note: is told what is left out, in words.

    Returns:
        Paths relative to the root, sorted. Hidden files and folders are left out. What is called as a video but is
        no file, such as a link to nothing, is left out too and told. Links to folders are followed.

    Raises:
        UserError: no such folder, or one below it may not be listed.
    """
    if paths.is_remote(media_root):
        import_tensorflow_quietly()
    if not paths.is_directory(media_root):
        raise UserError(
            f"no folder {media_root!r}{file_hint(media_root)}; --media_root is the folder of the videos"
        )
    files = _remote_files(media_root) if paths.is_remote(media_root) else _local_files(media_root, note)
    return sorted(filter(_is_named, files))


def _local_files(media_root: str, note: Callable[[str], None]) -> Iterator[str]:
    folders = [""]
    odd: list[str] = []
    seen: set[str] = set()  # a link to a folder above it would lead round for ever
    while folders:
        folder = folders.pop()
        directory = Path(media_root, folder)
        real = str(directory.resolve())
        if real in seen:
            continue
        seen.add(real)
        try:
            with os.scandir(directory) as entries:
                visible = sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)
        except OSError as error:
            raise UserError(f"cannot list {str(directory)!r}: {error.strerror}; check its permissions") from error
        relative = [(f"{folder}/{entry.name}" if folder else entry.name, entry) for entry in visible]
        folders.extend(name for name, entry in reversed(relative) if entry.is_dir())
        yield from (name for name, entry in relative if entry.is_file())
        odd += [name for name, entry in relative if not entry.is_file() and not entry.is_dir() and _is_named(name)]
    if odd:
        note(f"left out: {len(odd)} that are no files but links to nothing, pipes or devices, such as {odd[0]!r}")


def _is_named(name: str) -> bool:
    return name.lower().endswith(VIDEO_EXTENSIONS)


def _remote_files(media_root: str) -> Iterator[str]:
    import tensorflow as tf

    root = media_root.rstrip("/")
    for folder, _, names in tf.io.gfile.walk(root):
        below = folder.rstrip("/").removeprefix(root).strip("/")
        if not any(part.startswith(".") for part in below.split("/")):
            yield from (f"{below}/{name}" if below else name for name in names if not name.startswith("."))


def without_extension(path: str) -> str:
    """The path without its ending, if that is one of a video file (an id may hold dots)."""
    stem, extension = os.path.splitext(path)  # noqa: PTH122  # pathlib takes seconds for a million paths
    return stem if extension.lower() in VIDEO_EXTENSIONS else path


class MediaIndex:
    """Finds files by the name that annotations know them by.

    Args:
        files: paths relative to the media root, as `list_videos` gives them.
    """

    def __init__(self, files: Iterable[str]) -> None:
        self._by_name: dict[str, list[str]] = collections.defaultdict(list)
        for file in files:
            self._by_name[without_extension(file.rpartition("/")[2])].append(file)

    def find(self, name: str, labels: Sequence[str] = ()) -> str | None:
        """The file of a name, or None.

        Args:
            name: a file name, or a path that ends in one, with or without an extension. Of a YouTube id
                folders only choose between files of one name: a data set that was sorted anew is found too.
            labels: of files that are as good otherwise, one in a folder named like a label is taken; of those
                the first in the order of the paths.
        """
        stem = without_extension(name.removeprefix("./"))
        folder, _, last = stem.rpartition("/")
        found = self._by_name.get(last, [])
        if folder and not _YOUTUBE_ID.fullmatch(last):
            found = [path for path in found if f"/{without_extension(path)}".endswith(f"/{stem}")]
        if len(found) < 2:
            return found[0] if found else None

        def distance(path: str) -> tuple[bool, bool, bool, str]:
            here = PurePosixPath(path).parent
            return (
                path != name.removeprefix("./"),
                bool(folder) and not f"/{here}".endswith(f"/{folder}"),
                not set(labels) & set(here.parts),
                path,
            )

        return min(found, key=distance)
