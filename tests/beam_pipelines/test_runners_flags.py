"""Runners that are not there, not installed or cannot work: one line, at once, and nothing is lost."""

import socket
import sys
import types

import grpc
import pytest
from apache_beam.options.pipeline_options import DebugOptions, GoogleCloudOptions, PipelineOptions, SetupOptions
from prepare_jobs import SPEC, digests, job, write_videos

from avinst.errors import HandedOver, UsageError, UserError
from beam_pipelines import prepare as prepare_command
from beam_pipelines.beam_flags import check_beam_flags, check_workers_reach, runner_of
from beam_pipelines.preparing import prepare_dataset
from beam_pipelines.runner import describe_failure, make_pipeline, run_to_end

# Complete, so that Beam looks nothing up over the network.
DATAFLOW = [
    "--runner=DataflowRunner",
    "--project=a-project",
    "--region=europe-west4",
    "--temp_location=gs://a-bucket/temp",
    "--staging_location=gs://a-bucket/staging",
    "--no_auth",
]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return write_videos(tmp_path_factory.mktemp("videos"), 3)


@pytest.fixture(autouse=True)
def no_cloud(monkeypatch):
    """Beam asks the cloud how the buckets are set up; without a network that takes minutes."""
    monkeypatch.setattr(GoogleCloudOptions, "_warn_if_soft_delete_policy_enabled", lambda self, name: None)


@pytest.fixture
def closed_port():
    """A port of this machine on which nothing listens."""
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))  # taken, but not listening
        yield unheard.getsockname()[1]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--runner=PortableRunner", "--job_endpoint=127.0.0.1:{port}"],
            "no job server answers at --job_endpoint=",
        ),
        (["--runner=PortableRunner", "--job_endpoint=nowhere"], "expected HOST:PORT of the job server"),
        (["--runner=PortableRunner", "--job_endpoint=127.0.0.1:99999"], "no job server answers"),
        (["--runner=DaskRunner", "--dask_client_address=tcp://127.0.0.1:{port}"], "no Dask scheduler answers"),
        (
            ["--runner=DaskRunner", "--dask_client_address=tcp://nowhere"],
            "expected HOST:PORT of the Dask scheduler",
        ),
        (["--runner=NoSuchRunner"], "cannot use --runner=NoSuchRunner: Unexpected pipeline runner"),
        (["--runner=os.nothing"], "cannot use --runner=os.nothing"),
        (["--runner=no.such.module"], "cannot use --runner=no.such.module"),
        (["--runner=DataflowRunner"], "Dataflow's workers need one such as gs://"),
    ],
)
def test_a_runner_that_cannot_work_is_one_line_and_loses_nothing(
    manifest, tmp_path, capsys, closed_port, flags, message
):
    data_dir = tmp_path / "set"
    prepare_dataset(job(manifest, data_dir), SPEC)
    (data_dir / "dataset.json").unlink()  # unfinished: the command has to run
    before = digests(data_dir)
    argv = [f"--manifest={manifest}", f"--data_dir={data_dir}", "--videos_per_shard=2", "--frame_size=32"]
    capsys.readouterr()
    status = prepare_command.main(["avinst prepare", *argv, *(flag.format(port=closed_port) for flag in flags)])
    error = capsys.readouterr().err
    assert status == 1
    assert error.startswith("avinst prepare: ")
    assert message in error
    assert error.count("\n") == 1
    assert digests(data_dir) == before


def test_dask_that_is_not_installed(monkeypatch):
    for name in list(sys.modules):
        if name.startswith("apache_beam.runners.dask"):
            monkeypatch.delitem(sys.modules, name)
    for name in ("dask", "dask.bag", "dask.distributed"):
        monkeypatch.setitem(sys.modules, name, None)  # an import of it then fails
    with pytest.raises(UserError, match=r"Dask runner is not installed .*pip install 'avinst\[dask\]'"):
        make_pipeline(["--runner=DaskRunner"], workers=0)
    with pytest.raises(UserError, match="Dask runner is not installed"):
        check_beam_flags(["--dask_client_address=tcp://127.0.0.1:1"])


