import pytest

from avinst.errors import UsageError
from beam_pipelines.runner import check_beam_flags, make_pipeline


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
