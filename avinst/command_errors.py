"""Errors of flags and of the file system in one line each, with what to do."""

import re
import sys

from absl import flags

from avinst.command_flags import FlagFacts, facts
from avinst.nearest import expected, hint

# Set to anything, it lets errors of the file system pass with their traceback.
TRACEBACK_VARIABLE = "AVINST_TRACEBACK"
# What TensorFlow says of a host that it cannot reach, or that refuses it; of several types.
_HTTP_TROUBLE = "Error executing an HTTP request"


def flag_trouble(error: flags.Error, flag_values: flags.FlagValues) -> str:
    """What is wrong with the flags, with the nearest flag or value that is right."""
    if isinstance(error, flags.UnrecognizedFlagError):
        name = f"--{error.flagname}"
        known = [f"--{known}" for known in flag_values]
        if name.startswith("--no"):
            known += [f"--no{known}" for known in flag_values if flag_values[known].boolean]
        near = hint(name, known)
        return f"unknown flag {name}" + (f"; {near}" if near else "")
    wrong = re.match(r"flag --(\w+)=(.*?): ", str(error))
    if isinstance(error, flags.IllegalFlagValueError) and wrong and wrong[1] in flag_values:
        flag = facts(flag_values[wrong[1]])
        advice = expected(wrong[2], flag.choices) if flag.choices else f"expected {_kind_in_words(flag)}"
        return f"--{flag.name}={wrong[2]}: {advice}"
    return str(error).removeprefix("ERROR:: ")  # absl's, of a --flagfile that is not there


def _kind_in_words(flag: FlagFacts) -> str:
    kind = {"int": "a whole number", "float": "a number", "bool": "true or false"}.get(flag.kind, flag.kind)
    return f"{kind}, {flag.bounds}" if flag.bounds else kind


def file_trouble(error: Exception) -> str | None:
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
