"""The decoder child: real crashes, hangs and lacks of memory cost one file each; it dies with its parent."""

import json
import math
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from media_factory import write_media

from avinst.errors import UserError
from avinst.media import decoder_child
from avinst.media import decoder_messages as messages
from avinst.media.child_process import ChildStartError
from avinst.media.decoder import Decoder
from avinst.media.segments import decode_segments
from avinst.media.types import DecodeLimits, Loss, MediaError, Segment
from avinst.spec import DatasetSpec

SPEC = DatasetSpec(frame_size=64)

# A child that does to itself what the file's name says, then decodes as the real one does.
MISBEHAVING_CHILD = """
    import ctypes, os, sys, time
    import numpy as np
    from avinst.media.decoder_child import main
    from avinst.media.segments import decode_segments

    def decode(path, *arguments, **keywords):
        name = os.path.basename(path)
        parts = decode_segments(path, *arguments, **keywords)
        yield next(parts)
        if "segfault" in name:
            ctypes.string_at(0)
        if "abort" in name:
            os.abort()
        if "exit" in name:
            os._exit(3)
        if "hang" in name:
            time.sleep(1000)
        if "spin" in name:
            while True:
                pass
        if "memory" in name:
            hoard = [np.ones(2**22) for _ in range(10**6)]
        if "defect" in name:
            raise KeyError("a defect of ours")
        if "nonsense" in name:
            os.write(ANSWERS, b"\\xff" * 100)
            time.sleep(1000)
        yield from parts

    def answers_pipe():
        import avinst.media.decoder_child as child
        claim = child.claim_stdout
        def remembered():
            global ANSWERS
            ANSWERS = claim()
            return ANSWERS
        child.claim_stdout = remembered
        if os.environ.get("DEED") == "refuse":
            child.read_exactly = lambda count: os._exit(4)

    answers_pipe()
    main(sys.argv, decode)
"""


class MisbehavingDecoder(Decoder):
    child_module = "misbehaving_child"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_media(tmp_path_factory.mktemp("clip") / "good.mp4")


@pytest.fixture
def misbehaving(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Decoder]:
    (tmp_path / "misbehaving_child.py").write_text(textwrap.dedent(MISBEHAVING_CHILD))
    monkeypatch.setenv("PYTHONPATH", module_path(tmp_path))
    # Only what is to run into the limit gets a short one: a busy machine must not make others meet it.
    runs_on = request.node.callspec.params["deed"] in ("hang", "spin")
    seconds = 4.0 if runs_on else 60.0
    limits = DecodeLimits(min_wall_seconds=seconds, wall_seconds_per_media_second=0.1, memory_bytes=2**30)
    with MisbehavingDecoder(limits) as decoder:
        yield decoder


def module_path(folder: Path) -> str:
    """Where children find the modules of this folder, and the avinst that is tested."""
    return f"{folder}{os.pathsep}{Path(__file__).parents[3]}"


def link(clip: str, folder: Path, name: str) -> str:
    (folder / f"{name}.mp4").symlink_to(clip)
    return str(folder / f"{name}.mp4")


def child_pid(decoder: Decoder) -> int:
    assert decoder._child
    return decoder._child._process.pid


def is_alive(pid: int) -> bool:
    try:
        # A process that has ended but was not waited for is a zombie, state Z.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for_end(pid: int, seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(pid)


def test_child_gives_what_decoding_here_gives(clip: str) -> None:
    with Decoder() as decoder:
        there, here = list(decoder.decode(clip, SPEC)), list(decode_segments(clip, SPEC))
        part = list(decoder.decode(clip, SPEC, 1.0, 2.0))
    assert len(there) == 3
    for mine, its in zip(there, here, strict=True):
        assert (mine.index, mine.start_seconds, mine.jpeg) == (its.index, its.start_seconds, its.jpeg)
        assert mine.waveform.dtype == np.float32
        np.testing.assert_array_equal(mine.waveform, its.waveform)
    assert [(segment.index, segment.start_seconds) for segment in part] == [(0, 1.0)]


@pytest.mark.parametrize(
    ("deed", "reason", "told"),
    [
        ("segfault", "crashed", "SIGSEGV"),
        ("abort", "crashed", "SIGABRT"),
        ("exit", "crashed", "exit status 3"),
        ("hang", "timed_out", "longer"),
        # The clock, or the kernel that counts the processor's time: whichever is first.
        ("spin", "timed_out", "longer|more processor time"),
        ("memory", "out_of_memory", "1 GiB"),
        ("defect", "internal_error", "a defect of ours"),
        ("nonsense", "crashed", "nonsense"),
    ],
)
def test_what_kills_a_child_costs_one_file(
    clip: str, tmp_path: Path, misbehaving: Decoder, deed: str, reason: str, told: str
) -> None:
    got = []
    with pytest.raises(MediaError, match=told) as caught:
        got.extend(misbehaving.decode(link(clip, tmp_path, deed), SPEC))
    assert caught.value.reason == reason
    assert len(got) == 1  # what came before is kept
    assert len(list(misbehaving.decode(clip, SPEC))) == 3


