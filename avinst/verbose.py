"""What --verbose adds on stderr: versions, settings, all messages; what a report of an error should hold."""

import contextlib
import logging
import os
import platform
import sys
from collections.abc import Iterator

from absl import flags

from avinst.machine import available_cores
from avinst.progress import tell

_PACKAGES = ("tensorflow", "keras", "tensorflow-io", "keras-cv", "apache-beam", "av", "numpy", "protobuf")
_FOLDERS = ("avinst", "beam_pipelines", "trainer", "analysis")
_LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


@contextlib.contextmanager
def messages(name: str, flag_values: flags.FlagValues) -> Iterator[None]:
    """Tells versions and settings, and lets avinst's and TensorFlow's messages through for as long as it lasts.

    Args:
        name: of the command.
        flag_values: its flags, parsed.
    """
    _tell_where_we_are(name, flag_values)
    before = os.environ.get(_LOG_LEVEL)
    os.environ[_LOG_LEVEL] = "0"
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s", "%H:%M:%S"))
    loggers = [logging.getLogger(folder) for folder in _FOLDERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
        os.environ.pop(_LOG_LEVEL)
        if before is not None:
            os.environ[_LOG_LEVEL] = before


def _tell_where_we_are(name: str, flag_values: flags.FlagValues) -> None:
    from avinst.versions import package_versions

    tell("versions: " + ", ".join(f"{package} {found}" for package, found in package_versions(_PACKAGES).items()))
    tell(f"machine:  {platform.platform()}, {available_cores()} CPU cores, {sys.executable}")
    tell(f"settings: {name} " + " ".join(f"--{flag}={flag_values[flag].value}" for flag in flag_values))
