import subprocess
import sys
from unittest import mock

import pytest
from absl import flags

from avinst import command, paths
from avinst.errors import UsageError, UserError

FLAGS = flags.FlagValues()
RATE = flags.DEFINE_float("rate", 0.5, "a rate", lower_bound=0.0, upper_bound=1.0, flag_values=FLAGS)
FOLDER = flags.DEFINE_string("data_dir", "", "a folder", flag_values=FLAGS)
FILES = flags.DEFINE_list("annotations", [], "files", flag_values=FLAGS)
NAME = flags.DEFINE_string("video_id", "", "a name", flag_values=FLAGS)
SIZE = flags.DEFINE_integer("frame_size", 3, "a size", flag_values=FLAGS)
LOUD = flags.DEFINE_bool("loud", False, "a switch", flag_values=FLAGS)
seen = []


def body():
    seen.append(SIZE.value)


def body_with_paths():
    seen.append((FOLDER.value, FILES.value, NAME.value))


def body_with_arguments(arguments):
    seen.append((SIZE.value, arguments))


def failing():
    raise UserError("no folder 'x';\nmake it")


def misused():
    raise UsageError("--a and --b exclude each other")


@pytest.fixture(autouse=True)
def _clear():
    seen.clear()


def test_flags_reach_the_body():
    assert command.run(body, FLAGS, ["x", "--frame_size=7"]) == 0
    assert command.run(body, FLAGS, ["x"]) == 0
    assert seen == [7, 3]  # a second run begins from the defaults


def test_flags_may_follow_arguments():
    assert command.run(body_with_arguments, FLAGS, ["x", "a.mp4", "--frame_size=7", "b"], positional="VIDEO") == 0
    assert seen == [(7, ["a.mp4", "b"])]


def test_after_a_double_dash_everything_is_an_argument():
    assert command.run(body_with_arguments, FLAGS, ["x", "--", "-a.mp4"], positional="VIDEO") == 0
    assert seen == [(3, ["-a.mp4"])]


def test_unknown_flags_are_passed_on_only_where_wanted():
    assert command.run(body_with_arguments, FLAGS, ["x", "--runner=Y", "--frame_size=1"], pass_unknown=True) == 0
    assert seen == [(1, ["--runner=Y"])]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--frame_sice=7"], "unknown flag --frame_sice; did you mean --frame_size?"),
        (["--no-loud"], "unknown flag --no-loud; did you mean --noloud?"),
        (["--frame_size=big"], "--frame_size=big: expected a whole number"),
        (["--rate=nan"], "--rate=nan: expected a number"),
        (["stray"], "unexpected argument 'stray'"),
    ],
)
def test_wrong_flags(capsys, argv, message):
    assert command.run(body, FLAGS, ["x", *argv]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not seen


def test_a_file_of_flags_that_is_not_there_or_no_text_is_one_line(tmp_path, capsys):
    (tmp_path / "flags").write_bytes(b"--frame_size=7\n\x8e\xff")
    assert command.run(body, FLAGS, ["x", f"--flagfile={tmp_path}/flags"]) == 2
    assert "the --flagfile is no text ('utf-8' codec can't decode byte 0x8e" in capsys.readouterr().err
    assert command.run(body, FLAGS, ["x", f"--flagfile={tmp_path}/none"]) == 2
    error = capsys.readouterr().err
    assert ": Unable to open flagfile: [Errno 2] No such file or directory" in error
    assert error.count("\n") == 1
    assert seen == []


def test_a_tilde_is_the_home_folder_in_paths_alone(monkeypatch):
    monkeypatch.setenv("HOME", "/houses/me")
    argv = ["x", "--data_dir=~/set", "--annotations=~/a.csv,gs://bucket/~/b.csv", "--video_id=~/c"]
    assert command.run(body_with_paths, FLAGS, argv) == 0
    assert seen == [("/houses/me/set", ["/houses/me/a.csv", "gs://bucket/~/b.csv"], "~/c")]


def test_paths_on_file_systems_that_are_not_read(capsys):
    assert command.run(body_with_paths, FLAGS, ["x", "--data_dir=ftp://x/y"]) == 1
    assert "'ftp://x/y': ftp:// is not allowed; use a local path or gs://" in capsys.readouterr().err


def test_an_error_of_the_user_is_one_line(capsys):
    assert command.run(failing, FLAGS, ["x"]) == 1
    assert capsys.readouterr().err.endswith("no folder 'x'; make it\n")
    assert command.run(misused, FLAGS, ["x"]) == 2


def test_what_the_file_system_refuses_is_one_line(capsys, tmp_path, monkeypatch):
    def reads():
        return (tmp_path / "none").read_text()

    def reads_records():
        import tensorflow as tf

        (tmp_path / "short.tfrecord").write_bytes(b"half a length")
        list(tf.data.TFRecordDataset(str(tmp_path / "short.tfrecord")))

    def reads_from_afar():
        paths.exists("s3://bucket/none")

    def asks_an_unknown_host():
        import tensorflow as tf

        message = "Error executing an HTTP request: libcurl code 6 ...\n\t when reading metadata of gs://bucket"
        refused = tf.errors.FailedPreconditionError(None, None, message)
        with monkeypatch.context() as patch:
            patch.setattr(tf.io.gfile, "isdir", lambda path: False)  # as TensorFlow says then
            patch.setattr(tf.io.gfile, "exists", mock.Mock(side_effect=refused))
            paths.is_directory("gs://bucket")

    for body_that_fails, message in (
        (
            asks_an_unknown_host,
            "cannot be asked: Error executing an HTTP request: libcurl code 6 ... when reading",
        ),
        (reads, "No such file or directory: '"),
        (reads_records, "damaged file"),
        (reads_from_afar, "'s3' not implemented"),
    ):
        body_that_fails.__module__ = __name__
        assert command.run(body_that_fails, FLAGS, ["x"]) == 1
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    monkeypatch.setenv(command.TRACEBACK_VARIABLE, "1")
    with pytest.raises(FileNotFoundError):
        command.run(reads, FLAGS, ["x"])


def test_help_shows_flags_and_defaults(capsys):
    assert command.run(body, FLAGS, ["x", "--help"]) == 0
    assert "--frame_size=INT a size [default: 3]" in " ".join(capsys.readouterr().out.split())
    assert not seen


def test_a_reader_that_goes_away_is_no_error_of_ours():
    code = "from avinst import cli; import sys; sys.exit(cli.main(['avinst', 'prepare', '--help']))"
    # The pipe is closed before the command writes to it.
    done = subprocess.run(
        ["bash", "-c", f'{{ sleep 0.5; {sys.executable} -c "{code}"; echo $? >&2; }} | true'],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == "1\n"


def test_other_errors_are_not_hidden():
    def broken():
        raise ZeroDivisionError

    broken.__module__ = __name__
    sys.modules.setdefault(__name__, sys.modules[body.__module__])
    with pytest.raises(ZeroDivisionError):
        command.run(broken, FLAGS, ["x"])
