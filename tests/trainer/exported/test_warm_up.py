import numpy as np
import pytest
import tensorflow as tf

from avinst.spec import DatasetSpec
from trainer.exported.exporting import export_run
from trainer.exported.signatures import endpoints
from trainer.exported.warm_up import made_up_segment, prediction_log, write_warm_up

serving = pytest.importorskip("tensorflow_serving.apis", reason="make setup installs it")


def logged(directory):
    from tensorflow_serving.apis import prediction_log_pb2

    file = f"{directory}/assets.extra/tf_serving_warmup_requests"
    return [
        prediction_log_pb2.PredictionLog.FromString(record)
        for record in tf.data.TFRecordDataset(file).as_numpy_iterator()
    ]


@pytest.mark.parametrize("samples", [1, 40, 22_050])  # lengths of one, two and three bytes
def test_the_bytes_are_those_of_the_serving_api(samples):
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    inputs = {
        "waveform": np.linspace(-1, 1, 2 * samples, dtype=np.float32).reshape(2, samples),
        "jpeg": np.array([b"\xff\xd8\x00", b""], object),
    }
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "avinst", "serving_default"
    for name, values in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(values))
    log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
    assert prediction_log("serving_default", inputs) == log.SerializeToString(deterministic=True)


@pytest.mark.parametrize("scheme", ["joint", "audio"])
def test_every_request_of_an_export_is_answered(untrained_run, tmp_path, scheme):
    directory = export_run(untrained_run(scheme), str(tmp_path))
    loaded = tf.saved_model.load(directory)
    asked = []
    for log in logged(directory):
        request = log.predict_log.request
        inputs = {name: tf.constant(tf.make_ndarray(tensor)) for name, tensor in request.inputs.items()}
        found = loaded.signatures[request.model_spec.signature_name](**inputs)["probabilities"]
        asked.append((request.model_spec.signature_name, found.shape[0]))
    assert asked == [("serving_default", 1), ("examples", 1), ("serving_default", 4), ("examples", 4)]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    # 88,200 samples of 4 bytes: four of them are 1.4 MB. Of 441,000 one is too much, but there is always one.
    [(2.0, [4 * 88_200, 0, 0]), (10.0, [4 * 441_000])],
)
def test_what_would_pass_a_megabyte_is_left_out(tmp_path, seconds, expected):
    spec = DatasetSpec(sample_rate_hz=44_100, segment_seconds=seconds, frame_size=96)
    specs = [tf.TensorSpec([None], tf.string, name) for name in ("waveform", "jpeg")]
    example = [tf.TensorSpec([None], tf.string, "examples")]
    write_warm_up(str(tmp_path), {"serving_default": (None, specs), "examples": (None, example)}, spec)
    counts = [len(log.predict_log.request.inputs["waveform"].tensor_content) for log in logged(tmp_path)]
    assert counts == expected


def test_what_is_made_up_fits_the_signatures(untrained_run, dataset):
    made_up = made_up_segment(dataset.spec)
    assert np.abs(made_up["waveform"]).max() <= 1
    for _, specs in endpoints(untrained_run("joint").model, dataset).values():
        for tensor in specs:
            if tensor.name in made_up:
                assert tensor.shape.is_compatible_with(np.stack([made_up[tensor.name]] * 2).shape)
