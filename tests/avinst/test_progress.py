import io

import pytest

from avinst.progress import Progress, format_bytes, format_seconds


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (59.94, "59.9 s"), (185, "3 min 05 s"), (7800, "2 h 10 min")]
)
def test_durations(seconds, text):
    assert format_seconds(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (12e6, "12.0 MB"),
        (1.5e9, "1.50 GB"),
    ],
)
def test_amounts(count, text):
    assert format_bytes(count) == text


def test_rate_and_time_left_leave_out_what_was_done_before(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    stream = io.StringIO()
    progress = Progress("videos", 100, stream)
    progress.skip(40)
    clock[0] += 20
    progress.update(60, "3 rejects")
    assert stream.getvalue() == "videos: 60/100, 1.0/s, 20.0 s so far, 40.0 s left, 3 rejects\n"


def test_a_terminal_gets_one_line_that_is_rewritten(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    stream = Terminal()
    progress = Progress("epochs", 2, stream)
    for _ in range(2):
        clock[0] += 1
        progress.advance()
    progress.finish()
    assert stream.getvalue().count("\r") == 3
    assert stream.getvalue().count("\n") == 1


def test_without_a_terminal_lines_are_few(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    stream = io.StringIO()
    progress = Progress("videos", 100, stream)
    for _ in range(100):
        clock[0] += 0.5
        progress.advance()
    assert 2 <= stream.getvalue().count("\n") <= 4
