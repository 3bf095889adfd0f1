"""Which recordings are predicted: those of a manifest, of a folder, or the files that are named."""

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from avinst import paths
from avinst.errors import UserError
from avinst.manifests.making import distinct_ids
from avinst.manifests.media_index import list_videos
from avinst.manifests.rows import ManifestRow, read_manifest
from avinst.nearest import file_hint


def rows_of_manifest(manifest: str, media_root: str) -> tuple[list[ManifestRow], str]:
    """The rows, whose labels may be missing, and the folder that their paths are relative to."""
    media_root = media_root or manifest.rpartition("/")[0] or ("/" if manifest.startswith("/") else ".")
    if not paths.is_directory(media_root):
        advice = "give the folder of the videos with --media_root"
        raise UserError(f"no media folder {media_root!r}{file_hint(media_root)}; {advice}")
    return read_manifest(manifest, media_root, labels_needed=False), media_root


def rows_of_videos(videos: Sequence[str]) -> tuple[list[ManifestRow], str]:
    """A row for each video file that is named or lies in a folder that is named, and the folder above all.

    A file that is not there becomes a reject as those of a manifest do.

    Raises:
        UserError: no video in a folder, or several folders on a cloud file system.
    """
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
        ManifestRow(path, (), str(PurePosixPath(path).with_suffix("")), group=path) for path in sorted(relative)
    ]
    return distinct_ids(rows), root


def listed(videos: Sequence[str]) -> list[str]:
    """The files that are named, folders replaced by the videos below them."""
    found: list[str] = []
    for video in videos:
        if paths.is_directory(video):
            found += [paths.join(video, path) for path in _videos_below(video)]
        else:
            found.append(video)
    return found


def _videos_below(folder: str) -> list[str]:
    videos = list_videos(folder)
    if not videos:
        raise UserError(f"no videos below {folder!r}; give a folder of video files, or the files")
    return videos