@pytest.mark.parametrize("is_over", [True, False])
def test_child_that_died_between_two_files_is_replaced(clip: str, is_over: bool) -> None:
    """Also while the kernel is still taking its threads down: its pipes are open for a moment longer."""
    with Decoder() as decoder:
        assert len(list(decoder.decode(clip, SPEC))) == 3
        first = child_pid(decoder)
        os.kill(first, signal.SIGKILL)
        assert not is_over or wait_for_end(first)
        assert len(list(decoder.decode(clip, SPEC))) == 3
        assert child_pid(decoder) != first


@pytest.mark.parametrize("deed", ["refuse"])
def test_children_that_accept_no_file_are_not_started_for_ever(
    clip: str, misbehaving: Decoder, monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    monkeypatch.setenv("DEED", deed)
    with pytest.raises(MediaError, match="exit status 4"):
        list(misbehaving.decode(clip, SPEC))
    monkeypatch.delenv("DEED")
    assert len(list(misbehaving.decode(clip, SPEC))) == 3


def test_one_child_serves_many_files_and_ends_with_the_decoder(clip: str) -> None:
    with Decoder() as decoder:
        list(decoder.decode(clip, SPEC))
        pid = child_pid(decoder)
        with pytest.raises(MediaError, match="missing"):
            list(decoder.decode(clip + ".none", SPEC))
        list(decoder.decode(clip, SPEC))
        assert child_pid(decoder) == pid
    assert not is_alive(pid)


def test_stopping_early_leaves_the_decoder_usable(clip: str) -> None:
    with Decoder() as decoder:
        parts = decoder.decode(clip, SPEC)
        assert next(parts).index == 0
        parts.close()
        assert [part.index for part in decoder.decode(clip, SPEC)] == [0, 1, 2]
        abandoned = decoder.decode(clip, SPEC)
        next(abandoned)
        assert [part.index for part in decoder.decode(clip, SPEC)] == [0, 1, 2]
        with pytest.raises(RuntimeError, match="one file at a time"):
            next(abandoned)
        assert [part.index for part in decoder.decode(clip, SPEC)] == [0, 1, 2]


def test_time_in_which_the_caller_is_busy_does_not_count(clip: str) -> None:
    limits = DecodeLimits(min_wall_seconds=1.0, wall_seconds_per_media_second=0.1)
    with Decoder(limits) as decoder:
        got = []
        for part in decoder.decode(clip, SPEC):
            got.append(part.index)
            time.sleep(0.6)
    assert got == [0, 1, 2]


def test_time_grows_with_what_is_decoded_where_the_head_tells_no_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in live recordings: 60 s would be all that a concert of hours may take."""
    timer = [60.0]
    monkeypatch.setattr(signal, "getitimer", lambda _: (timer[0], 0.0))
    monkeypatch.setattr(signal, "setitimer", lambda _, seconds: timer.__setitem__(0, seconds))

    def decode(*_: object, announce: Callable[[float], None]) -> Iterator[Segment | Loss]:
        announce(0.0)
        for number in range(30):
            timer[0] -= 1.0  # each takes a second of the processor
            yield Segment(number, float(number), np.zeros(4, np.float32), b"")
        yield Loss(3600, "segment", "gap", "costs nothing and earns no time")

    limits = DecodeLimits(min_wall_seconds=60.0, wall_seconds_per_media_second=4.0)
    answers = decoder_child._answers(decode, "x", SPEC, 0.0, math.inf, limits)
    sent = [json.loads(answer[8 : 8 + int.from_bytes(answer[:4], "little")]) for answer in answers]
    assert [fields["kind"] for fields in sent[14:18]] == ["segment", "granted", "segment", "granted"]
    assert [fields["wall_seconds"] for fields in sent if fields["kind"] == "granted"] == list(range(64, 121, 4))
    assert timer == [120.0 - 30.0]


def test_granted_time_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited = []
    script = [("granted", 64.0), ("loss", 0.0), ("granted", 68.0), ("done", 0.0)]

    class Child:
        def receive(self, wait_seconds: float) -> tuple[dict[str, object], bytes, float]:
            waited.append(wait_seconds)
            kind, seconds = script[len(waited) - 1]
            loss = {"segment": None, "stage": "", "reason": "", "detail": ""}
            return {"kind": kind, "wall_seconds": seconds, **loss}, b"", wait_seconds - 1.0

    decoder = Decoder(DecodeLimits(min_wall_seconds=60.0))
    decoder._child = Child()  # type: ignore[assignment]
    monkeypatch.setattr(decoder, "_ask", lambda _: decoder._child)
    assert len(list(decoder.decode("x", SPEC))) == 1
    assert waited == [60.0, 63.0, 62.0, 65.0]


@pytest.mark.parametrize("seconds", [math.inf, 1e300, 1e10])
def test_as_good_as_no_limit_of_time(clip: str, seconds: float) -> None:
    limits = DecodeLimits(
        min_wall_seconds=seconds, wall_seconds_per_media_second=seconds, max_duration_seconds=math.inf
    )
    with Decoder(limits) as decoder:
        assert len(list(decoder.decode(clip, SPEC))) == 3


@pytest.mark.parametrize("name", ["memory_bytes", "max_pixels", "max_file_bytes"])
def test_limits_that_no_machine_counts_to_are_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"--{name}=1{'0' * 20}: expected at most"):
        DecodeLimits(**{name: 10**20})


def test_child_that_cannot_start_is_no_fault_of_the_file(clip: str) -> None:
    class Broken(Decoder):
        child_module = "avinst.no_such_module"

    with pytest.raises(ChildStartError, match="No module named"), Broken() as decoder:
        list(decoder.decode(clip, SPEC))


def test_modules_in_the_working_directory_are_not_imported(
    clip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("av", "numpy", "json", "avinst"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported from the working directory')")
    monkeypatch.chdir(tmp_path)
    with Decoder() as decoder:
        assert len(list(decoder.decode(clip, SPEC))) == 3


def test_child_never_imports_tensorflow_and_starts_fast() -> None:
    code = "import avinst.media.decoder_child, sys; print(sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'av'" in loaded
    assert not [name for name in ("tensorflow", "keras", "apache_beam", "absl", "scipy") if f"'{name}'" in loaded]


def test_parent_side_does_not_import_ffmpeg() -> None:
    code = "import avinst.media.decoder, sys; print('av' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "False\n"
    )


@pytest.mark.parametrize("deed", ["idle", "hang"])
def test_child_dies_when_its_parent_is_killed(clip: str, tmp_path: Path, deed: str) -> None:
    (tmp_path / "misbehaving_child.py").write_text(textwrap.dedent(MISBEHAVING_CHILD))
    parent = """
        import sys
        from avinst.media.decoder import Decoder
        from avinst.spec import DatasetSpec
        Decoder.child_module = "misbehaving_child"
        decoder = Decoder()
        parts = decoder.decode(sys.argv[1], DatasetSpec(frame_size=64))
        next(parts)
        print(decoder._child._process.pid, flush=True)
        if "idle" in sys.argv[1]:
            list(parts)
        next(parts, None)
        sys.stdin.read()
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(parent), link(clip, tmp_path, deed)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": module_path(tmp_path)},
    )
    assert process.stdout
    pid = int(process.stdout.readline())
    assert is_alive(pid)
    process.kill()
    process.communicate()
    assert wait_for_end(pid)


