import subprocess
import sys

import pytest

from avinst.errors import UserError
from trainer.run_lock import only_training

HOLD_UNTIL_KILLED = """
import sys, time
from trainer.run_lock import only_training
with only_training(sys.argv[1]):
    print("held", flush=True)
    time.sleep(15)
"""


def test_one_training_at_a_time_and_the_lock_ends_with_a_killed_process(tmp_path):
    run_dir = str(tmp_path / "run")
    with subprocess.Popen([sys.executable, "-c", HOLD_UNTIL_KILLED, run_dir], stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(UserError, match="another avinst train is at work in"), only_training(run_dir):
            pass
        other.kill()
        other.wait()
        with only_training(run_dir):
            pass
    assert list((tmp_path / "run").iterdir()) == []


def test_train_takes_the_lock_before_it_touches_the_run(tmp_path, dataset, small_config):
    from trainer.schemes import train

    run_dir = str(tmp_path / "run")
    with only_training(run_dir), pytest.raises(UserError, match="another avinst train"):
        train(run_dir, dataset.data_dir, small_config)
    assert list((tmp_path / "run").iterdir()) == []


def test_a_file_system_without_locks_is_written_to_all_the_same(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", no_locks)
    with only_training(str(tmp_path / "run")):
        assert (tmp_path / "run").is_dir()
