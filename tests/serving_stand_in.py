"""Answers on 127.0.0.1 as TensorFlow Serving does, by its message types, in a process without Keras and avinst.

    python serving_stand_in.py MODEL_BASE_PATH

There is no package of the real server. What this shares with it is what a client and a model see: PredictRequest
and PredictResponse over gRPC, the JSON of the REST API (json_tensor.cc), and a TensorFlow session that runs the
newest version's signatures by their SignatureDef. Prints {"rest": port, "grpc": port} when it is ready.
"""

import base64
import json
import sys
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BLOCKED = ("keras", "tf_keras", "avinst", "trainer", "analysis", "beam_pipelines", "tensorflow_io")
for blocked in BLOCKED:
    sys.modules[blocked] = None  # importing it fails

import grpc  # noqa: E402
import tensorflow as tf  # noqa: E402
from google.protobuf.json_format import MessageToDict  # noqa: E402
from tensorflow.core.protobuf import config_pb2  # noqa: E402
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc  # noqa: E402

NAME = "avinst"


class RefusedError(Exception):
    """What is answered as INVALID_ARGUMENT or 400."""


class Model:
    """The newest version below a base path, in a session as the server has it."""

    def __init__(self, base_path):
        self.version = max(int(path.name) for path in Path(base_path).iterdir() if path.name.isdecimal())
        self.session = tf.compat.v1.Session(graph=tf.Graph())
        with self.session.graph.as_default():
            graph = tf.compat.v1.saved_model.load(self.session, ["serve"], str(Path(base_path, str(self.version))))
        self.signatures = {name: found for name, found in graph.signature_def.items() if found.inputs}

    def signature(self, name):
        if name not in self.signatures:
            raise RefusedError(f'Serving signature key "{name}" not found.')
        return self.signatures[name]

    def predict(self, request):
        """PredictRequest to PredictResponse."""
        name = request.model_spec.signature_name or "serving_default"
        signature = self.signature(name)
        if set(request.inputs) != set(signature.inputs):
            raise RefusedError(f"input keys {sorted(request.inputs)}, expected {sorted(signature.inputs)}")
        names = sorted(signature.inputs)
        options = config_pb2.CallableOptions(
            feed=[signature.inputs[key].name for key in names],
            fetch=[tensor.name for tensor in signature.outputs.values()],
        )
        # Unlike `run` this compares no shapes with the signature's; nor does the server.
        call = self.session._make_callable_from_options(options)
        try:
            found = call(*(tf.make_ndarray(request.inputs[key]) for key in names))
        except (tf.errors.InvalidArgumentError, ValueError) as error:
            raise RefusedError(str(error)) from error
        response = predict_pb2.PredictResponse()
        response.model_spec.name, response.model_spec.signature_name = NAME, name
        response.model_spec.version.value = self.version
        for key, values in zip(signature.outputs, found, strict=True):
            response.outputs[key].CopyFrom(tf.make_tensor_proto(values))
        assert not any(module and name.split(".")[0] in BLOCKED for name, module in sys.modules.items())
        return response


def is_base64(value):
    return isinstance(value, dict) and list(value) == ["b64"]


def tensor_of(value, dtype):
    def decoded(value):
        if isinstance(value, list):
            return [decoded(part) for part in value]
        if is_base64(value):
            return base64.b64decode(value["b64"], validate=True)
        return value.encode() if isinstance(value, str) else value

    kind = tf.dtypes.as_dtype(dtype)
    return tf.make_tensor_proto(decoded(value), kind)


def request_of(body, model):
    """The REST API's JSON to a PredictRequest."""
    request = predict_pb2.PredictRequest()
    request.model_spec.signature_name = body.get("signature_name", "")
    inputs = model.signature(body.get("signature_name", "serving_default")).inputs
    if ("instances" in body) == ("inputs" in body):
        raise RefusedError("Missing 'inputs' or 'instances' key")
    if "instances" in body:
        rows = body["instances"]
        if isinstance(rows[0], dict) and not is_base64(rows[0]):
            if any(set(row) != set(inputs) for row in rows):
                raise RefusedError(f"keys must be equal to: {','.join(sorted(inputs))}")
            columns = {name: [row[name] for row in rows] for name in inputs}
        elif len(inputs) > 1:
            raise RefusedError(
                "instances is a plain list, but expecting list of objects as multiple input tensors required"
            )
        else:
            columns = {next(iter(inputs)): rows}
    else:
        columns = body["inputs"]
        if not isinstance(columns, dict) or is_base64(columns):
            columns = {next(iter(inputs)): columns}
    for name, values in columns.items():
        if name in inputs:
            request.inputs[name].CopyFrom(tensor_of(values, inputs[name].dtype))
    return request


def json_of(response, body):
    """A PredictResponse to the REST API's JSON, in rows or in columns as it was asked."""
    found = {name: tf.make_ndarray(tensor).tolist() for name, tensor in response.outputs.items()}
    if "inputs" in body:
        return {"outputs": found if len(found) > 1 else next(iter(found.values()))}
    if len(found) == 1:
        return {"predictions": next(iter(found.values()))}
    rows = zip(*found.values(), strict=True)
    return {"predictions": [dict(zip(found, row, strict=True)) for row in rows]}


def handler(model):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            version = {"version": str(model.version), "state": "AVAILABLE"}
            if self.path == f"/v1/models/{NAME}":
                status = {"error_code": "OK", "error_message": ""}
                self.answer(200, {"model_version_status": [{**version, "status": status}]})
            elif self.path == f"/v1/models/{NAME}/metadata":
                signatures = {
                    name: MessageToDict(found, preserving_proto_field_name=True)
                    for name, found in model.signatures.items()
                }
                spec = {"name": NAME, "signature_name": "", "version": str(model.version)}
                self.answer(
                    200, {"model_spec": spec, "metadata": {"signature_def": {"signature_def": signatures}}}
                )
            else:
                self.missing()

        def do_POST(self):
            if self.path not in (
                f"/v1/models/{NAME}:predict",
                f"/v1/models/{NAME}/versions/{model.version}:predict",
            ):
                self.missing()
                return
            try:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.answer(200, json_of(model.predict(request_of(body, model)), body))
            except (RefusedError, ValueError, TypeError) as error:
                self.answer(400, {"error": str(error)})

        def missing(self):
            self.answer(404, {"error": f"Servable not found for request: {self.path}"})

        def answer(self, status, body):
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    return Handler


class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, model):
        self.model = model

    def Predict(self, request, context):  # noqa: N802
        try:
            if request.model_spec.name != NAME:
                context.abort(grpc.StatusCode.NOT_FOUND, f"Servable not found: {request.model_spec.name}")
            return self.model.predict(request)
        except RefusedError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error)[:1000])


def main():
    model = Model(sys.argv[1])
    server = grpc.server(futures.ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(model), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    rest = ThreadingHTTPServer(("127.0.0.1", 0), handler(model))
    print(json.dumps({"rest": rest.server_port, "grpc": port}), flush=True)  # noqa: T201
    rest.serve_forever()


if __name__ == "__main__":
    main()
