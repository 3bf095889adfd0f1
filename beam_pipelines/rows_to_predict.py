"""Which recordings are predicted: those of a manifest, of a folder, or the files that are named."""

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from avinst import paths
from avinst.counting import counted
from avinst.errors import UserError
from avinst.manifests.making import distinct_ids
from avinst.manifests.media_index import list_videos
from avinst.manifests.rows import ManifestRow, read_manifest
from avinst.nearest import file_hint
from avinst.progress import tell


def rows_of_manifest(manifest: str, media_root: str) -> tuple[list[ManifestRow], str]:
    """The rows, whose labels may be missing, and the folder that their paths are relative to."""
    media_root = media_root or manifest.rpartition("/")[0] or ("/" if manifest.startswith("/") else ".")
    if not paths.is_directory(media_root):
        advice = "give the folder of the videos with --media_root"
        raise UserError(f"no media folder {media_root!r}{file_hint(media_root)}; {advice}")
    return read_manifest(manifest, media_root, labels_needed=False), media_root


def rows_of_videos(videos: Sequence[str]) -> tuple[list[ManifestRow], str]:
    """A row for each video file that is named or lies in a folder that is named, and the folder above all.

    A file that is not there becomes a reject as those of a manifest do. One whose name is no text, which no file
    of predictions could hold, is left out and told.

    Raises:
        UserError: none is given, no video in a folder, or several folders on a cloud file system.
    """
    if not videos:
        raise UserError("no video given; give a folder of video files, or the files")
    if len(videos) == 1 and paths.is_directory(videos[0]):
        root = videos[0]
        relative = _videos_below(root)
    elif any(map(paths.is_remote, videos)):
        raise UserError("several files on a cloud file system; give one folder, or a --manifest")
    else:
        files = list(dict.fromkeys(paths.absolute(video) for video in listed(videos)))
        root = os.path.commonpath([str(Path(file).parent) for file in files])
        relative = [Path(file).relative_to(root).as_posix() for file in files]
    rows = [
        ManifestRow(path, (), str(PurePosixPath(path).with_suffix("")), group=path)
        for path in sorted(_named_in_text(relative))
    ]
    return distinct_ids(rows), root


def listed(videos: Sequence[str]) -> list[str]:
    """The files that are named, folders replaced by the videos below them."""
    found: list[str] = []
    for video in videos:
        if _is_folder(video):
            found += [paths.join(video, path) for path in _videos_below(video)]
        else:
            found.append(video)
    return found


def check_name(video: str) -> None:
    """Raises UserError for a name that is not UTF-8 text, which no terminal and no file of predictions takes."""
    try:
        video.encode()
    except UnicodeEncodeError:
        raise UserError(f"the name of {video!r} is not UTF-8 text; rename the file") from None


def _named_in_text(files: Sequence[str]) -> list[str]:
    """The files whose names are text; the others are told, and are an error where they are all."""
    named: list[str] = []
    odd: list[UserError] = []
    for file in files:
        try:
            check_name(file)
            named.append(file)
        except UserError as error:
            odd.append(error)
    if odd and not named:
        raise odd[0]
    if odd:
        tell(f"left out: {counted(len(odd), 'file')}; {odd[0]}")
    return named


def _is_folder(video: str) -> bool:
    """Whether it is a folder; what may not be looked at is told of as a file, when its turn comes."""
    try:
        return paths.is_directory(video)
    except OSError:
        return False


def _videos_below(folder: str) -> list[str]:
    videos = list_videos(folder)
    if not videos:
        raise UserError(f"no videos below {folder!r}; give a folder of video files, or the files")
    return videos
