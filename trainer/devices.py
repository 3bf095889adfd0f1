"""The devices that a training runs on: replicas, what they ask of a batch, the arithmetic that suits them."""

from pathlib import Path

import keras
import tensorflow as tf

from avinst.errors import UserError

# What /proc/cpuinfo calls the instructions without which bfloat16 is slower than float32.
_BFLOAT16_INSTRUCTIONS = {"avx512_bf16", "amx_bf16"}
# From here on GPUs have units for float16.
_FLOAT16_CAPABILITY = (7, 0)


def use_virtual_cpus(count: int) -> None:
    """Divides the CPU into devices, each of which becomes a replica, to try replicas; GPUs are left aside.

    Raises:
        UserError: TensorFlow has already begun to use the CPU otherwise.
    """
    try:
        tf.config.set_visible_devices([], "GPU")
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
    except RuntimeError as error:
        if len(replica_devices()) != count:
            raise UserError(f"--virtual_cpus={count} comes too late ({error}); run avinst train alone") from error


def replica_devices() -> list[str]:
    """The names of all GPUs, or of the CPU (virtual CPUs) where there is none."""
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return [device.name for device in devices]


def make_strategy() -> tf.distribute.Strategy:
    """One replica for each of `replica_devices`."""
    devices = replica_devices()
    if len(devices) > 1 and "CPU" in devices[0]:
        # The default reduction of several CPUs adds up wrongly.
        return tf.distribute.MirroredStrategy(devices, cross_device_ops=tf.distribute.ReductionToOneDevice())
    return tf.distribute.MirroredStrategy(devices)


def synchronize_batch_norm(network: keras.Model, replicas: int) -> None:
    """Lets BatchNorm layers take their statistics over the whole batch, not over each replica's part of it."""
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = replicas > 1


def training_batch_size(examples: int, batch_size: int) -> int:
    """The size of every batch of a training: equal parts for the replicas, and no more than there are examples.

    Args:
        examples: of the training split.
        batch_size: the size wanted.

    Raises:
        UserError: it cannot be divided among the replicas.
    """
    replicas = len(replica_devices())
    if batch_size % replicas:
        near = max(1, round(batch_size / replicas)) * replicas
        raise UserError(
            f"--batch_size={batch_size} cannot be divided among {replicas} replicas; give --batch_size={near}"
        )
    if examples < replicas:
        raise UserError(
            f"{examples} training examples, {replicas} replicas: each needs one; hide GPUs by CUDA_VISIBLE_DEVICES"
        )
    return min(batch_size, examples // replicas * replicas)


def suitable_precision() -> str:
    """mixed_float16 where all GPUs are made for it, mixed_bfloat16 on CPUs that are, else float32."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
        capable = all(detail.get("compute_capability", (0, 0)) >= _FLOAT16_CAPABILITY for detail in details)
        return "mixed_float16" if capable else "float32"
    cpu = Path("/proc/cpuinfo")
    words = set(cpu.read_text().split()) if cpu.exists() else set()
    return "mixed_bfloat16" if words & _BFLOAT16_INSTRUCTIONS else "float32"
