"""Runs a job's pipeline into a directory of results, with progress; a failure becomes one line and a file."""

import traceback
from collections.abc import Callable, Sequence

import apache_beam as beam

from avinst import paths
from avinst.errors import UserError
from beam_pipelines.layout import Shard
from beam_pipelines.plan import Plan, remove_plan, write_plan
from beam_pipelines.results import FAILURE_FILE, ResultsKind
from beam_pipelines.runner import as_outside_of_notebooks, describe_failure, run_to_end
from beam_pipelines.watching import watching


def run_job(
    pipeline: beam.Pipeline,
    add: Callable[[beam.Pipeline, Plan], object],
    kind: ResultsKind,
    directory: str,
    shards: Sequence[Shard],
) -> None:
    """Writes the plan, runs the pipeline to its end with progress, and takes the plan away again.

    Args:
        pipeline: as `make_pipeline` gives it.
        add: adds the job's chain to it.
        kind: of the directory.
        directory: where the job writes.
        shards: the units of work.

    Raises:
        UserError: whatever the runner raised for a failed worker, as one line; the whole of it is in a file.
        HandedOver: nobody waits for the job, whose workers need the plan.
    """
    plan = write_plan(directory, shards)
    with as_outside_of_notebooks():
        add(pipeline, plan)
        try:
            with watching(kind, directory, shards):
                run_to_end(pipeline)
        except Exception as error:  # each runner has error types of its own, Dask even those of its workers
            file = paths.join(directory, FAILURE_FILE)
            paths.write_text(file, traceback.format_exc())
            raise UserError(
                f"the job failed: {describe_failure(error)}; the whole message is in {file!r}; what was done "
                "stays: mend the cause and run the same command again"
            ) from error
    remove_plan(plan)
