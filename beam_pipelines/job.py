"""Runs a job's pipeline into a directory of results, with progress; a failure becomes one line and a file."""

import traceback
from collections.abc import Sequence

import apache_beam as beam

from avinst import paths
from avinst.errors import UserError
from beam_pipelines.layout import Shard
from beam_pipelines.results import FAILURE_FILE, ResultsKind
from beam_pipelines.runner import describe_failure, run_to_end
from beam_pipelines.watching import watching


def run_job(pipeline: beam.Pipeline, kind: ResultsKind, directory: str, shards: Sequence[Shard]) -> None:
    """Runs the pipeline to its end, with progress.

    Raises:
        UserError: whatever the runner raised for a failed worker, as one line; the whole of it is in a file.
    """
    try:
        with watching(kind, directory, shards):
            run_to_end(pipeline)
    except Exception as error:  # each runner has error types of its own, Dask even those of its workers
        file = paths.join(directory, FAILURE_FILE)
        paths.write_text(file, traceback.format_exc())
        raise UserError(
            f"the job failed: {describe_failure(error)}; the whole message is in {file!r}; what was done stays: "
            "mend the cause and run the same command again"
        ) from error
