import threading
import time
import types

import apache_beam as beam
import pytest

from avinst.dataset import SHARDS_FOLDER
from avinst.errors import UsageError
from beam_pipelines.job import run_job
from beam_pipelines.resuming import DATASET
from beam_pipelines.runner import check_beam_flags, make_pipeline, run_to_end


def test_beams_own_flags_pass():
    flags = [
        "--runner=DataflowRunner",
        "--project=p",
        "--no_auth",
        "--temp_location=gs://b/t",
        "--machine_type=n1-standard-4",
    ]
    check_beam_flags(flags)


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--frame_sise=3", "unknown flag --frame_sise"),
        ("--runer=X", "did you mean --runner"),
        ("x", "unexpected"),
        ("--runner", "--runner has no value"),
    ],
)
def test_other_flags_are_refused(flag, message):
    with pytest.raises(UsageError, match=message):
        check_beam_flags([flag])


@pytest.mark.parametrize(("workers", "elements", "threads"), [(3, 0, 3), (3, 100, 3), (500, 3, 3)])
def test_the_default_runs_in_this_process_with_threads(workers, elements, threads):
    from apache_beam.options.pipeline_options import DirectOptions
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner

    pipeline = make_pipeline([], workers, elements)
    options = pipeline.options.view_as(DirectOptions)
    assert isinstance(pipeline.runner, FnApiRunner)
    assert (options.direct_running_mode, options.direct_num_workers) == ("multi_threading", threads)


class SlowToPickle:
    """Lets other threads in while it is written, for longer than the second after which Beam looks for data."""

    def __reduce__(self):
        time.sleep(1.2)
        return SlowToPickle, ()


@pytest.mark.parametrize("workers", [1, 2])
def test_elements_arrive_whole_however_long_they_take(workers, tmp_path):
    """As the rows of a long manifest do: then one of them is always being written when the second is over."""
    result = tmp_path / "result"
    pipeline = make_pipeline([], workers)
    (
        pipeline
        | beam.Create([1])
        | beam.Map(lambda number: ("key", ("before", SlowToPickle(), "after", number)))
        | beam.GroupByKey()
        | beam.Map(lambda group: result.write_text(repr([(value[0], *value[2:]) for value in group[1]])))
    )
    running = threading.Thread(target=run_to_end, args=(pipeline,), daemon=True)
    running.start()
    running.join(60)  # what reads half of an element may wait for the rest of it for ever
    assert not running.is_alive()
    assert result.read_text() == "[('before', 'after', 1)]"


def test_a_job_runs_in_a_notebook(tmp_path, monkeypatch):
    """There Beam would name steps after cells, and keep their temporary files."""
    shell = types.SimpleNamespace(config={"IPKernelApp": {}}, execution_count=1)
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    (tmp_path / SHARDS_FOLDER).mkdir()
    result = tmp_path / "result"
    pipeline = make_pipeline([], workers=1)

    def add(source, plan):
        return source | beam.Create(["made"]) | "Write" >> beam.Map(result.write_text)

    run_job(pipeline, add, DATASET, str(tmp_path), [])
    assert result.read_text() == "made"
    assert not (tmp_path / pipeline.local_tempdir).exists()
