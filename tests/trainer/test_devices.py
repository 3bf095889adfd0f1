import pytest

from avinst.errors import UserError
from trainer import devices


@pytest.fixture
def replicas(monkeypatch):
    """Says that there are so many."""
    return lambda count: monkeypatch.setattr(devices, "replica_devices", lambda: ["GPU"] * count)


@pytest.mark.parametrize(
    ("count", "examples", "wanted", "expected"),
    [(1, 100, 32, 32), (1, 7, 32, 7), (2, 100, 32, 32), (2, 7, 32, 6), (4, 7, 32, 4), (3, 100, 33, 33)],
)
def test_batches_are_of_equal_parts_and_not_larger_than_the_split(replicas, count, examples, wanted, expected):
    replicas(count)
    assert devices.training_batch_size(examples, wanted) == expected


@pytest.mark.parametrize(("count", "wanted", "advice"), [(3, 32, 33), (4, 1, 4), (8, 30, 32)])
def test_a_batch_that_cannot_be_divided_is_refused_with_one_that_can(replicas, count, wanted, advice):
    replicas(count)
    with pytest.raises(
        UserError, match=rf"--batch_size={wanted} .* {count} replicas; give --batch_size={advice}$"
    ):
        devices.training_batch_size(100, wanted)


def test_fewer_examples_than_replicas_are_refused(replicas):
    replicas(4)
    with pytest.raises(UserError, match="3 training examples, 4 replicas"):
        devices.training_batch_size(3, 32)


@pytest.mark.parametrize(
    ("flags", "expected"), [("fpu avx512_bf16 sse", "mixed_bfloat16"), ("fpu avx512f sse", "float32")]
)
def test_without_a_gpu_bfloat16_is_for_cpus_that_are_made_for_it(tmp_path, monkeypatch, flags, expected):
    (tmp_path / "cpuinfo").write_text(f"flags : {flags}\n")
    monkeypatch.setattr(devices, "Path", lambda _: tmp_path / "cpuinfo")
    assert devices.suitable_precision() == expected


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [([(8, 0), (7, 0)], "mixed_float16"), ([(8, 0), (6, 1)], "float32"), ([None], "float32")],
)
def test_float16_is_for_gpus_that_are_all_made_for_it(monkeypatch, capabilities, expected):
    experimental = devices.tf.config.experimental
    details = [{"compute_capability": capability} if capability else {} for capability in capabilities]
    monkeypatch.setattr(devices.tf.config, "list_physical_devices", lambda kind: range(len(details)))
    monkeypatch.setattr(experimental, "get_device_details", lambda gpu: details[gpu])
    assert devices.suitable_precision() == expected


def test_virtual_cpus_after_the_first_use_are_an_error_that_says_so():
    devices.tf.constant(0)
    with pytest.raises(UserError, match="--virtual_cpus=3 comes too late"):
        devices.use_virtual_cpus(3)
