"""The flex templates: their parameters are the commands' flags, and launched with them a job is described."""

import importlib.util
import json
import re
from pathlib import Path

import pytest
from dataflow_stubs import stub_dataflow
from known_detector import save_known
from media_factory import tone, write_media

from avinst import cli, paths
from avinst.dataset import load_dataset
from beam_pipelines import predict, prepare
from beam_pipelines.beam_flags import known_flags
from beam_pipelines.prediction_set import load_predictions

ROOT = Path(__file__).parents[2]
COMMANDS = {"prepare": prepare, "predict": predict}
# Flags that mean nothing on a cluster: of the local runner, and of what prints instead of working. A run's newest
# export may be another one by the time when the predictions are finished.
LOCAL_FLAGS = {
    "prepare": {"workers", "dry_run", "json", "verbose"},
    "predict": {"workers", "figure", "json", "run_dir", "verbose"},
}
IMAGE = f"europe-west4-docker.pkg.dev/a-project/avinst/dataflow@sha256:{'0' * 64}"
# Parameter to a value that its regex takes, and one that it does not.
EXAMPLES = {
    "manifest": ("gs://a-bucket/manifest.csv", "gs://a-bucket/manifest.txt"),
    "data_dir": ("gs://a-bucket/dataset", "/dataset"),
    "media_root": ("gs://a-bucket/videos", "videos"),
    "sdk_container_image": (IMAGE, "dataflow"),
    "output_dir": ("gs://a-bucket/predictions", "predictions"),
    "model_dir": ("gs://a-bucket/runs/joint/model", "model"),
    "format": ("jsonl", "table"),
    "features": ("true", "1"),
    "join": ("false", "no"),
    "batch_size": ("32", "0"),
    "splits": ("stratified", "random"),
    "shares": ("0.7,0.15,0.15", "0.7"),
    "videos_per_shard": ("16", "-1"),
    "max_reject_rate": ("0.2", "20"),
    "frame_size": ("128", "-1"),
    "frame_fit": ("crop", "squeeze"),
    "mel_bands": ("96", "0"),
    "segment_seconds": ("1.0", "-1"),
    "overwrite": ("true", "yes"),
    "max_pixels": ("35389440", "4k"),
    "max_frames_per_second": ("300.0", "fast"),
    "max_duration_seconds": ("21600", "6h"),
    "max_file_bytes": ("68719476736", "64G"),
    "wall_seconds_per_media_second": ("4.0", "x"),
    "min_wall_seconds": ("60", "-1"),
    "memory_bytes": ("4294967296", "4G"),
}
# As gcloud's flags for the job become the launcher's, and one that nobody knows.
LAUNCHER = [
    "--runner=DataflowRunner",
    "--project=a-project",
    "--region=europe-west4",
    "--job_name=prepare-videos",
    "--temp_location=gs://a-bucket/temp",
    "--staging_location=gs://a-bucket/staging",
    "--template_location=gs://a-bucket/staging/template_launches/1/job_object",
    "--service_account_email=worker@a-project.iam.gserviceaccount.com",
    "--machine_type=n2-standard-8",
    "--max_num_workers=40",
    "--launcher_only=1",
]


def template(command):
    return json.loads((ROOT / "cloud" / f"{command}_template.json").read_text())


def parameters(command):
    return {parameter["name"]: parameter for parameter in template(command)["parameters"]}


@pytest.fixture(scope="module")
def flex_template():
    location = ROOT / "cloud" / "flex_template.py"
    spec = importlib.util.spec_from_file_location("flex_template", location)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("command", COMMANDS)
def test_the_metadata_is_what_dataflow_takes(command):
    """Names, types and enumerations of Google's published messages; unknown ones raise."""
    messages = pytest.importorskip("google.cloud.dataflow_v1beta3.types.templates", reason="needs avinst[gcp]")
    metadata = template(command)
    options = {
        parameter["name"]: (parameter.pop("paramType", None), parameter.pop("enumOptions", []))
        for parameter in metadata["parameters"]
    }
    assert len(messages.TemplateMetadata.from_json(json.dumps(metadata)).parameters) == len(options)
    # Newer than that package: https://docs.cloud.google.com/dataflow/docs/reference/rest/v1b3/ParameterMetadata.
    for kind, choices in options.values():
        assert kind in {None, "ENUM", "NUMBER", "BOOLEAN", "GCS_READ_FILE", "GCS_READ_FOLDER", "GCS_WRITE_FOLDER"}
        assert bool(choices) == (kind == "ENUM")
        assert all(set(choice) == {"value", "label"} for choice in choices)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_parameters_are_the_flags_that_make_sense_on_a_cluster(command):
    flags = set(COMMANDS[command].FLAGS)
    assert set(parameters(command)) == (flags - LOCAL_FLAGS[command]) | {"sdk_container_image"}
    assert LOCAL_FLAGS[command] <= flags
    assert "--sdk_container_image" in known_flags()


@pytest.mark.parametrize("command", COMMANDS)
def test_choices_are_the_flags(command):
    for name, parameter in parameters(command).items():
        if parameter.get("paramType") != "ENUM":
            continue
        values = [option["value"] for option in parameter["enumOptions"]]
        allowed = COMMANDS[command].FLAGS[name].parser.enum_values
        assert values == [value for value in allowed if value != "table"]  # that is for a terminal