def test_dataflow_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam.runners.dataflow.dataflow_runner", None)
    with pytest.raises(UserError, match=r"Dataflow runner not available.*pip install 'avinst\[gcp\]'"):
        make_pipeline(DATAFLOW, workers=0)


def test_flags_that_dataflow_misses_are_named():
    with pytest.raises(UserError, match=r"cannot use --runner=DataflowRunner: .*project"):
        make_pipeline([flag for flag in DATAFLOW if "project" not in flag], workers=0)


@pytest.mark.parametrize(
    ("elements", "flags", "partitions"),
    [(5, [], 5), (300, [], 300), (10**6, [], 1000), (300, ["--dask_npartitions=7"], 7), (0, [], None)],
)
def test_dask_divides_the_work_by_the_number_of_rows(elements, flags, partitions):
    pytest.importorskip("dask", reason="needs avinst[dask]")
    from apache_beam.runners.dask.dask_runner import DaskOptions, DaskRunner

    pipeline = make_pipeline(["--runner=DaskRunner", *flags], workers=0, elements=elements)
    assert isinstance(pipeline.runner, DaskRunner)
    assert pipeline.options.view_as(DaskOptions).npartitions == partitions


def test_dask_partition_size_of_the_user_stays():
    pytest.importorskip("dask", reason="needs avinst[dask]")
    from apache_beam.runners.dask.dask_runner import DaskOptions

    pipeline = make_pipeline(["--runner=dask", "--dask_partition_size=3"], workers=0, elements=300)
    options = pipeline.options.view_as(DaskOptions)
    assert (options.npartitions, options.partition_size) == (None, 3)


def test_dataflow_gets_one_decoder_a_core_and_no_main_session():
    options = make_pipeline(DATAFLOW, workers=0).options
    assert options.view_as(DebugOptions).number_of_worker_harness_threads == 1
    assert options.view_as(SetupOptions).save_main_session is False
    options = make_pipeline([*DATAFLOW, "--number_of_worker_harness_threads=4"], workers=0).options
    assert options.view_as(DebugOptions).number_of_worker_harness_threads == 4


@pytest.mark.parametrize(
    ("flags", "runner"),
    [
        ([], ""),
        (["--project=p"], ""),
        (["--runner=DaskRunner"], "dask"),
        (["--runner=dask"], "dask"),
        (["--runner=apache_beam.runners.dask.dask_runner.DaskRunner"], "dask"),
        (["--runner=FlinkRunner", "--runner=DataflowRunner"], "dataflow"),
    ],
)
def test_the_runners_name_however_it_is_written(flags, runner):
    assert runner_of(flags) == runner


def test_what_dataflows_workers_could_not_reach_is_refused():
    remote = {"--media_root": "gs://b/videos", "--data_dir": "gs://b/set"}
    image = "--sdk_container_image=registry/avinst:1"
    check_workers_reach([*DATAFLOW, image], remote)
    check_workers_reach([*DATAFLOW, "--setup_file=./setup.py"], remote)
    check_workers_reach([*DATAFLOW, "--extra_packages=avinst.whl"], remote)
    check_workers_reach(["--runner=PortableRunner"], {"--data_dir": "set"})
    with pytest.raises(UserError, match="--data_dir=set is on this machine"):
        check_workers_reach([*DATAFLOW, image], remote | {"--data_dir": "set"})
    for missing in ([], ["--sdk_container_image="]):
        with pytest.raises(UserError, match="--sdk_container_image=IMAGE"):
            check_workers_reach([*DATAFLOW, *missing], remote)
    with pytest.raises(UserError, match=r"--temp_location=/tmp/x; Dataflow needs a place such as gs://BUCKET"):
        check_workers_reach([*DATAFLOW, image, "--temp_location=/tmp/x"], remote)


