"""A media file where a decoder can open it: itself where it is local, else a copy, if it is not too large."""

import contextlib
from collections.abc import Iterator

from avinst import paths
from avinst.media.types import DecodeLimits, check_file_bytes


@contextlib.contextmanager
def local_media(path: str, limits: DecodeLimits) -> Iterator[str]:
    """Yields a local path of a media file; what is fetched for it is deleted afterwards.

    Raises:
        MediaError: `too_large`, told before anything is fetched.
        RemoteFileError: the file is not there or may not be read.
    """
    if paths.is_remote(path):
        check_file_bytes(paths.size(path), limits)
    with paths.local_copy(path) as local:
        yield local
