import threading
import time

import pytest
import tensorflow as tf

from avinst.manifests.rows import ManifestRow
from beam_pipelines import watching
from beam_pipelines.layout import Shard
from beam_pipelines.resuming import DATASET
from beam_pipelines.shard_record import ExamplesRecord

ROW = ManifestRow("a.mp4", ("x",), "a")
SHARD = Shard("train-00000-of-00001", (ROW,), "f")
RECORD = ExamplesRecord(SHARD.name, "f", {"a": 2}, {"a": 9}, (), {}, {}, 100, {"x": 2}, 1, 0.0, 0.0)


@pytest.fixture
def looks(tmp_path, monkeypatch):
    """What each look at the shard's record comes to, one after the other; the last one for good."""
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards" / f"{SHARD.name}.json").touch()
    outcomes = [OSError(5, "Input/output error"), tf.errors.UnavailableError(None, None, "try again"), RECORD]

    def load_record(*_):
        outcome = outcomes.pop(0) if len(outcomes) > 1 else outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(watching, "load_record", load_record)
    monkeypatch.setattr(watching, "_POLL_SECONDS", 0.01)
    return outcomes


def test_a_file_system_that_fails_for_a_while_ends_no_progress(tmp_path, looks, monkeypatch, capsys):
    died = []
    monkeypatch.setattr(threading, "excepthook", died.append)
    with watching.watching(DATASET, str(tmp_path), [SHARD]):
        end = time.monotonic() + 30
        while len(looks) > 1 and not died and time.monotonic() < end:
            time.sleep(0.01)
    assert not died
    assert capsys.readouterr().err.startswith("videos: 1/1")


def test_a_defect_is_not_taken_for_a_file_system_that_fails(tmp_path, looks):
    looks.insert(0, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        watching._look(DATASET, str(tmp_path), [SHARD], {})
