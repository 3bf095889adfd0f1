"""How every command runs: its own flags, help, one-line errors, exit status."""

import dataclasses
import math
import os
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from absl import flags

from avinst.errors import HandedOver, Interrupted, UsageError, UserError
from avinst.paths import check_scheme
from avinst.signals import ended_by_signals

# Set to anything, it lets errors of the file system pass with their traceback.
TRACEBACK_VARIABLE = "AVINST_TRACEBACK"
_NAMES_OF_PATHS = (
    "dir",
    "directory",
    "root",
    "manifest",
    "output",
    "listen",
    "sheet",
    "from",
    "weights",
    "annotations",
    "figure",
)
# What TensorFlow says of a host that it cannot reach, or that refuses it; of several types.
_HTTP_TROUBLE = "Error executing an HTTP request"
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
        print(_help(name, body, flag_values, positional))  # noqa: T201
        return DONE
    flag_values.unparse_flags()
    flag_values.set_gnu_getopt(True)  # flags may follow positional arguments
    try:
        rest = flag_values(argv, known_only=pass_unknown)[1:]
        if rest and not positional and not pass_unknown:
            raise flags.Error(f"unexpected argument {rest[0]!r}; flags are written --name=value")
    except flags.Error as error:
        return _fail(name, str(error), WRONG_FLAGS, f" (flags: {name} --help)")
    try:
        for flag in (flag_values[flag_name] for flag_name in flag_values):
            flag.value = _cleaned(flag)
        with ended_by_signals():
            body(*([rest] if positional or pass_unknown else []))
    except UsageError as error:
        return _fail(name, str(error), WRONG_FLAGS, f" (flags: {name} --help)")
    except UserError as error:
        return _fail(name, str(error), FAILED)
    except HandedOver as handed_over:
        print(f"{name}: {handed_over}")  # noqa: T201
    except Interrupted as interrupted:
        return _fail(name, str(interrupted), interrupted.status)
    except KeyboardInterrupt:
        return _fail(name, "interrupted", INTERRUPTED)
    except BrokenPipeError:
        raise
    except Exception as error:
        message = _file_trouble(error)
        if message is None or os.environ.get(TRACEBACK_VARIABLE):
            raise
        return _fail(name, message, FAILED)
    return DONE


def _cleaned(flag: flags.Flag[Any]) -> Any:
    """The flag's value; of a path with `~` replaced, which a shell leaves alone after `=`.

    Raises:
        UserError: it is NaN, which passes absl's bounds, or a path on a file system that avinst does not read.
    """
    if isinstance(flag.value, float) and math.isnan(flag.value):
        raise UsageError(f"flag --{flag.name}={flag.value}: expected a number")
    if not flag.name.endswith(_NAMES_OF_PATHS):
        return flag.value
    if isinstance(flag.value, list):
        return [_as_path(part) for part in flag.value]
    return _as_path(flag.value) if flag.value else flag.value


def _as_path(text: str) -> str:
    return check_scheme(os.path.expanduser(text))  # noqa: PTH111  # pathlib spoils gs://


def _file_trouble(error: Exception) -> str | None:
    """One line for what the file system refused; None for errors that are no user's business."""
    advice = f"check the path, its permissions and the free space ({TRACEBACK_VARIABLE}=1 shows where it arose)"
    if isinstance(error, OSError) and error.strerror:
        file = error.filename2 or error.filename
        return f"{error.strerror}{f': {file!r}' if file else ''}; {advice}"
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is not None and isinstance(error, tensorflow.errors.OpError):
        if error.message.startswith("File system scheme"):
            return f"{error.message}; this TensorFlow has no access to it: use a local path or gs://"
        if error.message.startswith(_HTTP_TROUBLE):
            found = " ".join(error.message.split())
            return (
                f"Cloud Storage cannot be asked: {found}; check the network, the bucket's name and credentials "
                f"(gcloud auth application-default login; {TRACEBACK_VARIABLE}=1 shows where it arose)"
            )
        kinds = {
            tensorflow.errors.NotFoundError: "not found",
            tensorflow.errors.PermissionDeniedError: "permission denied",
            tensorflow.errors.DataLossError: "damaged file, make it again",
            tensorflow.errors.ResourceExhaustedError: "out of memory or space, free some or take smaller batches",
        }
        for kind, meaning in kinds.items():
            if isinstance(error, kind):
                return f"{meaning}: {error.message.splitlines()[0]}; {advice}"
    return None


def define_settings(kind: type, flag_values: flags.FlagValues) -> dict[str, flags.FlagHolder[Any]]:
    """Defines a flag for each field of a dataclass: its type is that of the default, its help in the metadata.

    Args:
        kind: a dataclass whose fields have defaults and the metadata `help` and, where few values are allowed,
            `choices`.
        flag_values: the command's flags.

    Returns:
        Field name to the flag's holder.
    """
    define: dict[type, Any] = {
        bool: flags.DEFINE_bool,
        int: flags.DEFINE_integer,
        float: flags.DEFINE_float,
        str: flags.DEFINE_string,
    }
    holders = {}
    for field in dataclasses.fields(kind):
        default: Any = field.default
        text, choices = field.metadata["help"], field.metadata.get("choices")
        if choices:
            holder = flags.DEFINE_enum(field.name, default, list(choices), text, flag_values=flag_values)
        else:
            holder = define[type(default)](field.name, default, text, flag_values=flag_values)
        holders[field.name] = holder
    return holders


def required(holder: flags.FlagHolder) -> str:
    """The flag's value; raises UsageError where it was not given."""
    if not holder.value:
        raise UsageError(f"--{holder.name} is missing")
    return str(holder.value)


def _fail(name: str, message: str, status: int, hint: str = "") -> int:
    sys.stdout.flush()
    print(f"{name}: {' '.join(message.split())}{hint}", file=sys.stderr)  # noqa: T201
    return status


def _command_name(body: Callable[..., Any]) -> str:
    from avinst.cli import COMMANDS

    module = sys.modules[body.__module__]
    path = module.__spec__.name if module.__spec__ else body.__module__
    names = {command.module: name for name, command in COMMANDS.items()}
    return f"avinst {names[path]}" if path in names else path


def _help(name: str, body: Callable[..., Any], flag_values: flags.FlagValues, positional: str) -> str:
    doc = (sys.modules[body.__module__].__doc__ or "").strip()
    lines = [doc, "", f"usage: {name} [--flag=value ...] {positional}".rstrip(), "", "flags:"]
    for flag in (flag_values[flag_name] for flag_name in flag_values):
        default = flag.default_as_str.strip("'") if flag.default_as_str else ""
        text = f"--{flag.name}: {flag.help}{f' (default: {default})' if default else ''}"
        lines += textwrap.wrap(text, 110, initial_indent="  ", subsequent_indent=" " * 6)
    lines.append("  --flagfile: reads flags from a file, one a line")
    return "\n".join(lines)
