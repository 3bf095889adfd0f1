import shutil
import subprocess

import pytest

from avinst import completion

ASK = """
source "$1"; shift; cd "$1"; shift
COMP_CWORD=$(( $# - 1 )); COMP_WORDS=("$@")
_avinst_complete 2>/dev/null
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    file = tmp_path_factory.mktemp("completion") / "avinst.bash"
    file.write_text(completion.script("bash"))
    return file


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["tr"], ["train"]),
        (["train", "--sche"], ["--scheme="]),
        (["train", "--scheme", "=", "jo"], ["joint"]),  # as bash cuts --scheme=jo
        (["train", "--scheme", "="], ["audio", "visual", "independent", "joint"]),
        (["train", "--scheme", "jo"], ["joint"]),
        (["train", "--run_dir", "=", "here", "--scheme", "=", "jo"], ["joint"]),
        (["evaluate", "--noa"], ["--noaudit"]),  # no `=` after what takes no value
        (["train", "--data_dir", "=", "da"], ["dataset"]),  # directories alone
        (["prepare", "--manifest", "=", "d"], ["data.csv", "dataset"]),
        (["predict", "--run_dir", "=", "x", "data."], ["data.csv"]),
        (["completion", "z"], ["zsh"]),
        (["help", "exp"], ["export", "explain"]),
        (["trian"], [""]),
    ],
)
def test_bash_completes(script, tmp_path, words, expected):
    (tmp_path / "dataset").mkdir()
    (tmp_path / "data.csv").touch()
    asked = ["bash", "--norc", "-c", ASK, "bash", script, tmp_path, "avinst", *words]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split("\n")[:-1]) == sorted(expected)


@pytest.mark.skipif(not shutil.which("zsh"), reason="needs zsh")
def test_zsh_reads_its_script(tmp_path):
    (tmp_path / "_avinst").write_text(completion.script("zsh"))
    done = subprocess.run(["zsh", "-n", tmp_path / "_avinst"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_zsh_takes_a_value_after_an_equals_sign():
    text = completion.script("zsh")
    assert '"--scheme=[' in text
    assert ":scheme:(audio visual independent joint)" in text
    assert '"--fast[' in text  # takes no value


def test_every_shell(capsys):
    for shell in completion.SHELLS:
        assert completion.main(["avinst completion", shell]) == 0
        assert "trust_recordings" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "message"),
    [([], "one shell is expected: bash, zsh, fish; found none"), (["bsh"], "did you mean 'bash'?")],
)
def test_other_shells(capsys, argv, message):
    assert completion.main(["avinst completion", *argv]) == 2
    assert message in capsys.readouterr().err
