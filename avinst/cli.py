"""The console script `avinst COMMAND`: finds the command's module and runs it, importing nothing before."""

import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple


class Command(NamedTuple):
    """Where a command lives, what it does, and the part of the work that it belongs to."""

    module: str
    does: str
    part: str


# Names only: the command's folder is imported when it is called, TensorFlow later still. In the order of work.
COMMANDS = {
    "demo": Command("avinst.demo", "runs all of the below on synthetic performances", "to begin"),
    "doctor": Command("avinst.doctor", "checks this machine: what is wrong, and what to do about it", "to begin"),
    "manifest": Command(
        "avinst.manifest", "makes a manifest from class folders or a known data set", "videos to a dataset"
    ),
    "prepare": Command(
        "beam_pipelines.prepare", "turns the videos of a manifest into a dataset", "videos to a dataset"
    ),
    "inspect": Command("avinst.inspection", "shows what is in a dataset", "videos to a dataset"),
    "train": Command(
        "trainer.train", "trains one scheme: audio, visual, independent or joint", "train and measure"
    ),
    "evaluate": Command("trainer.evaluate", "measures a trained run on a split", "train and measure"),
    "export": Command("trainer.export", "writes a run as a SavedModel", "use what was trained"),
    "predict": Command("beam_pipelines.predict", "tells which instruments a video holds", "use what was trained"),
    "analyze": Command(
        "analysis.analyze",
        "shows why a model decides: importance, correlations, Grad-CAM",
        "understand what was trained",
    ),
    "explain": Command(
        "analysis.explain",
        "plays a video with the evidence drawn over picture and sound",
        "understand what was trained",
    ),
    "completion": Command(
        "avinst.completion", "prints the script by which a shell completes avinst's words with Tab", "your shell"
    ),
}
_HELP = ("help", "--help", "-h")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `avinst COMMAND [flags]`; without a command lists them. Returns the exit status."""
    argv = list(sys.argv if argv is None else argv)
    if argv[1:2] == ["help"] and len(argv) > 2:
        argv = [argv[0], argv[2], "--help"]
    if len(argv) < 2 or argv[1] in _HELP:
        print(_overview())  # noqa: T201
        return 0
    if argv[1] in ("version", "--version"):
        from avinst import __version__

        print(f"avinst {__version__}")  # noqa: T201
        return 0
    name = argv[1]
    if name not in COMMANDS:
        from avinst.nearest import hint

        otherwise = f"the commands are {', '.join(COMMANDS)}"
        if name.startswith("-") and len(argv) > 2:
            print(f"avinst: flags come after the command: avinst COMMAND {name}", file=sys.stderr)  # noqa: T201
            return 2
        what = f"no command {name!r}; {hint(name, [*COMMANDS, 'help', 'version'], otherwise)}"
        print(f"avinst: {what}", file=sys.stderr)  # noqa: T201
        return 2
    module = importlib.import_module(COMMANDS[name].module)
    return int(module.main([f"avinst {name}", *argv[2:]]))


def _overview() -> str:
    from avinst.terminal import painted

    columns = max(map(len, COMMANDS))
    lines = [
        "avinst finds musical instruments in videos, by sound and picture, and shows why it decides as it does."
    ]
    lines += ["", f"{painted('usage:', bold=True)} avinst COMMAND [--flag=value ...]"]
    part = ""
    for name, command in COMMANDS.items():
        if command.part != part:
            part = command.part
            lines += ["", painted(f"{part}:", bold=True)]
        lines.append(f"  {painted(f'{name:<{columns}}', 'cyan')}  {command.does}")
    return "\n".join(
        [
            *lines,
            "",
            "avinst COMMAND --help, or avinst help COMMAND, shows what it does, examples and its flags.",
            "New here? avinst doctor, then avinst demo --fast.",
            "To read on: README.md, and docs/tutorial.md for videos of your own.",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
