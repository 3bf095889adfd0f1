import os
import signal
import subprocess
import sys

from trainer.leftovers import clear_leftovers

KILLED_WRITING = """
import os, pathlib, signal, sys
from avinst import paths
with paths.replacing(sys.argv[1]) as temporary:
    pathlib.Path(temporary).mkdir()
    pathlib.Path(temporary, "half").write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def leave_behind(target):
    """What a process leaves that is killed while it writes a directory under a temporary name."""
    done = subprocess.run([sys.executable, "-c", KILLED_WRITING, str(target)], check=False)
    assert done.returncode == -signal.SIGKILL
    (leftover,) = target.parent.glob(f".tmp-*-{target.name}")
    return leftover


def test_what_a_killed_process_left_is_deleted_with_what_is_in_it(tmp_path):
    leave_behind(tmp_path / "1")
    clear_leftovers(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_of_this_process_number_too_but_not_what_a_living_one_writes_and_nothing_else(tmp_path):
    (tmp_path / f".tmp-{os.getpid()}-0123abcd-model.keras").touch()
    kept = {f".tmp-{os.getppid()}-0123abcd-model.keras", ".tmp-notes", ".tmp-7-mine", "model.keras"}
    for name in kept:
        (tmp_path / name).touch()
    clear_leftovers(str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == kept


def test_a_folder_that_is_not_there_and_a_cloud_file_system_are_left_alone(tmp_path, monkeypatch):
    clear_leftovers(str(tmp_path / "none"))
    monkeypatch.setattr("avinst.paths.list_directory", lambda folder: 1 / 0)
    clear_leftovers("gs://bucket/run")


def test_export_clears_what_a_killed_one_left(untrained_run, tmp_path):
    from trainer.exported.exporting import export_run

    (tmp_path / "models").mkdir()
    leave_behind(tmp_path / "models" / "1")
    export_run(untrained_run("audio"), str(tmp_path / "models"))
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["1"]