def test_dask_flags_are_checked_too():
    pytest.importorskip("dask", reason="needs avinst[dask]")
    check_beam_flags(["--runner=DaskRunner", "--dask_client_address=tcp://127.0.0.1:1", "--dask_npartitions=3"])
    with pytest.raises(UsageError, match="did you mean --dask_npartitions"):
        check_beam_flags(["--runner=DaskRunner", "--dask_npartition=3"])


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            RuntimeError("where\n  File x\nOSError: disk full [while running 'Write shard']\n"),
            "OSError: disk full",
        ),
        (TimeoutError(), "TimeoutError"),
        (RuntimeError("<Error of RPC:\n  details = no threads left\n>"), "details = no threads left"),
    ],
)
def test_a_failure_is_told_by_its_last_line(error, line):
    assert describe_failure(error).startswith(line)
    assert "\n" not in describe_failure(error)


def test_a_failure_of_a_server_is_told_by_its_details():
    class ServerError(grpc.RpcError, grpc.Call):
        def code(self):
            return grpc.StatusCode.UNAVAILABLE

        def details(self):
            return "Socket closed"

        def __str__(self):
            return "<ServerError of RPC\n>"

    ServerError.__abstractmethods__ = frozenset()
    assert describe_failure(ServerError()) == "the runner's server: UNAVAILABLE, Socket closed"


def test_whatever_a_runner_raises_is_one_line_until_a_run_succeeds(manifest, tmp_path, monkeypatch):
    class WorkerLostError(Exception):
        """As Dask's: no RuntimeError."""

    def fail(pipeline):
        raise WorkerLostError("worker died")

    prepare_dataset(job(manifest, tmp_path / "undisturbed"), SPEC)
    with monkeypatch.context() as patch:
        patch.setattr("beam_pipelines.job.run_to_end", fail)
        with pytest.raises(
            UserError, match=r"the job failed: worker died; the whole message is in .*failure\.txt"
        ):
            prepare_dataset(job(manifest, tmp_path / "set"), SPEC)
    assert "WorkerLostError" in (tmp_path / "set" / "failure.txt").read_text()
    prepare_dataset(job(manifest, tmp_path / "set"), SPEC)
    assert digests(tmp_path / "set") == digests(tmp_path / "undisturbed")


def test_dasks_client_is_closed_whatever_happens():
    closed = []

    def wait_until_finish():
        raise OSError("lost")

    client = types.SimpleNamespace(close=lambda: closed.append(True))
    result = types.SimpleNamespace(client=client, wait_until_finish=wait_until_finish)
    with pytest.raises(OSError, match="lost"):
        run_to_end(types.SimpleNamespace(run=lambda: result, runner=None, options=PipelineOptions([])))
    assert closed == [True]


@pytest.mark.parametrize("flag", ["--no_wait_until_finish", "--template_location=gs://bucket/job_object"])
def test_what_is_handed_over_is_not_waited_for(flag):
    """As a flex template's launcher demands it; what has been built would be lost to an error or to waiting."""

    def wait_until_finish():
        raise AssertionError("waited")

    result = types.SimpleNamespace(wait_until_finish=wait_until_finish)
    pipeline = types.SimpleNamespace(run=lambda: result, runner=None, options=PipelineOptions([flag]))
    with pytest.raises(HandedOver, match="run the same command again without the runner's flags"):
        run_to_end(pipeline)


@pytest.mark.parametrize("runner", [[], ["--runner=DirectRunner"]])
def test_in_this_process_there_is_nobody_to_hand_over_to(manifest, tmp_path, runner):
    dataset = prepare_dataset(job(manifest, tmp_path / "set"), SPEC, [*runner, "--no_wait_until_finish"])
    assert sum(dataset.recordings.values()) == 3