@pytest.mark.parametrize("command", COMMANDS)
def test_a_regex_takes_the_example_and_refuses_what_is_wrong(command):
    for name, parameter in parameters(command).items():
        right, wrong = EXAMPLES[name]
        (regex,) = parameter["regexes"]
        assert re.fullmatch(regex, right), name
        assert not re.fullmatch(regex, wrong), name
        if name in COMMANDS[command].FLAGS:
            default = COMMANDS[command].FLAGS[name].default_unparsed
            value = ",".join(default) if isinstance(default, list) else str(default)
            assert default in (None, "", False, True) or re.fullmatch(regex, value), f"the default of {name}"


def test_the_parameters_tell_which_command_is_meant(flex_template):
    for parameter, command in flex_template.COMMAND_OF.items():
        assert command in cli.COMMANDS
        others = [other for other in COMMANDS if other != command]
        if command in COMMANDS:
            assert not parameters(command)[parameter].get("isOptional")
        assert all(parameter not in parameters(other) for other in others)
    line = flex_template.command_line(["--data_dir=gs://b/d", "--frame_size=1"], {"data_dir", "frame_size"})
    assert line == ["avinst", "prepare", "--data_dir=gs://b/d", "--frame_size=1", "--no_wait_until_finish"]
    assert flex_template.command_line(["--output_dir=gs://b/o"], {"output_dir"})[1] == "predict"
    # However the launcher writes them.
    line = flex_template.command_line(
        ["--data_dir", "gs://b/d", "--no_auth", "--region", "r"], {"data_dir", "region"}
    )
    assert line == ["avinst", "prepare", "--data_dir=gs://b/d", "--region=r", "--no_wait_until_finish"]


@pytest.mark.parametrize("arguments", [[], ["--frame_size=1"], ["--data_dir=a", "--output_dir=b"]])
def test_neither_or_both_are_refused_in_one_line(flex_template, capsys, arguments):
    assert flex_template.main(["flex_template.py", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("flex template: expected one of the parameters data_dir, output_dir; found")
    assert error.count("\n") == 1


class CloudStorage:
    """TensorFlow's file system in memory in place of gs://."""

    def __getattr__(self, name):
        import tensorflow as tf

        function = getattr(tf.io.gfile, name)

        def called(*arguments, **named):
            moved = [a.replace("gs://", "ram://") if isinstance(a, str) else a for a in arguments]
            return function(*moved, **named)

        return called


@pytest.fixture
def in_cloud(monkeypatch):
    """Puts files and folders on gs://, which lies in memory."""
    import tensorflow as tf

    def moved(function):
        return lambda path, *arguments: function(path.replace("gs://", "ram://"), *arguments)

    monkeypatch.setattr(paths, "_gfile", lambda: CloudStorage())
    monkeypatch.setattr(tf.io, "TFRecordWriter", moved(tf.io.TFRecordWriter))
    monkeypatch.setattr(tf.saved_model, "load", moved(tf.saved_model.load))

    def put(folder, address):
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                target = paths.join(address, *file.relative_to(folder).parts)
                paths.make_directory(target.rpartition("/")[0])
                paths.write_bytes(target, file.read_bytes())

    return put


@pytest.mark.parametrize("command", COMMANDS)
def test_a_launched_template_describes_a_job_that_the_command_then_finishes(
    flex_template, in_cloud, monkeypatch, tmp_path, capsys, command
):
    (tmp_path / "videos").mkdir()
    for name in ("a", "b"):
        write_media(tmp_path / "videos" / f"{name}.mp4", seconds=1.1, sound=tone(440.0, 1.1))
    (tmp_path / "manifest.csv").write_text("video_path,label,split\na.mp4,drum,train\nb.mp4,flute,test\n")
    if command == "predict":
        save_known(tmp_path / "model")
    bucket = f"gs://flex-{command}"
    in_cloud(tmp_path, bucket)
    own = {
        "manifest": f"{bucket}/manifest.csv",
        "media_root": f"{bucket}/videos",
        "model_dir": f"{bucket}/model",
        "data_dir": f"{bucket}/results",
        "output_dir": f"{bucket}/results",
    }
    values = {name: own.get(name, EXAMPLES[name][0]) for name in parameters(command)}
    arguments = [f"--{name}={value}" for name, value in values.items()]
    with monkeypatch.context() as patch:
        submitted, staged = stub_dataflow(patch)
        assert flex_template.main(["flex_template.py", *arguments, *LAUNCHER, "--no_auth"]) == 0
    output, error = capsys.readouterr()
    assert f"avinst {command}: the job is the runner's now" in output
    assert "--launcher_only is left out" in error
    # Described for the launcher, not sent by us, and nobody has added shards up that are not there.
    assert submitted == []
    job = json.loads(staged["gs://a-bucket/staging/template_launches/1/job_object"].getvalue())
    (pool,) = [pool for pool in job["environment"]["workerPools"] if pool["kind"] == "harness"]
    assert pool["machineType"] == "n2-standard-8"
    assert {image["containerImage"] for image in pool["sdkHarnessContainerImages"]} == {IMAGE}
    assert job["environment"]["serviceAccountEmail"] == "worker@a-project.iam.gserviceaccount.com"
    finished = f"{bucket}/results/{'dataset' if command == 'prepare' else 'predictions'}.json"
    assert not paths.exists(finished)
    # The same parameters without a runner: here no worker was at work, so that it also makes what is missing.
    kept = [argument for argument in arguments if not argument.startswith("--sdk_")]
    assert cli.main(["avinst", command, *kept]) == 0
    assert paths.exists(finished)
    if command == "prepare":
        assert load_dataset(own["data_dir"]).segments == {"train": 1, "validation": 0, "test": 1}
    else:
        assert load_predictions(own["output_dir"]).recordings == 2
