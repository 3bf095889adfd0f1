"""The console script `avinst COMMAND`: finds the command's module and runs it, importing nothing before."""

import difflib
import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple


class Command(NamedTuple):
    """Where a command lives and what it does."""

    module: str
    does: str


# Names only: the command's folder is imported when it is called, TensorFlow later still.
COMMANDS = {
    "demo": Command("avinst.demo", "runs all of the below on synthetic performances"),
    "doctor": Command("avinst.doctor", "checks versions, codecs, accelerators and file access"),
    "manifest": Command("avinst.manifest", "makes a manifest from class folders or a known data set"),
    "prepare": Command("beam_pipelines.prepare", "turns the videos of a manifest into a dataset"),
    "inspect": Command("avinst.inspection", "shows what is in a dataset"),
    "train": Command("trainer.train", "trains one scheme: audio, visual, independent or joint"),
    "evaluate": Command("trainer.evaluate", "measures a trained run on a split"),
    "export": Command("trainer.export", "writes a run as a SavedModel"),
    "predict": Command("beam_pipelines.predict", "tells which instruments a video holds"),
    "analyze": Command("analysis.analyze", "shows why a model decides: importance, correlations, Grad-CAM"),
    "explain": Command("analysis.explain", "plays a video with the evidence drawn over picture and sound"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `avinst COMMAND [flags]`; without a command lists them. Returns the exit status."""
    argv = list(sys.argv if argv is None else argv)
    if len(argv) < 2 or argv[1] in ("help", "--help", "-h"):
        _print_commands()
        return 0
    if argv[1] in ("version", "--version"):
        from avinst import __version__

        print(f"avinst {__version__}")  # noqa: T201
        return 0
    name = argv[1]
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"the commands are {', '.join(COMMANDS)}"
        print(f"avinst: no command {name!r}; {hint}", file=sys.stderr)  # noqa: T201
        return 2
    module = importlib.import_module(COMMANDS[name].module)
    return int(module.main([f"avinst {name}", *argv[2:]]))


def _print_commands() -> None:
    width = max(map(len, COMMANDS))
    print("avinst COMMAND [--flag=value ...]   (avinst COMMAND --help for its flags)\n")  # noqa: T201
    for name, command in COMMANDS.items():
        print(f"  {name:<{width}}  {command.does}")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
