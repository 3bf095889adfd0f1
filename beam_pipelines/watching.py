"""Progress of a job, seen from outside: which shards are done."""

import contextlib
import logging
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence

from avinst import paths
from avinst.dataset import SHARDS_FOLDER
from avinst.progress import Progress
from avinst.side_by_side import side_by_side
from beam_pipelines.layout import Shard
from beam_pipelines.results import ResultsKind
from beam_pipelines.shard_record import ShardRecord, load_record

_POLL_SECONDS = 1.0
_LOG = logging.getLogger(__name__)


@contextlib.contextmanager
def watching(kind: ResultsKind, directory: str, shards: Sequence[Shard]) -> Iterator[None]:
    """Shows progress while the pipeline runs, by looking for finished shards: the same way for every runner."""
    stop = threading.Event()
    watcher = threading.Thread(target=_watch, args=(kind, directory, shards, stop), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()


def _watch(kind: ResultsKind, directory: str, shards: Sequence[Shard], stop: threading.Event) -> None:
    progress = Progress("videos", sum(len(shard.rows) for shard in shards))
    done: dict[str, ShardRecord] = {}
    _look(kind, directory, shards, done)
    progress.skip(_videos(done))
    while not stop.wait(_POLL_SECONDS):
        _look(kind, directory, shards, done)
        progress.update(_videos(done), _note(done))
    _look(kind, directory, shards, done)
    progress.finish(_videos(done), _note(done))


def _look(kind: ResultsKind, directory: str, shards: Sequence[Shard], done: dict[str, ShardRecord]) -> None:
    """Adds what is done by now; where the file system fails, which the job itself may bear, the next look does."""
    try:
        done.update(_found(kind, directory, shards, done))
    except _file_system_errors() as error:
        _LOG.info("progress not seen: %s", error)


def _found(
    kind: ResultsKind, directory: str, shards: Sequence[Shard], done: Mapping[str, ShardRecord]
) -> dict[str, ShardRecord]:
    present = set(paths.list_directory(paths.join(directory, SHARDS_FOLDER)))
    new = [shard for shard in shards if shard.name not in done and f"{shard.name}.json" in present]
    records = side_by_side(
        directory, lambda shard: load_record(kind.record_type, directory, shard.name, shard.fingerprint), new
    )
    return {shard.name: record for shard, record in zip(new, records, strict=True) if record}


def _file_system_errors() -> tuple[type[Exception], ...]:
    """Local and, where TensorFlow is imported, remote ones."""
    errors = getattr(sys.modules.get("tensorflow"), "errors", None)
    return (OSError, errors.OpError) if errors else (OSError,)


def _videos(done: Mapping[str, ShardRecord]) -> int:
    return sum(len(record.segments_of_video) for record in done.values())


def _note(done: Mapping[str, ShardRecord]) -> str:
    segments = sum(sum(record.segments_of_video.values()) for record in done.values())
    rejects = sum(len(record.rejects) for record in done.values())
    return f"{segments} segments, {rejects} rejects"
