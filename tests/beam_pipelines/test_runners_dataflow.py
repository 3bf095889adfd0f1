"""The request that would go to Dataflow, built without a network: image, machines, limits, nothing local in it."""

import base64
import bz2
import importlib
import json
import pickletools
import re
import tempfile
import zlib

import pytest
from apache_beam.portability.api import beam_runner_api_pb2
from dataflow_stubs import NotSentError, stub_dataflow
from prepare_jobs import REPOSITORY, SPEC

from avinst.dataset import SHARDS_FOLDER
from avinst.manifests.rows import ManifestRow
from avinst.media.segments import DecodeLimits
from beam_pipelines.beam_flags import check_beam_flags
from beam_pipelines.layout import label_names, lay_out, lay_out_in_order
from beam_pipelines.plan import plan_name, write_plan
from beam_pipelines.prediction_pipeline import add_predict
from beam_pipelines.prediction_work import PredictionWork
from beam_pipelines.preparation_pipeline import PreparationWork, add_prepare
from beam_pipelines.runner import make_pipeline

IMAGE = "europe-west4-docker.pkg.dev/a-project/avinst/avinst:0.1.0"
FLAGS = [
    "--runner=DataflowRunner",
    "--project=a-project",
    "--region=europe-west4",
    "--temp_location=gs://a-bucket/temp",
    "--staging_location=gs://a-bucket/staging",
    "--job_name=prepare-videos",
    f"--sdk_container_image={IMAGE}",
    "--sdk_location=container",
    "--machine_type=n2-standard-8",
    "--num_workers=3",
    "--max_num_workers=40",
    "--autoscaling_algorithm=THROUGHPUT_BASED",
    "--disk_size_gb=70",
    "--dataflow_service_options=enable_prime",
    "--experiments=use_sibling_sdk_workers",
    "--no_auth",
]
MEDIA_ROOT, DATA_DIR = "gs://a-bucket/videos", "gs://a-bucket/dataset"
MODEL_DIR = "gs://a-bucket/model"
CHAIN = {"beam_pipelines.chain", "beam_pipelines.preparation_pipeline", "beam_pipelines.prediction_pipeline"}


def planned(shards):
    """The plan as it would be in the bucket."""
    with tempfile.TemporaryDirectory() as folder:
        plan = write_plan(folder, shards)
    return plan._replace(file=f"{DATA_DIR}/{SHARDS_FOLDER}/{plan_name(shards)}")


def add_prediction(pipeline, rows):
    shards = lay_out_in_order(rows, "part", 2, lambda ordered: "fingerprint")
    work = PredictionWork(MODEL_DIR, "model", MEDIA_ROOT, DATA_DIR, DecodeLimits(), 32, "csv", True, False)
    add_predict(pipeline, planned(shards), work)


def add_preparation(pipeline, rows):
    labels = label_names(rows)
    shards = lay_out(rows, ["train"] * len(rows), SPEC, labels, 2)
    add_prepare(pipeline, planned(shards), PreparationWork(SPEC, labels, MEDIA_ROOT, DATA_DIR, DecodeLimits()))


def request_of(monkeypatch, flags, videos=20, add_job=add_preparation):
    """The job request and the pipeline that it refers to."""
    submitted, staged = stub_dataflow(monkeypatch)
    from apache_beam.runners.dataflow.dataflow_runner import DataflowRunner

    rows = [ManifestRow(f"{n}.mp4", ("x",), f"v{n}", group=f"v{n}") for n in range(videos)]
    pipeline = make_pipeline(flags, workers=0, elements=videos)
    assert isinstance(pipeline.runner, DataflowRunner)
    add_job(pipeline, rows)
    with pytest.raises(NotSentError):
        pipeline.run()
    return submitted[0].proto, submitted[0].proto_pipeline, staged


@pytest.fixture(scope="module", params=[add_preparation, add_prediction], ids=["prepare", "predict"])
def request_and_pipeline(request):
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield request_of(monkeypatch, FLAGS, add_job=request.param)


def text_of(message):
    from google.protobuf import json_format

    return json_format.MessageToJson(getattr(type(message), "pb", lambda m: m)(message))


def test_the_flags_are_beams():
    check_beam_flags(FLAGS)


def test_machines_are_those_of_the_flags(request_and_pipeline):
    job, _, _ = request_and_pipeline
    (pool,) = [pool for pool in job.environment.worker_pools if pool.kind == "harness"]
    assert job.name == "prepare-videos"
    assert pool.machine_type == "n2-standard-8"
    assert pool.num_workers == 3
    assert pool.autoscaling_settings.max_num_workers == 40
    assert "BASIC" in pool.autoscaling_settings.algorithm.name
    assert pool.disk_size_gb == 70
    assert "enable_prime" in list(job.environment.service_options)
    assert job.environment.temp_storage_prefix.endswith("a-bucket/temp") or "a-bucket/temp" in text_of(job)


