"""How a pipeline is run: in this process by default, by any Beam runner through Beam's own flags."""

import argparse
import difflib
from collections.abc import Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from avinst.errors import UsageError
from avinst.machine import available_cores


def make_pipeline(beam_flags: Sequence[str], workers: int) -> beam.Pipeline:
    """A pipeline for the runner that the flags name.

    Args:
        beam_flags: flags for Beam, such as --runner=DataflowRunner.
        workers: threads of the in-process runner; 0 for one per core. Other runners have flags of their own.

    Raises:
        UsageError: a flag is none of Beam's.
    """
    check_beam_flags(beam_flags)
    options = PipelineOptions(list(beam_flags))
    if any(flag.split("=")[0] == "--runner" for flag in beam_flags):
        return beam.Pipeline(options=options)
    # By name, for DirectRunner first looks for a Go runner to download.
    local = PipelineOptions(
        [
            *beam_flags,
            "--direct_running_mode=multi_threading",
            f"--direct_num_workers={workers or available_cores()}",
        ]
    )
    return beam.Pipeline(runner=FnApiRunner(), options=local)


def check_beam_flags(beam_flags: Sequence[str]) -> None:
    """Refuses what is none of Beam's flags; Beam itself would drop a misspelt one with no more than a warning.

    Raises:
        UsageError: with the nearest name that Beam knows.
    """
    parser = argparse.ArgumentParser(allow_abbrev=False, add_help=False, exit_on_error=False)
    for options in [PipelineOptions, *PipelineOptions.__subclasses__()]:
        options._add_argparse_args(parser)  # Beam's hook for extending options; there is no public reader
    known = {name for action in parser._actions for name in action.option_strings}
    for flag in beam_flags:
        name = flag.split("=")[0]
        if name.startswith("-") and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "it is neither avinst's nor Beam's"
            raise UsageError(f"unknown flag {name}; {hint}")
        if not name.startswith("-"):
            raise UsageError(f"unexpected argument {flag!r}; flags are written --name=value")
