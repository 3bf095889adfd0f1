"""The segments of one video, decoded in a child process, in batches for a model."""

import math
from collections.abc import Iterator

from avinst import paths
from avinst.errors import UserError
from avinst.media.decoder import Decoder
from avinst.media.fetching import local_media
from avinst.media.types import Loss, MediaError, Segment
from avinst.nearest import file_hint
from avinst.spec import DatasetSpec

BATCH = 32


def segment_batches(
    video_path: str,
    decoder: Decoder,
    spec: DatasetSpec,
    losses: list[Loss | MediaError],
    start_seconds: float = 0.0,
    end_seconds: float = math.inf,
    batch_size: int = BATCH,
) -> Iterator[list[Segment]]:
    """Decodes a video; what is good of a damaged one is used.

    Args:
        video_path: a media file, local or on a cloud file system.
        decoder: the child process that decodes.
        spec: what a segment is.
        losses: receives what could not be used.
        start_seconds: where to begin in the file.
        end_seconds: where to end.
        batch_size: segments of a batch.

    Yields:
        Up to `batch_size` segments in order of time.

    Raises:
        UserError: no such file, one that may not be looked at or fetched, or nothing in it can be used.
    """
    try:
        found = paths.exists(video_path) and not paths.is_directory(video_path)
    except OSError as error:
        raise UserError(
            f"{video_path!r} cannot be looked at: {error.strerror}; check path and permissions"
        ) from error
    if not found:
        raise UserError(f"no video file {video_path!r}{file_hint(video_path)}")
    segments: list[Segment] = []
    given = False
    try:
        with local_media(video_path, decoder.limits) as local:
            for part in decoder.decode(local, spec, start_seconds, end_seconds):
                if isinstance(part, Loss):
                    losses.append(part)
                    continue
                segments.append(part)
                if len(segments) == batch_size:
                    given = True
                    yield segments
                    segments = []
    except paths.RemoteFileError as error:
        raise UserError(f"{video_path!r} cannot be fetched: {error.strerror}; check its permissions") from error
    except MediaError as error:
        losses.append(error)
    if segments:
        yield segments
    elif not given:
        why = "; ".join(map(loss_in_words, losses)) or "no sound and picture together"
        raise UserError(f"{video_path!r} gives no segment: {why}")


def loss_in_words(loss: Loss | MediaError) -> str:
    """Its reason and what a person wants to know."""
    return f"{loss.reason}: {loss.detail}"
