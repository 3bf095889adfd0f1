"""The command blocks of the documents, their commands, and the marks of those that no test runs."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", "CONTRIBUTING.md", *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))]
# Shell is written in blocks of bash alone; these languages are not for a shell.
OTHER_LANGUAGES = {"csv", "json", "mermaid", "python", "text"}

CI = (ROOT / ".ci" / "run").read_text()
CI_PACKAGE = (ROOT / ".ci" / "package").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()


class Block(NamedTuple):
    """A fenced block: page, line of its fence, language, text, and the HTML comment right above it."""

    page: str
    line: int
    language: str
    text: str
    mark: str

    @property
    def commands(self) -> list[str]:
        """One string a command, continued lines joined, without comments and empty lines."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [command for line in lines if (command := re.sub(r"(^|\s)#.*", "", line).strip())]


def blocks(page: str) -> list[Block]:
    """All fenced blocks of a page, in their order."""
    text = (ROOT / page).read_text()
    found = re.finditer(r"(?:^ *<!-- ([^\n]*) -->\n)?^( *)```(\w*)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [Block(page, text[: f.end(2)].count("\n") + 1, f[3], f[4], f[1] or "") for f in found]


def to_be_run(page: str) -> list[Block]:
    """The command blocks that bear no mark."""
    return [block for block in blocks(page) if block.language == "bash" and not block.mark]


def run_by_ci(command: str) -> bool:
    """Whether .ci/run calls it, or a target of make whose one command .ci/package runs at its smallest."""
    words = shlex.split(command)
    if words[0] == "make":
        return all(re.search(rf"^make .*\b{target}\b", CI, re.MULTILINE) or _runs(target) for target in words[1:])
    if words[0] == "avinst":
        return f'avinst" {words[1]} ' in CI_PACKAGE and ".ci/package" in CI
    return words[0] == ".ci/run" or re.search(rf"^{re.escape(words[0])}$", CI, re.MULTILINE) is not None


def _runs(target: str) -> bool:
    recipe = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    (command,) = recipe[1].strip().splitlines() if recipe else ("",)
    return command.startswith("$(BIN)/avinst ") and run_by_ci(command.removeprefix("$(BIN)/"))


def _has(pattern: str) -> Callable[[Block], bool]:
    return lambda block: re.search(pattern, block.text, re.MULTILINE) is not None


# The marks that there are, each with what a block must be to bear it.
MARKS: dict[str, Callable[[Block], bool]] = {
    "needs the cloud": _has(r"gs://|\bgcloud\b|DataflowRunner"),
    "needs Docker": _has(r"^docker "),
    "needs TensorFlow Serving": _has(r"^tensorflow_model_server "),
    "installs packages": _has(r"^(\S+/)?pip install |^make (setup|hooks|lock)\b"),
    "needs an idle machine: hours": lambda block: (
        block.page in ("docs/results.md", "docs/benchmarks.md")
        or all(command.startswith("python benchmarks/") for command in block.commands)
    ),
    "runs the tests themselves": lambda block: all(
        re.match(r"make (test-all|test-312|coverage)$", command) for command in block.commands
    ),
    "run by .ci/run": lambda block: all(map(run_by_ci, block.commands)),
}
