"""The command blocks of the pages run, in their order, on files as the pages presuppose them."""

import contextlib
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from command_blocks import Block, to_be_run
from pages import PAGES_THAT_RUN, SMALL, WITHOUT, furnish
from tensorboard_server import tensorboard

from avinst import cli


class Runs:
    """The folders of the pages; a page is run once, when it or what it leaves is asked for."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders: dict[str, Path] = {}

    def folder(self, name: str) -> Path:
        """The folder in which the page's commands have run."""
        if name not in self._folders:
            self._folders[name] = self._run(name)
        return self._folders[name]

    def _run(self, name: str) -> Path:
        page = PAGES_THAT_RUN[name]
        folder = self._root / name.replace("/", "-")
        done = {
            command
            for block in (to_be_run(page.not_again) if page.not_again else ())
            for command in block.commands
        }
        for number, block in enumerate(to_be_run(name)):
            here = folder / str(number) if page.apart else folder
            commands = [command for command in block.commands if command not in done]
            if commands and not here.exists():
                here.mkdir(parents=True)
                furnish(here, _needed(page.files, block) if page.apart else page.files, self.folder)
            with contextlib.chdir(here if commands else self._root):
                for command in commands:
                    run(command, f"{name}:{block.line}")
        return folder


def _needed(files, block: Block):
    """Only what the block names: a training's run must not be there yet."""
    made = set(re.findall(r"train .*--run_dir=(\w+)", block.text.replace("\\\n", " ")))
    return {name: source for name, source in files.items() if name not in made}


def run(command: str, where: str) -> None:
    """Runs a command as the page has it, at a smaller size."""
    words = shlex.split(command)
    if words[0] == "avinst":
        if words[1] == "demo":
            return  # .ci/package runs it
        target = None
        if ">" in words or ">>" in words:
            *words, _, target = words
            target = target.replace("~", "home")  # of nobody
        arguments = [WITHOUT.get(word, word) for word in words[1:]] + list(SMALL.get(words[1], ()))
        with contextlib.ExitStack() as stack:
            if target:
                Path(target).parent.mkdir(parents=True, exist_ok=True)
                stack.enter_context(contextlib.redirect_stdout(stack.enter_context(Path(target).open("w"))))
            status = cli.main(["avinst", *arguments])
        assert status == 0, f"{where}: {command}"
    elif words[0] == "tensorboard":
        with tensorboard(words[words.index("--logdir") + 1]) as board:
            assert board.wait_for("scalars/tags", bool), f"{where}: {command}"
    else:
        assert words[0] == "ffmpeg", f"{where}: no test knows how to run {command}"
        if not shutil.which("ffmpeg"):
            pytest.skip("no ffmpeg here")
        subprocess.run(["bash", "-c", command], check=True, capture_output=True, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return Runs(tmp_path_factory.mktemp("pages"))


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES_THAT_RUN)
def test_the_commands_of_a_page_run(runs, page):
    runs.folder(page)
