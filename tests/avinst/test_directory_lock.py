import subprocess
import sys

import pytest

from avinst.directory_lock import only_writer
from avinst.errors import UserError

PIPES = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
HOLD_UNTIL_KILLED = """
import sys
from avinst.directory_lock import only_writer
with only_writer(sys.argv[1], "prepare", "data_dir"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_writer_at_a_time_and_the_lock_ends_with_a_killed_process(tmp_path):
    folder = str(tmp_path / "set")
    with subprocess.Popen([sys.executable, "-c", HOLD_UNTIL_KILLED, folder], **PIPES) as other:
        assert other.stdout.readline() == b"held\n"
        found = r"another avinst prepare is at work in '.*/set'; wait for it or give another --data_dir"
        with pytest.raises(UserError, match=found), only_writer(folder, "prepare", "data_dir"):
            pass
        other.kill()
        other.wait()
        with only_writer(folder, "prepare", "data_dir"):
            pass
    assert list((tmp_path / "set").iterdir()) == []


def test_a_file_system_without_locks_is_written_to_all_the_same(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", no_locks)
    with only_writer(str(tmp_path / "set"), "prepare", "data_dir"):
        assert (tmp_path / "set").is_dir()
