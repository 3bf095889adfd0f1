"""Checks the flags that go to Beam, before any work: names, the runner's packages, what its workers will need."""

import argparse
import importlib
from collections.abc import Mapping, Sequence

from apache_beam.options.pipeline_options import PipelineOptions

from avinst import paths
from avinst.errors import UsageError, UserError
from avinst.nearest import hint

# Any of these can bring avinst to a worker on another machine.
_CODE_FLAGS = ("--sdk_container_image", "--setup_file", "--extra_package", "--requirements_file")


def runner_of(beam_flags: Sequence[str]) -> str:
    """The runner's name in lower case, without module and without `runner`: `dask`, `dataflow`; empty if none."""
    values = [flag.partition("=")[2] for flag in beam_flags if flag.partition("=")[0] == "--runner"]
    return values[-1].rpartition(".")[2].lower().removesuffix("runner") if values else ""


def known_flags() -> dict[str, argparse.Action]:
    """Every flag that Beam and its imported runners know, such as `--project`, and how it is parsed."""
    parser = argparse.ArgumentParser(allow_abbrev=False, add_help=False, exit_on_error=False)
    for options in [PipelineOptions, *PipelineOptions.__subclasses__()]:
        options._add_argparse_args(parser)  # Beam's hook for extending options; there is no public reader
    return {name: action for action in parser._actions for name in action.option_strings}


def check_beam_flags(beam_flags: Sequence[str], own: Sequence[str] = ()) -> None:
    """Refuses what is none of Beam's flags; Beam itself would drop a misspelt one with no more than a warning.

    Args:
        beam_flags: what the command itself does not know.
        own: names of the command's own flags, for it may be one of them that is misspelt.

    Raises:
        UsageError: with the nearest name that Beam knows.
        UserError: the flags ask for Dask and it is not installed.
    """
    if runner_of(beam_flags) == "dask" or any(flag.startswith("--dask_") for flag in beam_flags):
        try:
            importlib.import_module("apache_beam.runners.dask.dask_runner")  # its flags exist once it is imported
        except ImportError as error:
            raise UserError(f"the Dask runner is not installed ({error}); pip install 'avinst[dask]'") from error
    known = known_flags()
    for flag in beam_flags:
        name = flag.split("=")[0]
        if name.startswith("-") and name not in known:
            near = hint(name, [*(f"--{flag}" for flag in own), *known], "it is neither avinst's nor Beam's")
            raise UsageError(f"unknown flag {name}; {near}")
        if not name.startswith("-") or (name == flag and known[name].nargs != 0):
            what = f"{name} has no value" if name.startswith("-") else f"unexpected argument {flag!r}"
            raise UsageError(f"{what}; flags are written --name=value")


def check_workers_reach(beam_flags: Sequence[str], folders: Mapping[str, str]) -> None:
    """Refuses at once what could only fail on Dataflow's workers, minutes and a bill later.

    Args:
        beam_flags: flags for Beam.
        folders: avinst's flag to the folder that workers read or write.

    Raises:
        UserError: a folder is of this machine only, or nothing brings avinst to the workers.
    """
    if runner_of(beam_flags) != "dataflow":
        return
    for flag, folder in folders.items():
        if not paths.is_remote(folder):
            raise UserError(
                f"{flag}={folder} is on this machine; Dataflow's workers need one such as gs://BUCKET/..."
            )
    for name in ("--temp_location", "--staging_location"):
        places = [flag.partition("=")[2] for flag in beam_flags if flag.partition("=")[0] == name]
        if places and not paths.is_remote(places[-1]):
            raise UserError(f"{name}={places[-1]}; Dataflow needs a place such as gs://BUCKET/...")
    given = [flag.partition("=")[0].removesuffix("s") for flag in beam_flags if flag.partition("=")[2]]
    if not any(name in _CODE_FLAGS for name in given):
        raise UserError(
            "Dataflow's workers need avinst and its packages: give an image that holds them with "
            "--sdk_container_image=IMAGE"
        )
