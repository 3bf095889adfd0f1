import os
import pty
import subprocess
import sys

import pytest

from avinst import terminal

CODE = "from avinst import cli; import sys; sys.exit(cli.main(['avinst', *sys.argv[1:]]))"
PLAIN = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}


def on_a_terminal(*arguments, **environment):
    """What a terminal gets of both streams."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", CODE, *arguments],
        stdout=theirs,
        stderr=theirs,
        env={**PLAIN, "TERM": "xterm", **environment},
    ):
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # EIO: the other end is closed
                break
            if not part:
                break
            shown += part
    os.close(ours)
    return shown.decode()


def test_colours_on_a_terminal_alone():
    coloured = on_a_terminal("train", "--help")
    assert "\x1b[1musage:\x1b[0m" in coloured
    assert "\x1b[1m\x1b[31mavinst train:\x1b[0m" in on_a_terminal("train")  # an error, on stderr
    assert "\x1b" not in on_a_terminal("train", "--help", NO_COLOR="1")
    assert "\x1b" not in on_a_terminal("train", "--help", TERM="dumb")
    done = subprocess.run(
        [sys.executable, "-c", CODE, "train"], capture_output=True, text=True, check=False, env=PLAIN
    )
    assert done.stderr.startswith("avinst train: --data_dir is missing")


def test_force_color(monkeypatch, capsys):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert terminal.painted("x", "red") == "\x1b[31mx\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert terminal.painted("x", "red") == "x"


@pytest.mark.parametrize(("columns", "expected"), [("40", 60), ("90", 90), ("300", 110)])
def test_the_width(monkeypatch, columns, expected):
    monkeypatch.setenv("COLUMNS", columns)
    assert terminal.width() == expected
