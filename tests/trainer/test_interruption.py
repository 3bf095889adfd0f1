import os
import signal

import pytest

from avinst import command
from avinst.errors import Interrupted
from avinst.signals import SIGNALS
from trainer import interruption, train


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_at_once_where_nothing_is_held(number, status):
    with interruption.handled("told to"):
        with pytest.raises(Interrupted, match="told to") as caught:
            os.kill(os.getpid(), number)
        assert caught.value.status == status


def test_what_is_held_is_released_before_the_end():
    with interruption.handled("told to"):
        interruption.hold()
        os.kill(os.getpid(), signal.SIGTERM)
        assert interruption.wanted()
        with pytest.raises(Interrupted):
            interruption.release()


def test_the_second_signal_does_not_wait():
    with interruption.handled("told to"):
        interruption.hold()
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted) as caught:
            os.kill(os.getpid(), signal.SIGINT)
        assert caught.value.status == 130


def test_without_a_signal_nothing_ends_and_a_later_one_does_at_once():
    with interruption.handled("told to"):
        interruption.hold()
        interruption.release()
        assert not interruption.wanted()
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), signal.SIGTERM)


def test_handlers_and_state_are_those_of_before_afterwards():
    before = [signal.getsignal(number) for number in SIGNALS]
    with interruption.handled("told to"):
        assert [signal.getsignal(number) for number in SIGNALS] != before
        interruption.hold()
        os.kill(os.getpid(), signal.SIGTERM)
    assert [signal.getsignal(number) for number in SIGNALS] == before
    assert not interruption.wanted()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_command_ends_with_the_status_of_the_signal_and_one_line(number, status, capsys):
    def train_and_be_told_to_end():
        with interruption.handled("interrupted; run the same command again to go on"):
            os.kill(os.getpid(), number)

    train_and_be_told_to_end.__module__ = train.__name__
    assert command.run(train_and_be_told_to_end, train.FLAGS, ["x", "--run_dir=r"]) == status
    assert capsys.readouterr().err == "avinst train: interrupted; run the same command again to go on\n"
