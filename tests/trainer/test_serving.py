"""What a server answers equals model(parse(prepare(video))), for every segment of a clip and every signature.

Asked over gRPC and REST, of a process that has neither Keras nor avinst: tests/serving_stand_in.py.
"""

import base64
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
import wave
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from media_factory import tone, write_media
from prepare_jobs import job

from avinst.frames import encode_jpeg
from avinst.log_mel import log_mel
from avinst.media.decoder import Decoder
from avinst.media.video_segments import segment_batches
from avinst.schema import as_stored
from avinst.spec import DatasetSpec
from beam_pipelines.preparing import prepare_dataset
from trainer.exported.check import TOLERANCE
from trainer.exported.exporting import export_run
from trainer.inputs.pipeline import keyed_examples
from trainer.models import sub_model

pytest.importorskip("tensorflow_serving.apis", reason="make setup installs it")
pytestmark = pytest.mark.slow  # a server in a process of its own, which loads TensorFlow again
SECONDS = 5.1
PAGE = Path(__file__).parents[2] / "docs" / "serving.md"
STAND_IN = Path(__file__).parents[1] / "serving_stand_in.py"
SMALL_JPEG = encode_jpeg(np.zeros((32, 32, 3), np.uint8), DatasetSpec())


class Clip(NamedTuple):
    """One video's segments: what a client has of them, what `prepare` stores, and what the model says."""

    inputs: dict  # input of a signature to its values, a row a segment
    expected: dict  # output to values


@pytest.fixture(scope="module")
def clip(independent_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("clip")
    rising = np.concatenate([tone(hz, SECONDS / 5, level=level) for hz, level in _notes()], axis=1)
    video = write_media(folder / "clip.mp4", seconds=SECONDS, sound=rising)
    (folder / "manifest.csv").write_text("video_path,label,split\nclip.mp4,cello,test\n")
    spec = independent_run.dataset_info.spec
    dataset = prepare_dataset(job(folder / "manifest.csv", folder / "dataset"), spec)
    (parsed,) = keyed_examples(dataset, "test", batch_size=16)
    stored = list(tf.data.TFRecordDataset(dataset.tfrecord_paths("test")).as_numpy_iterator())
    with Decoder() as decoder:
        segments = [part for batch in segment_batches(video, decoder, spec, []) for part in batch]
    assert len(segments) == len(stored) == int(SECONDS)
    names = ["audio_features", "visual_features", "probabilities"]
    outputs = sub_model(independent_run.model, names)([parsed["log_mel"], parsed["frame"]], training=False)
    inputs = {
        "waveform": np.stack([segment.waveform for segment in segments]),
        "jpeg": np.array([segment.jpeg for segment in segments], object),
        "log_mel": parsed["log_mel"].numpy(),
        "frame": parsed["frame"].numpy(),
        "examples": np.array(stored, object),
    }
    return Clip(inputs, dict(zip(names, map(np.asarray, outputs), strict=True)))


def _notes():
    return [(220.0, 0.9), (440.0, 0.3), (1_000.0, 0.05), (3_000.0, 1e-4), (100.0, 0.0)]


@pytest.fixture(scope="module")
def server(independent_run, tmp_path_factory):
    """A stand-in for TensorFlow Serving that serves the run's second version: its ports, and that directory."""
    base = tmp_path_factory.mktemp("served")
    (base / "1").mkdir()
    assert export_run(independent_run, str(base)) == f"{base}/2"
    command = [sys.executable, str(STAND_IN), str(base)]
    with subprocess.Popen(command, cwd=base, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        try:
            assert line, process.stderr.read()[-2000:]
            yield {**json.loads(line), "directory": f"{base}/2"}
        finally:
            process.kill()


def ask(server, path, body=None):
    """GET, or POST of JSON; the answer's JSON."""
    content = None if body is None else json.dumps(body).encode()
    url = f"http://127.0.0.1:{server['rest']}/v1/models/avinst{path}"
    with urllib.request.urlopen(urllib.request.Request(url, content), timeout=120) as answer:
        return json.load(answer)


def as_json(values):
    if values.dtype == object:
        return [{"b64": base64.b64encode(value).decode()} for value in values]
    return values.tolist()


def inputs_of(signature):
    return {
        "serving_default": ["waveform", "jpeg"],
        "features": ["waveform", "jpeg"],
        "tensors": ["log_mel", "frame"],
        "examples": ["examples"],
    }[signature]


def assert_equal(found, expected):
    # Probabilities, and features in shares of the largest: float32 in another order of operations.
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE * max(1.0, np.abs(expected).max()))


@pytest.mark.parametrize("signature", ["serving_default", "tensors", "examples", "features"])
def test_over_grpc_every_segment_gets_what_the_model_says_of_the_prepared_one(server, clip, signature):
    import grpc
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "avinst", signature
    for name in inputs_of(signature):
        request.inputs[name].CopyFrom(tf.make_tensor_proto(clip.inputs[name]))
    with grpc.insecure_channel(f"127.0.0.1:{server['grpc']}") as channel:
        response = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, timeout=120)
    assert response.model_spec.version.value == 2
    names = list(clip.expected) if signature == "features" else ["probabilities"]
    assert sorted(response.outputs) == sorted(names)
    for name in names:
        assert response.outputs[name].dtype == tf.float32.as_datatype_enum
        assert_equal(tf.make_ndarray(response.outputs[name]), clip.expected[name])
    # Segments that the model does not tell apart would prove nothing.
    assert np.ptp(clip.expected["probabilities"], axis=0).max() > 100 * TOLERANCE


