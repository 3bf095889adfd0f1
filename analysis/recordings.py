"""The files of recordings, found again after the dataset was made: it holds no waveform, and no path."""

from pathlib import PurePosixPath

from avinst import paths
from avinst.errors import UserError
from avinst.manifests.media_index import VIDEO_EXTENSIONS
from avinst.manifests.rows import read_manifest
from avinst.nearest import file_hint
from avinst.paths_below import relative_below


class Recordings:
    """Where the files of recordings lie.

    Args:
        media_root: the folder that the dataset was prepared from, or a copy of it.
        manifest: the manifest, where ids are not the files' paths without their extensions.

    Raises:
        UserError: there is no such folder, or the manifest cannot be used.
    """

    def __init__(self, media_root: str, manifest: str = "") -> None:
        if not paths.is_directory(paths.check_scheme(media_root)):
            advice = "give the --media_root that avinst prepare was given"
            raise UserError(f"no directory {media_root!r}{file_hint(media_root)}; {advice}")
        self.media_root = media_root
        self._names: dict[str, list[str]] = {}  # of each folder that was looked into
        self._by_id: dict[str, str] | None = None
        self.groups: dict[str, str] = {}  # of the ids, where there is a manifest
        if manifest:
            rows = read_manifest(manifest, media_root)
            self._by_id = {row.video_id: row.video_path for row in rows}
            self.groups = {row.video_id: row.group for row in rows}

    def candidates(self, video_id: str) -> list[str]:
        """The files that may be the recording's, whole paths; none where it is not there or lies elsewhere."""
        if self._by_id is not None:
            named = [self._by_id[video_id]] if video_id in self._by_id else []
        else:
            named = self._named_like(video_id)
        found = []
        for path in named:
            try:
                found.append(paths.join(self.media_root, relative_below(self.media_root, path)))
            except UserError:
                continue  # an id is any text: one that leads out of the folder names no file of it
        return [path for path in found if paths.exists(path) and not paths.is_directory(path)]

    def _named_like(self, video_id: str) -> list[str]:
        if "\0" in video_id or ".." in PurePosixPath(video_id).parts or PurePosixPath(video_id).is_absolute():
            return []
        folder, _, name = video_id.rpartition("/")
        if folder not in self._names:
            self._names[folder] = paths.list_directory(paths.join(self.media_root, folder))
        files = [PurePosixPath(folder, file) for file in self._names[folder]]
        return [str(f) for f in files if f.stem == name and f.suffix.lower() in VIDEO_EXTENSIONS]
