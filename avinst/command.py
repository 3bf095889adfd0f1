"""How every command runs: its own flags, help, one-line errors, exit status."""

import contextlib
import json
import math
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from absl import flags

from avinst import terminal, verbose
from avinst.command_errors import TRACEBACK_VARIABLE, file_trouble, flag_trouble
from avinst.command_flags import facts
from avinst.command_help import help_text
from avinst.errors import HandedOver, Interrupted, UsageError, UserError
from avinst.paths import check_scheme
from avinst.signals import ended_by_signals

DONE, FAILED, WRONG_FLAGS, INTERRUPTED = 0, 1, 2, 130


def run(
    body: Callable[..., Any],
    flag_values: flags.FlagValues,
    argv: Sequence[str] | None = None,
    *,
    positional: str = "",
    pass_unknown: bool = False,
) -> int:
    """Parses the flags, calls the command's body and turns what happens into an exit status.

    Args:
        body: the command. Called with the list of what is left of the arguments if it takes `positional`
            arguments or is passed unknown flags, else without argument. Its module's docstring is the
            first paragraph of the help.
        flag_values: the command's own flags (none of them global: every command can be imported by a test).
        argv: program name and arguments; sys.argv by default.
        positional: name of the positional arguments in the usage line, empty if there are none.
        pass_unknown: unknown flags go to the body instead of being an error.

    Returns:
        0 done; 1 failed, one line on stderr; 2 wrong flags; 130 interrupted, 143 told to end by SIGTERM.
    """
    argv = list(sys.argv if argv is None else argv)
    try:
        status = _run(body, flag_values, argv, positional, pass_unknown)
        sys.stdout.flush()
    except BrokenPipeError:
        # Who read our output has gone (`| head`); Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return status


def _run(
    body: Callable[..., Any],
    flag_values: flags.FlagValues,
    argv: list[str],
    positional: str,
    pass_unknown: bool,
) -> int:
    name = _command_name(body)
    if any(argument in ("--help", "-h", "-help", "--helpfull") for argument in argv[1:]):
        print(help_text(name, sys.modules[body.__module__], flag_values, positional))  # noqa: T201
        return DONE
    flag_values.unparse_flags()
    flag_values.set_gnu_getopt(True)  # flags may follow positional arguments
    try:
        rest = flag_values(argv, known_only=pass_unknown)[1:]
        if rest and not positional and not pass_unknown:
            raise flags.Error(f"unexpected argument {rest[0]!r}; flags are written --name=value")
    except flags.Error as error:
        return _fail(name, flag_trouble(error, flag_values), WRONG_FLAGS, f" (flags: {name} --help)")
    except UnicodeDecodeError as error:
        return _fail(name, f"the --flagfile is no text ({error}); expected one flag a line", WRONG_FLAGS)
    try:
        for flag in (flag_values[flag_name] for flag_name in flag_values):
            flag.value = _cleaned(flag)
        asked = _is_set(flag_values, "verbose")
        with verbose.messages(name, flag_values) if asked else contextlib.nullcontext(), ended_by_signals():
            body(*([rest] if positional or pass_unknown else []))
    except UsageError as error:
        return _fail(name, str(error), WRONG_FLAGS, f" (flags: {name} --help)")
    except UserError as error:
        _trace(flag_values)
        return _fail(name, str(error), FAILED)
    except HandedOver as handed_over:
        if _is_set(flag_values, "json"):
            print_json({"handed_over": str(handed_over)})
        else:
            print(f"{name}: {handed_over}")  # noqa: T201
    except Interrupted as interrupted:
        return _fail(name, str(interrupted), interrupted.status)
    except KeyboardInterrupt:
        return _fail(name, "interrupted", INTERRUPTED)
    except BrokenPipeError:
        raise
    except Exception as error:
        message = file_trouble(error)
        if message is None or os.environ.get(TRACEBACK_VARIABLE):
            raise
        _trace(flag_values)
        return _fail(name, message, FAILED)
    return DONE


def _cleaned(flag: flags.Flag[Any]) -> Any:
    """The flag's value; of a path with `~` replaced, which a shell leaves alone after `=`.

    Raises:
        UserError: it is NaN, which passes absl's bounds, or a path on a file system that avinst does not read.
    """
    if isinstance(flag.value, float) and math.isnan(flag.value):
        raise UsageError(f"flag --{flag.name}={flag.value}: expected a number")
    if not facts(flag).is_path:
        return flag.value
    if isinstance(flag.value, list):
        return [_as_path(part) for part in flag.value]
    return _as_path(flag.value) if flag.value else flag.value


def _as_path(text: str) -> str:
    return check_scheme(os.path.expanduser(text))  # noqa: PTH111  # pathlib spoils gs://


def _is_set(flag_values: flags.FlagValues, name: str) -> bool:
    return name in flag_values and bool(flag_values[name].value)


def _trace(flag_values: flags.FlagValues) -> None:
    """With --verbose, where the error that is being handled arose."""
    if _is_set(flag_values, "verbose"):
        traceback.print_exc()


def print_json(values: Any) -> None:
    """Prints what a command found as JSON for a script; what is no finite number becomes null."""
    print(json.dumps(_finite(values), indent=1, ensure_ascii=False, allow_nan=False))  # noqa: T201


def _finite(values: Any) -> Any:
    if isinstance(values, Mapping):
        return {str(key): _finite(value) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [_finite(value) for value in values]
    return None if isinstance(values, float) and not math.isfinite(values) else values


def _fail(name: str, message: str, status: int, hint: str = "") -> int:
    sys.stdout.flush()
    named = terminal.painted(f"{name}:", "red", bold=True, stream=sys.stderr)
    print(f"{named} {' '.join(message.split())}{hint}", file=sys.stderr)  # noqa: T201
    return status


def _command_name(body: Callable[..., Any]) -> str:
    from avinst.cli import COMMANDS

    module = sys.modules[body.__module__]
    path = module.__spec__.name if module.__spec__ else body.__module__
    names = {command.module: name for name, command in COMMANDS.items()}
    return f"avinst {names[path]}" if path in names else path
