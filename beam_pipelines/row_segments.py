"""The segments of one manifest row: finds the file, fetches it, decodes it; what gives none becomes a reject."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from avinst import paths
from avinst.manifests.rows import ManifestRow
from avinst.media.decoder import Decoder
from avinst.media.fetching import local_media
from avinst.media.types import Loss, MediaError, Segment
from avinst.spec import DatasetSpec

RejectRow = Callable[[ManifestRow, int | None, str, str, str], None]
Item = TypeVar("Item")


def segments_of(
    row: ManifestRow, spec: DatasetSpec, media_root: str, decoder: Decoder, reject: RejectRow
) -> Iterator[Segment]:
    """Decodes a recording.

    Args:
        row: which recording, and what span of it.
        spec: what a segment is.
        media_root: the folder that the row's path is relative to.
        decoder: the child process that decodes.
        reject: is given (row, segment, stage, reason, detail) of all that cannot be used.

    Yields:
        The segments in order of time; those before an error are good.
    """
    path = paths.join(media_root, row.video_path)
    try:
        found = paths.exists(path) and not paths.is_directory(path)
    except OSError as error:
        reject(row, None, "find", "not_readable", f"{row.video_path!r} cannot be looked at: {error.strerror}")
        return
    if not found:
        reject(row, None, "find", "not_found", f"there is no file {row.video_path!r} below the media root")
        return
    try:
        with local_media(path, decoder.limits) as local:
            for item in decoder.decode(local, spec, row.start_seconds, row.end_seconds):
                if isinstance(item, Loss):
                    reject(row, item.segment, item.stage, item.reason, item.detail)
                else:
                    yield item
    except paths.RemoteFileError as error:
        reject(row, None, "find", "not_readable", f"{row.video_path!r} cannot be fetched: {error.strerror}")
    except MediaError as error:
        reject(row, None, error.stage, error.reason, error.detail)


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of `size` items, the last of what is left; Python's own is of 3.12."""
    source = iter(items)
    while batch := list(itertools.islice(source, size)):
        yield batch