@pytest.mark.parametrize("signature", ["serving_default", "examples"])
def test_over_rest_rows_and_columns_give_the_same(server, clip, signature):
    columns = {name: as_json(clip.inputs[name]) for name in inputs_of(signature)}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    found = ask(server, ":predict", {"signature_name": signature, "instances": rows})
    assert_equal(found["predictions"], clip.expected["probabilities"])
    found = ask(server, "/versions/2:predict", {"signature_name": signature, "inputs": columns})
    assert_equal(found["outputs"], clip.expected["probabilities"])
    if signature == "examples":  # the only input needs no name
        found = ask(server, ":predict", {"signature_name": signature, "instances": columns["examples"]})
        assert_equal(found["predictions"], clip.expected["probabilities"])


def test_several_outputs_bear_their_names(server, clip):
    columns = {name: as_json(clip.inputs[name][:2]) for name in ("waveform", "jpeg")}
    found = ask(server, ":predict", {"signature_name": "features", "inputs": columns})["outputs"]
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    by_row = ask(server, ":predict", {"signature_name": "features", "instances": rows})["predictions"]
    for name, expected in clip.expected.items():
        assert_equal(found[name], expected[:2])
        assert_equal([row[name] for row in by_row], expected[:2])


@pytest.mark.parametrize(
    ("signature", "spoil", "reason"),
    [
        ("serving_default", {"waveform": lambda x: x[:, :-1]}, "Shape of tensor .* is not compatible with"),
        ("serving_default", {"waveform": lambda x: np.tile(x, 2)}, "Shape of tensor .* is not compatible with"),
        ("tensors", {"log_mel": lambda x: x[:, :-1]}, "Shape of tensor .* is not compatible with"),
        ("tensors", {"frame": lambda x: x[:, 1:, 1:]}, "Shape of tensor .* is not compatible with"),
        ("serving_default", {"jpeg": lambda x: np.array([b"GIF?"], object)}, "Invalid JPEG data"),
        (
            "serving_default",
            {"jpeg": lambda x: np.array([SMALL_JPEG], object)},
            r"a frame that is not \d+ x \d+ pixels",
        ),
        ("examples", {"examples": lambda x: np.array([b"no example"], object)}, "Could not parse example input"),
    ],
)
def test_what_does_not_fit_is_an_error_and_no_probability(server, clip, signature, spoil, reason):
    given = {name: clip.inputs[name][:1] for name in inputs_of(signature)}
    given.update({name: alter(given[name]) for name, alter in spoil.items()})
    columns = {name: as_json(values) for name, values in given.items()}
    with pytest.raises(urllib.error.HTTPError) as error:
        ask(server, ":predict", {"signature_name": signature, "inputs": columns})
    assert error.value.code == 400
    assert re.search(reason, json.load(error.value)["error"])


def test_status_and_metadata_tell_the_version_and_the_inputs(server):
    assert ask(server, "")["model_version_status"][0]["state"] == "AVAILABLE"
    metadata = ask(server, "/metadata")
    assert metadata["model_spec"]["version"] == "2"
    signatures = metadata["metadata"]["signature_def"]["signature_def"]
    assert {name: sorted(found["inputs"]) for name, found in signatures.items()} == {
        name: sorted(inputs_of(name)) for name in ("serving_default", "tensors", "examples", "features")
    }
    waveform = signatures["serving_default"]["inputs"]["waveform"]
    assert [size["size"] for size in waveform["tensor_shape"]["dim"]] == ["-1", "22050"]


def test_clients_of_the_page_get_what_the_model_says(server, clip, independent_run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    samples = np.round(clip.inputs["waveform"][1] * 32768).clip(-32768, 32767).astype("<i2")
    with wave.open("second.wav", "wb") as file:
        file.setparams((1, 2, 22_050, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    Path("frame.jpg").write_bytes(clip.inputs["jpeg"][1])
    Path("RUN/export").mkdir(parents=True)
    Path("RUN/export/1").symlink_to(server["directory"])
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    assert len(blocks) == 3
    names = {}
    for number, block in enumerate(blocks):
        for port, served in (("8501", "rest"), ("8500", "grpc")):
            block = block.replace(f"localhost:{port}", f"127.0.0.1:{server[served]}")
        exec(compile(block, f"{PAGE.name}, block {number + 1}", "exec"), names)
    spec = independent_run.dataset_info.spec
    heard = as_stored(log_mel(samples[None] / np.float32(32768), spec))
    expected = independent_run.model([heard, tf.constant(clip.inputs["frame"][1:2])]).numpy()
    assert_equal(names["rows"]["predictions"], expected)
    assert_equal(names["found"]["probabilities"], expected)
    assert_equal(names["probabilities"], expected)
    assert_equal(names["answer"]["probabilities"], expected)
    printed = capsys.readouterr().out
    assert "{'audio_features': (1, 1024), 'probabilities': (1, 3), 'visual_features': (1, 2048)}" in printed
    assert printed.splitlines()[2].endswith(" 2")


def test_the_page_shows_json_and_lists_model_json(server):
    text = PAGE.read_text()
    examples = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, flags=re.DOTALL)]
    assert [next(iter(example)) for example in examples] == ["instances", "predictions", "outputs"]
    listed = text.partition("## model.json")[2]
    keys = re.findall(
        r"`(\w+)`", "".join(line.split("|")[1] for line in listed.splitlines() if line.startswith("| `"))
    )
    facts = json.loads(Path(server["directory"], "assets", "model.json").read_text())
    assert keys == list(facts)
    assert not re.search(r"\bavinst\.", "".join(re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)))