def test_the_request_does_not_grow_with_the_manifest(monkeypatch, request_and_pipeline):
    """Dataflow takes requests of 20 MB; the shards are in the staged pipeline that the request refers to."""
    small, small_pipeline, _ = request_and_pipeline
    large, large_pipeline, _ = request_of(monkeypatch, FLAGS, videos=2000)
    assert abs(len(text_of(large)) - len(text_of(small))) < 100  # job ids and times
    assert large_pipeline.ByteSize() > small_pipeline.ByteSize() + 1000


def test_workers_run_avinsts_image(request_and_pipeline):
    job, pipeline, _ = request_and_pipeline
    (pool,) = [pool for pool in job.environment.worker_pools if pool.kind == "harness"]
    assert {image.container_image for image in pool.sdk_harness_container_images} == {IMAGE}
    images = set()
    for environment in pipeline.components.environments.values():
        images.add(beam_runner_api_pb2.DockerPayload.FromString(environment.payload).container_image)
        assert not environment.dependencies  # no session, no package: the image holds all
    assert images == {IMAGE}


def test_worker_options_are_the_flags_and_ours(request_and_pipeline):
    job, _, _ = request_and_pipeline
    text = text_of(job)
    options = json.loads(text)["environment"]["sdkPipelineOptions"]["options"]
    assert "use_sibling_sdk_workers" in options["experiments"]
    assert options["number_of_worker_harness_threads"] == 1  # one decoder a process, a process a core
    assert options["save_main_session"] is False


def unpacked(payload):
    """The pickle within a Beam payload."""
    raw = base64.b64decode(payload)
    for unpack in (zlib.decompress, bz2.decompress):
        try:
            return unpack(raw)
        except (zlib.error, OSError):
            continue
    return raw


def functions_of(pipeline):
    """Transform's name to the pickle of its DoFn."""
    return {
        transform.unique_name: unpacked(
            beam_runner_api_pb2.ParDoPayload.FromString(transform.spec.payload).do_fn.payload
        )
        for transform in pipeline.components.transforms.values()
        if transform.spec.urn == "beam:transform:pardo:v1"
    }


def names_in(raw):
    """(module, name) of all that a pickle finds by name."""
    found, strings = set(), []
    for opcode, argument, _ in pickletools.genops(raw):
        if opcode.name == "GLOBAL":
            found.add(tuple(argument.split(" ", 1)))
        elif "UNICODE" in opcode.name:
            strings.append(argument)
        elif opcode.name == "STACK_GLOBAL":
            found.add((strings[-2], strings[-1]))
    return found


def test_nothing_of_this_machine_is_in_the_request(request_and_pipeline):
    job, pipeline, staged = request_and_pipeline
    functions = b"".join(functions_of(pipeline).values()).decode("latin-1")
    everything = text_of(job) + pipeline.SerializeToString().decode("latin-1") + functions
    # Names of Beam's own source files stay: its wrappers of functions travel with the lines that they are from.
    everything = re.sub(r"[\w./@+-]*/apache_beam/[\w./-]+\.py", "", everything)
    assert str(REPOSITORY) not in everything
    assert not re.search(r"(?<![\w/.:-])/(?:home|root|Users|tmp|work|var)/", everything)
    assert DATA_DIR in functions
    assert MEDIA_ROOT in functions
    assert [name.rpartition("/")[2] for name in staged] == ["pipeline.pb"]


def test_all_that_workers_unpickle_is_importable(request_and_pipeline):
    """Functions travel by name: a worker whose image holds avinst finds them; our code is not in the request."""
    _, pipeline, _ = request_and_pipeline
    functions = functions_of(pipeline)
    for name in ("Read rows", "Leave out done", "Write shard"):
        (raw,) = [raw for label, raw in functions.items() if label.startswith(name)]
        assert CHAIN & {module for module, _ in names_in(raw)}
    modules = {module for raw in functions.values() for module, _ in names_in(raw)}
    assert "__main__" not in modules
    assert not any(module.startswith(("tests", "test_", "prepare_jobs")) for module in modules)
    for module in modules:
        if module.partition(".")[0] in ("avinst", "beam_pipelines"):
            importlib.import_module(module)


def test_the_graph_holds_no_rows_and_stays_small(monkeypatch):
    """Dataflow takes graphs of 10 MB, and requests of 20 MB: of two videos a shard, 100 bytes a shard here."""
    job, pipeline, _ = request_of(monkeypatch, FLAGS, videos=5000)
    assert len(text_of(job)) < 2**20
    serialized = pipeline.SerializeToString()
    assert len(serialized) < 100 * 2500 + 50_000
    assert b"v4999" not in serialized
