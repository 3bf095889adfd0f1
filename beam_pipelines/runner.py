"""How a pipeline is run: in this process by default, by any Beam runner through Beam's own flags."""

import contextlib
import importlib
import logging
from collections.abc import Iterator, Sequence
from unittest import mock

import apache_beam as beam
import grpc
from apache_beam.options.pipeline_options import (
    DebugOptions,
    GoogleCloudOptions,
    PipelineOptions,
    SetupOptions,
    StandardOptions,
)
from apache_beam.runners.portability.fn_api_runner import FnApiRunner, worker_handlers
from apache_beam.runners.worker import sdk_worker
from apache_beam.utils import interactive_utils

from avinst.errors import HandedOver, UserError
from avinst.machine import available_cores
from beam_pipelines.beam_flags import check_beam_flags, runner_of
from beam_pipelines.endpoints import check_endpoints

_IN_THIS_PROCESS = ("apache_beam.runners.portability.fn_api_runner", "apache_beam.runners.direct")
_DASK = "apache_beam.runners.dask.dask_runner"
# Dask's shuffle makes about partitions x sqrt(partitions) tasks: at a thousand, a minute of its scheduler's time.
_MAX_DASK_PARTITIONS = 1000


def make_pipeline(beam_flags: Sequence[str], workers: int, elements: int = 0) -> beam.Pipeline:
    """A pipeline for the runner that the flags name; nothing is sent to it yet.

    Args:
        beam_flags: flags for Beam, such as --runner=DataflowRunner.
        workers: threads of the in-process runner; 0 for one per core. Other runners have flags of their own.
        elements: how many elements the pipeline begins with, 0 if unknown: more threads would have nothing to
            do, and Dask divides the work by it.

    Raises:
        UsageError: a flag is none of Beam's.
        UserError: there is no such runner, it is not installed, nothing answers at its address, or it lacks flags.
    """
    check_beam_flags(beam_flags)
    options = PipelineOptions(list(beam_flags))
    runner = runner_of(beam_flags)
    if not runner:
        # By name, for DirectRunner first looks for a Go runner to download.
        threads = workers or available_cores()
        threads = min(threads, elements) if elements else threads
        local = ["--direct_running_mode=multi_threading", f"--direct_num_workers={threads}"]
        return beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions([*beam_flags, *local]))
    check_endpoints(options)
    _fill_in(options, runner, elements)
    try:
        return beam.Pipeline(options=options)
    except Exception as error:  # each runner checks its options in its own way, Dataflow's over the network
        extra = "; pip install 'avinst[gcp]'" if runner == "dataflow" and isinstance(error, ImportError) else ""
        message = " ".join(str(error).split())
        raise UserError(
            f"cannot use --runner={options.view_as(StandardOptions).runner}: {message}{extra}"
        ) from error


def run_to_end(pipeline: beam.Pipeline) -> None:
    """Runs the pipeline and waits for it; raises whatever the runner raises.

    Raises:
        HandedOver: the flags say that nobody waits (--no_wait_until_finish) or that the job is only described
            (--template_location, by which a flex template's launcher has a job built that Dataflow then starts).
    """
    with _quiet_if_local(pipeline), _whole_elements():
        result = pipeline.run()
        if _is_handed_over(pipeline):
            raise HandedOver(
                "the job is the runner's now; when it has ended, run the same command again without the runner's "
                "flags: it checks what was written and finishes, or makes what is missing"
            )
        try:
            result.wait_until_finish()
        finally:
            client = getattr(result, "client", None)
            if client is not None:
                client.close()  # Dask's: left open, it takes over every later use of Dask in this process


@contextlib.contextmanager
def as_outside_of_notebooks() -> Iterator[None]:
    """Lets Beam build and run a pipeline in a notebook as it does anywhere else.

    There it would name steps after cells, by means of its interactive environment, which needs packages that
    nothing else here needs; and it would leave the pipeline's temporary directory to that environment.
    """
    with contextlib.ExitStack() as patches:
        for module in (interactive_utils, beam.pipeline):
            patches.enter_context(mock.patch.object(module, "is_in_ipython", return_value=False))
        yield


def _is_handed_over(pipeline: beam.Pipeline) -> bool:
    options = pipeline.options
    if type(pipeline.runner).__module__.startswith(_IN_THIS_PROCESS):
        return False  # done when it returns, whether anybody wants to wait or not
    waits = not options.view_as(StandardOptions).no_wait_until_finish
    return not waits or bool(options.view_as(GoogleCloudOptions).template_location)


@contextlib.contextmanager
def _quiet_if_local(pipeline: beam.Pipeline) -> Iterator[None]:
    """Keeps the in-process runner from logging the traceback of an error in each layer: it is raised too."""
    if not isinstance(pipeline.runner, FnApiRunner):
        yield
        return
    log = logging.getLogger("apache_beam")
    before = log.level
    log.setLevel(logging.CRITICAL)
    # Its worker threads print the traceback besides logging it.
    with mock.patch.object(sdk_worker, "print", mock.Mock(), create=True):
        try:
            yield
        finally:
            log.setLevel(before)


@contextlib.contextmanager
def _whole_elements() -> Iterator[None]:
    """Keeps the in-process runner from sending half of an element.

    Once a second a thread of its own takes what has been written so far, also from the midst of an element whose
    pickling lets other threads in. The reader then finds None for rows, or a count of billions: manifests of some
    ten thousand rows failed, or filled the memory. Without a time limit it sends by size, between elements.
    """
    with mock.patch.object(worker_handlers, "DATA_BUFFER_TIME_LIMIT_MS", 0):
        yield


def describe_failure(error: Exception) -> str:
    """One line for what a runner raised: its last line says what happened, those above say where."""
    if isinstance(error, grpc.RpcError) and isinstance(error, grpc.Call):
        return f"the runner's server: {error.code().name}, {error.details()}"
    lines = [line.strip() for line in str(error).splitlines() if any(map(str.isalnum, line))]
    return lines[-1] if lines else type(error).__name__


def _fill_in(options: PipelineOptions, runner: str, elements: int) -> None:
    """Sets what the user left open and the runner's own default is wrong for."""
    setup = options.view_as(SetupOptions)
    if setup.save_main_session is None:
        setup.save_main_session = False  # all that workers run is importable; the session holds nothing they need
    # Beam would send a list of this machine's packages along, with local paths in it; no worker reads it.
    options.view_as(DebugOptions).add_experiment("disable_logging_submission_environment")
    if runner == "dask":
        options.view_as(StandardOptions).runner = f"{_DASK}.DaskRunner"  # Beam's list of short names lacks it
        dask = options.view_as(importlib.import_module(_DASK).DaskOptions)
        if elements and not dask.npartitions and not dask.partition_size:
            # Its own is one partition for each 128 elements: a hundred videos would be one worker's.
            dask.npartitions = min(elements, _MAX_DASK_PARTITIONS)
    if runner == "dataflow" and options.view_as(DebugOptions).number_of_worker_harness_threads is None:
        # Dataflow starts a process for each core; its twelve threads would be twelve decoders for that core.
        options.view_as(DebugOptions).number_of_worker_harness_threads = 1
