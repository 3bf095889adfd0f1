"""A job that is killed or interrupted at any moment: nothing half done stays, nothing done is done again."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from media_factory import write_media
from prepare_jobs import (
    REPOSITORY,
    SPEC,
    alive,
    children_of,
    digests,
    job,
    start_command,
    wait_until,
    write_videos,
)

from avinst.media.decoder import Decoder
from avinst.signals import SIGNALS
from beam_pipelines import interruption
from beam_pipelines.preparing import prepare_dataset

VIDEOS = 24
# Moments are told by the shards that are written, not by a clock: they lie within the work on any machine.
# The last shards leave time for the signal to be sent; one shard takes 0.02 to 0.1 s.
LATEST_SHARD = 14
LONGEST_DELAY = 0.05
pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks processes up in /proc")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return write_videos(tmp_path_factory.mktemp("videos"), VIDEOS)


@pytest.fixture(scope="module")
def undisturbed(manifest, tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("undisturbed") / "set"
    prepare_dataset(job(manifest, data_dir), SPEC)
    return digests(data_dir)


def interrupt(config, number, *, whole_group, after_shards=1, delay=0.0):
    """Starts the command, waits until it has written some shards, sends the signal; what is left of it."""
    process = start_command(config)
    data_dir = Path(config.data_dir)

    def shards():
        return len(list(data_dir.glob("[!.]*.tfrecord")))

    try:
        assert wait_until(lambda: shards() >= after_shards or process.poll() is not None, poll_seconds=0.002)
        time.sleep(delay)
        children = children_of(process.pid)
        (os.killpg if whole_group else os.kill)(process.pid, number)
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert wait_until(lambda: not any(alive(child) for child in children), 10), "decoders outlived their job"
    return process.returncode, output, children


def done_shards(data_dir, undisturbed):
    """Shards with a record, which must be whole and right at that moment; file to time of change."""
    done = {}
    for record in Path(data_dir, "shards").glob("[!.]*.json"):
        for file in (record, Path(data_dir, f"{record.stem}.tfrecord")):
            assert (
                digests(data_dir)[str(file.relative_to(data_dir))] == undisturbed[str(file.relative_to(data_dir))]
            )
            done[file] = file.stat().st_mtime_ns
    return done


def check_rerun(config, undisturbed):
    done = done_shards(config.data_dir, undisturbed)
    prepare_dataset(config, SPEC)
    assert digests(config.data_dir) == undisturbed
    assert {file: file.stat().st_mtime_ns for file in done} == done
    return len(done)


@pytest.mark.slow
def test_killed_at_ten_random_moments(manifest, undisturbed, tmp_path):
    moments = random.Random(20)
    kept, killed_at_work = [], 0
    for number in range(10):
        config = job(manifest, tmp_path / f"set{number}")
        status, _, children = interrupt(
            config,
            signal.SIGKILL,
            whole_group=number % 2 == 0,
            after_shards=moments.randint(0, LATEST_SHARD),
            delay=moments.uniform(0.0, LONGEST_DELAY),
        )
        killed_at_work += status == -signal.SIGKILL and bool(children)
        kept.append(check_rerun(config, undisturbed))
        shutil.rmtree(config.data_dir)
    # Else the moments missed the work and the test would prove nothing.
    assert killed_at_work >= 5
    assert len(set(kept)) > 2
    assert min(kept) < len(undisturbed) // 2


@pytest.mark.parametrize(
    ("number", "whole_group", "status"),
    [(signal.SIGINT, True, 130), (signal.SIGTERM, False, 143)],
    ids=["ctrl_c", "sigterm"],
)
def test_interrupted_ends_in_one_line(manifest, undisturbed, tmp_path, number, whole_group, status):
    config = job(manifest, tmp_path / "set")
    returned, output, children = interrupt(config, number, whole_group=whole_group)
    assert returned == status
    # A machine that is busy enough gets a line of progress before.
    last = [line for line in output.splitlines() if not line.startswith("videos: ")]
    assert last == ["avinst prepare: interrupted; run the same command again to go on"]
    assert children  # the decoders, which the terminal's Ctrl-C reaches too
    check_rerun(config, undisturbed)


@pytest.mark.slow
def test_sigterm_to_the_whole_group_rejects_no_video(manifest, undisturbed, tmp_path):
    """As systemd stops a service: the decoders are told to end just when their parent is."""
    config = job(manifest, tmp_path / "set")
    status, _, _ = interrupt(config, signal.SIGTERM, whole_group=True, after_shards=3)
    assert status == 143
    check_rerun(config, undisturbed)


def test_a_decoder_closed_under_its_shard_makes_no_reject(tmp_path, monkeypatch):
    """A runner that gives up tears its workers down while their threads still decode."""
    path = write_media(tmp_path / "long.mp4", seconds=6)
    with Decoder() as decoder:
        parts = decoder.decode(path, SPEC)
        next(parts)
        child = decoder._child
        kill = child._process.kill

        def kill_and_wait():  # so that this side sees the child's end before the pipe is closed
            kill()
            time.sleep(0.5)

        monkeypatch.setattr(child._process, "kill", kill_and_wait)
        os.kill(child._process.pid, signal.SIGSTOP)  # so that this side comes to wait for it
        threading.Timer(0.5, child.kill).start()
        with pytest.raises(RuntimeError, match="closed while it decoded"):
            list(parts)


@pytest.mark.parametrize("number", SIGNALS)
def test_signals_to_the_whole_group_leave_the_decoder_to_its_parent(tmp_path, number):
    """It would end a moment before its parent, which would take that for a fault of the file."""
    path = write_media(tmp_path / "long.mp4", seconds=6)
    with Decoder() as decoder:
        parts = decoder.decode(path, SPEC)
        next(parts)
        os.kill(decoder._child._process.pid, number)
        assert len(list(parts)) == 5


def test_signal_handlers_are_those_of_before_after_the_job():
    before = [signal.getsignal(number) for number in SIGNALS]
    with interruption.ending_at_once("x"):
        assert [signal.getsignal(number) for number in SIGNALS] != before
    assert [signal.getsignal(number) for number in SIGNALS] == before


ENDED_WHILE_A_FETCHED_FILE_IS_READ = """
import os, pathlib, signal, threading, time
from avinst.temporary_folders import temporary_folder
from beam_pipelines.interruption import ending_at_once

def decode():
    with temporary_folder() as folder:
        file = pathlib.Path(folder, "media.mp4")
        file.touch()
        fetched.set()
        while file.exists():
            time.sleep(0.001)
    print("the good file becomes a reject", flush=True)

fetched = threading.Event()
threading.Thread(target=decode, daemon=True).start()
fetched.wait()
end = os._exit
os._exit = lambda status: (time.sleep(0.5), end(status))  # time in which the thread could go on
with ending_at_once("interrupted"):
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
"""


def test_what_was_fetched_from_a_cloud_file_system_is_taken_away_and_is_no_reject(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", ENDED_WHILE_A_FETCHED_FILE_IS_READ],
        cwd=REPOSITORY,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (143, "", "interrupted\n")
    assert list(tmp_path.iterdir()) == []
