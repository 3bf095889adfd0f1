import dataclasses
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from avinst import paths
from avinst.errors import UserError
from trainer.config import TrainConfig
from trainer.inputs.disk_cache import cached_on_disk
from trainer.inputs.pipeline import training_examples

CONFIG = TrainConfig(cache="disk", augment=False, batch_size=8)


def contents(folder):
    return {file.name: file.read_bytes() for file in Path(folder).iterdir() if file.is_file()}


def order(dataset, config):
    batches = training_examples(dataset, config, inputs=["log_mel"]).take(6)
    return [features["log_mel"].numpy().tobytes() for features, _ in batches]


def test_the_copies_are_those_of_training_and_validation_and_give_the_same_batches(dataset, tmp_path):
    with cached_on_disk(dataset, CONFIG, str(tmp_path)) as copied:
        originals = {
            name: data for name, data in contents(dataset.data_dir).items() if name.startswith(("t", "v"))
        }
        wanted = {name: data for name, data in originals.items() if not name.startswith("test")}
        assert contents(copied.data_dir) == wanted
        assert order(copied, CONFIG) == order(dataset, CONFIG)
    assert not list(tmp_path.iterdir())


def test_without_it_nothing_is_copied(dataset, tmp_path):
    with cached_on_disk(dataset, TrainConfig(), str(tmp_path)) as same:
        assert same is dataset
    assert not list(tmp_path.iterdir())


def test_copies_stay_in_a_directory_of_ones_own_and_are_not_made_twice(dataset, tmp_path, monkeypatch):
    config = dataclasses.replace(CONFIG, cache_dir=str(tmp_path / "cache"))
    with cached_on_disk(dataset, config, str(tmp_path / "run")) as copied:
        pass
    before = contents(copied.data_dir)
    monkeypatch.setattr(paths, "copy", lambda *_: pytest.fail("copied again"))
    with cached_on_disk(dataset, config, str(tmp_path / "run")):
        assert contents(copied.data_dir) == before


def test_what_a_killed_copying_left_is_made_whole(dataset, tmp_path):
    folder = tmp_path / "cache"
    folder.mkdir()
    leftover = folder / f".tmp-{os.getpid()}-0123abcd-train-00000-of-00002.tfrecord"
    leftover.write_bytes(b"part")
    (folder / "train-00001-of-00002.tfrecord").write_bytes(b"another one's")
    with cached_on_disk(dataset, CONFIG, str(tmp_path)) as copied:
        assert not leftover.exists()
        assert len(order(copied, CONFIG)) == 6


def test_an_interrupted_training_finds_its_copies_again(dataset, tmp_path):
    with pytest.raises(KeyboardInterrupt), cached_on_disk(dataset, CONFIG, str(tmp_path)):
        raise KeyboardInterrupt
    assert len(list((tmp_path / "cache").iterdir())) == 4


HOLD_UNTIL_KILLED = """
import sys
from avinst.directory_lock import waiting_lock
with waiting_lock(sys.argv[1], ""):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_of_two_trainings_that_share_a_directory_one_waits_for_the_others_copies(dataset, tmp_path, monkeypatch):
    """In two containers: the other's process, which this one cannot see, has this one's number."""
    config = dataclasses.replace(CONFIG, cache_dir=str(tmp_path))
    folder = tmp_path / dataset.fingerprint
    folder.mkdir()
    half = folder / f".tmp-{os.getpid()}-0123abcd-train-00000-of-00002.tfrecord"
    half.write_bytes(b"part")
    waits = threading.Event()
    monkeypatch.setattr("avinst.directory_lock.tell", lambda _: waits.set())

    def train():
        with cached_on_disk(dataset, config, str(tmp_path / "run")):
            pass

    pipe = subprocess.PIPE
    held = [sys.executable, "-c", HOLD_UNTIL_KILLED, f"{folder}.lock"]
    with subprocess.Popen(held, stdin=pipe, stdout=pipe) as other:
        assert other.stdout.readline() == b"held\n"
        training = threading.Thread(target=train)
        training.start()
        assert waits.wait(30)
        assert list(folder.iterdir()) == [half]
        other.kill()
    training.join(30)
    assert not half.exists()
    assert len(list(folder.iterdir())) == 4


def test_where_no_lock_can_be_had_what_another_may_be_copying_stays(dataset, tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", no_locks)
    config = dataclasses.replace(CONFIG, cache_dir=str(tmp_path))
    (tmp_path / dataset.fingerprint).mkdir()
    half = tmp_path / dataset.fingerprint / f".tmp-{os.getpid()}-0123abcd-train-00000-of-00002.tfrecord"
    half.write_bytes(b"part")
    with cached_on_disk(dataset, config, str(tmp_path / "run")) as copied:
        assert half.exists()
        assert len(order(copied, CONFIG)) == 6


def test_no_room_and_no_local_disk_are_told(dataset, tmp_path, monkeypatch):
    with pytest.raises(UserError, match="not on a local disk"), cached_on_disk(dataset, CONFIG, "gs://bucket/run"):
        pass
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 5, 5))
    with pytest.raises(UserError, match=r"are free; give another"), cached_on_disk(dataset, CONFIG, str(tmp_path)):
        pass
