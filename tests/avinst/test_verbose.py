import json
import logging
import os

from absl import flags

from avinst import command, command_flags
from avinst.errors import UserError

FLAGS = command_flags.new_flags()
flags.DEFINE_bool("json", False, "print JSON", flag_values=FLAGS)
flags.DEFINE_integer("seed", 3, "a seed", flag_values=FLAGS)


def body():
    logging.getLogger("trainer.something").info("read 3 examples")
    command.print_json({"level": os.environ.get("TF_CPP_MIN_LOG_LEVEL")})


def failing():
    raise UserError("no such run")


def test_verbose_tells_versions_settings_and_messages(capsys, monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    assert command.run(body, FLAGS, ["x", "--verbose", "--seed=7"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"level": "0"}  # TensorFlow's own messages are let through
    assert "versions: avinst" in captured.err
    assert "tensorflow 2." in captured.err
    assert "--seed=7" in captured.err
    assert "trainer.something: read 3 examples" in captured.err
    # All as before afterwards, and quiet without it.
    assert command.run(body, FLAGS, ["x"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"level": "3"}
    assert captured.err == ""


def test_verbose_shows_where_an_error_arose(capsys):
    assert command.run(failing, FLAGS, ["x", "--verbose"]) == 1
    error = capsys.readouterr().err
    assert "in failing" in error
    assert error.endswith(": no such run\n")
    assert command.run(failing, FLAGS, ["x"]) == 1
    assert "in failing" not in capsys.readouterr().err


def test_what_is_no_number_is_null_in_json(capsys):
    command.print_json({"map": float("nan"), "rows": [float("inf"), 0.5], 3: ("é", None)})
    printed = capsys.readouterr().out
    assert "NaN" not in printed
    assert json.loads(printed) == {"map": None, "rows": [None, 0.5], "3": ["é", None]}


def test_an_error_is_one_line_on_stderr_with_json_too(capsys):
    assert command.run(failing, FLAGS, ["x", "--json"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
