"""The configurations for TensorFlow Serving in cloud/serving are what the server reads."""

from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format, wrappers_pb2

FOLDER = Path(__file__).parents[2] / "cloud" / "serving"
_FIELD = descriptor_pb2.FieldDescriptorProto


def _add(message, name, number, kind):
    message.field.add(
        name=name,
        number=number,
        type=_FIELD.TYPE_MESSAGE,
        type_name=f".google.protobuf.{kind}",
        label=_FIELD.LABEL_OPTIONAL,
    )


def batching_parameters():
    """An empty BatchingParameters; of session_bundle_config.proto, which the API's package leaves out."""
    file = descriptor_pb2.FileDescriptorProto(name="batching.proto", package="tensorflow.serving", syntax="proto3")
    file.dependency.append(wrappers_pb2.DESCRIPTOR.name)
    message = file.message_type.add(name="BatchingParameters")
    for number, name in enumerate(
        ("max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "num_batch_threads"), start=1
    ):
        _add(message, name, number, "Int64Value")
    # Numbers do not matter to text.
    _add(message, "max_execution_batch_size", 8, "Int64Value")
    _add(message, "enable_large_batch_splitting", 9, "BoolValue")
    message.field.add(name="allowed_batch_sizes", number=6, type=_FIELD.TYPE_INT64, label=_FIELD.LABEL_REPEATED)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.serving.BatchingParameters"))()


def test_batching_parameters():
    found = text_format.Parse((FOLDER / "batching_parameters.txt").read_text(), batching_parameters())
    sizes = list(found.allowed_batch_sizes)
    # What the server demands: rising, and the last is the largest batch.
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == found.max_execution_batch_size.value
    # Without it a request of more segments than one batch holds is refused.
    assert found.enable_large_batch_splitting.value
    assert found.max_batch_size.value == 1024
    # The queue holds the parts of a split request: one that does not fit is refused however idle the server is.
    room = found.max_enqueued_batches.value * found.max_execution_batch_size.value
    assert room >= 2 * found.max_batch_size.value
    assert found.batch_timeout_micros.value == 5000
    assert found.num_batch_threads.value >= 1


def test_versions_with_labels():
    model_server_config_pb2 = pytest.importorskip(
        "tensorflow_serving.config.model_server_config_pb2", reason="make setup installs it"
    )
    config = text_format.Parse((FOLDER / "models.config").read_text(), model_server_config_pb2.ModelServerConfig())
    (model,) = config.model_config_list.config
    assert (model.name, model.base_path) == ("avinst", "/models/avinst")
    assert set(model.version_labels.values()) <= set(model.model_version_policy.specific.versions)