def test_memory_stays_flat_over_a_long_file(tmp_path: Path) -> None:
    """A child's peak memory for four minutes is that for twenty seconds."""
    peaks = []
    for seconds in (20.0, 240.0):
        recipe = {"fps": 5, "size": (32, 32), "video_options": {"g": "100", "preset": "ultrafast"}}
        path = write_media(tmp_path / f"{seconds}.mp4", seconds=seconds, **recipe)
        with Decoder() as decoder:
            assert sum(isinstance(part, Segment) for part in decoder.decode(path, SPEC)) == seconds
            status = Path(f"/proc/{child_pid(decoder)}/status").read_text()
            peaks.append(int(status.split("VmHWM:")[1].split()[0]))
    assert peaks[1] < 1.1 * peaks[0]


def test_messages_survive_the_way() -> None:
    segment = Segment(3, 4.5, np.array([0.25, -1.0], np.float32), b"\xff\xd8")
    loss = Loss(None, "decode", "truncated", "only ½ of it")

    def through(message: bytes) -> Segment | Loss:
        position = 0

        def read(count: int) -> bytes:
            nonlocal position
            position += count
            return message[position - count : position]

        return messages.parse_part(*messages.unpack(read))

    back = through(messages.pack_part(segment))
    assert isinstance(back, Segment)
    assert (back.index, back.start_seconds, back.jpeg) == (3, 4.5, b"\xff\xd8")
    np.testing.assert_array_equal(back.waveform, segment.waveform)
    assert through(messages.pack_part(loss)) == loss
    with pytest.raises(MediaError, match="gone"):
        through(messages.pack_error(MediaError("open", "missing", "gone")))
    for nonsense in (b"\xff" * 8, messages.pack({"kind": "other"}), messages.pack({}), b"\2\0\0\0\0\0\0\0[]"):
        with pytest.raises(messages.ProtocolError):
            through(nonsense)
