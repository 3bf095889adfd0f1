import os
import signal
import threading

import pytest
from absl import flags

from avinst import command
from avinst.errors import Interrupted
from avinst.signals import ended_by_signals

SIGNALS = [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 143, "SIGTERM")]


@pytest.mark.parametrize(("number", "status", "name"), SIGNALS)
def test_a_signal_ends_a_command_in_one_line(number, status, name, tmp_path, capsys):
    def body():
        try:
            os.kill(os.getpid(), number)
        finally:
            (tmp_path / "tidied").touch()

    body.__module__ = __name__
    own = signal.signal(number, signal.default_int_handler)  # these tests may run where SIGINT is ignored
    try:
        assert command.run(body, flags.FlagValues(), ["x"]) == status
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, own)
    assert capsys.readouterr().err.endswith(f": ended by {name}; nothing was lost, run it again\n")
    assert (tmp_path / "tidied").exists()


def test_what_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with ended_by_signals():
            os.kill(os.getpid(), signal.SIGINT)
            with pytest.raises(Interrupted):
                os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_thread_sets_no_handlers():
    seen = []

    def in_thread():
        with ended_by_signals():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=in_thread)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]
