"""Runs `avinst train` in children that are forked after TensorFlow is imported: each costs its training alone.

Reads one JSON object a line from stdin, {"arguments": [...], "output": file, "at": event or null, "signal":
number}, and answers each with the child's status as subprocess gives it. A child sends itself the signal when the
event happens: a moment of the training, not of the clock.
"""

import json
import os
import sys

from avinst.quiet import import_tensorflow_quietly

import_tensorflow_quietly()

from avinst import paths, progress  # noqa: E402
from trainer import schemes, train  # noqa: E402, F401


def watch(run_dir: str, at: str, number: int) -> None:
    """Sends the signal when the event happens.

    'visual, epoch 2/3: 24' is examples done of an epoch, 'visual, epoch 2/3: validating, batch 1' what it says,
    'before stages/audio/model.keras' and 'after ...' that the file is renamed to this or removed.
    """

    def happened(event: str) -> None:
        if event == at:
            os.kill(os.getpid(), number)

    def around(function):
        def moved(*names: str) -> None:
            name = os.path.relpath(names[-1], run_dir)
            happened(f"before {name}")
            function(*names)
            happened(f"after {name}")

        return moved

    update = progress.Progress.update

    def updated(self: progress.Progress, done: int, note: str = "") -> None:
        update(self, done, note)
        happened(f"{self._what}: {note if note.startswith('validating') else done}")

    progress.Progress.update = updated
    paths.rename, paths.remove = around(paths.rename), around(paths.remove)


def run(arguments: list[str], output: str, at: str | None, signal: int) -> int:
    """In the child: the command, with its output in a file."""
    stream = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(stream, 1)
    os.dup2(stream, 2)
    if at:
        (run_dir,) = (word.partition("=")[2] for word in arguments if word.startswith("--run_dir="))
        watch(run_dir, at, signal)
    return train.main(["avinst train", *arguments])


def main() -> None:
    """Forks a child for each line."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            status = 70  # an error with a traceback
            try:
                status = run(**json.loads(line))
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
