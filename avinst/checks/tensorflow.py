"""The doctor looks at TensorFlow and Keras: settings that change them, the CPU, GPUs, TensorBoard."""

import importlib
import importlib.metadata
import os
import platform
import shutil
import sys
from pathlib import Path

from avinst.checks.finding import Finding, Plans, note, ok, wrong
from avinst.machine import available_cores

_CPU_INFO = Path("/proc/cpuinfo")
_NVIDIA_DEVICE = Path("/dev/nvidia0")
_NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")
# Values of variables that turn TensorFlow or Keras into something else than avinst is written for.
_ODD = {
    "TF_USE_LEGACY_KERAS": "asks for Keras 2, and avinst is written for Keras 3",
    "TF_DISABLE_MKL": "turns the fast CPU kernels off",
    "TF_FORCE_UNIFIED_MEMORY": "lets GPU memory be swapped, which is slow",
    "TF_XLA_FLAGS": "can compile every function, which made training five times slower on CPU",
}


def check_backend(_: Plans) -> list[Finding]:
    """Whether KERAS_BACKEND names another backend than TensorFlow."""
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    if backend == "tensorflow":
        return []
    return wrong("KERAS_BACKEND", f"is {backend!r}, and avinst needs tensorflow; unset KERAS_BACKEND")


def check_tensorflow_variables(_: Plans) -> list[Finding]:
    """Whether variables such as TF_USE_LEGACY_KERAS change what TensorFlow and Keras do."""
    findings = []
    for name, meaning in _ODD.items():
        value = os.environ.get(name, "")
        if value and value.lower() not in ("0", "false"):
            state = wrong if name == "TF_USE_LEGACY_KERAS" else note
            findings += state(name, f"is {value!r}: it {meaning}; unset {name}")
    return findings


def check_tf_config(_: Plans) -> list[Finding]:
    """Whether TF_CONFIG names several machines, which avinst train refuses."""
    if not os.environ.get("TF_CONFIG"):
        return []
    return note("TF_CONFIG", "is set; avinst train takes one machine only: unset it if the training is refused")


def check_cpu(_: Plans) -> list[Finding]:
    """Whether the CPU has AVX, without which TensorFlow's wheels end with `Illegal instruction`."""
    if platform.machine() not in ("x86_64", "AMD64") or not _CPU_INFO.exists():
        return []
    features = next((line for line in _CPU_INFO.read_text().splitlines() if line.startswith("flags")), "")
    if features and "avx" not in features.split():
        text = "has no AVX, so TensorFlow ends with 'Illegal instruction'"
        return wrong("CPU", f"{text}; use another machine, or show the virtual machine the host's CPU")
    return []


def check_gpus(_: Plans) -> list[Finding]:
    """Whether TensorFlow sees the GPUs of the machine, and if not, why."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return ok("GPUs", f"{len(gpus)}; training uses all of them")
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if _NVIDIA_DEVICE.exists() or _NVIDIA_DRIVER.exists():
        if hidden is not None and hidden.strip() in ("", "-1"):
            return note("GPUs", f"CUDA_VISIBLE_DEVICES={hidden!r} hides the machine's GPUs; unset it to use them")
        if not _NVIDIA_DRIVER.exists():
            return wrong(
                "GPUs", "this machine has one, but its driver does not run; install or restart it (nvidia-smi)"
            )
        if not _cuda_libraries():
            return wrong("GPUs", "there is one, but no CUDA libraries for TensorFlow; pip install 'avinst[gpu]'")
        return wrong("GPUs", "there is one, but TensorFlow does not see it; is the driver too old? (nvidia-smi)")
    cores = available_cores()
    return note("GPUs", f"none; {cores} CPU cores (--precision=mixed_bfloat16 trains faster on CPU)")


def check_tensorboard(_: Plans) -> list[Finding]:
    """Whether the command `tensorboard` will start: on the PATH, and its plugins load."""
    try:
        importlib.import_module("tensorboard.default").get_plugins()
        importlib.import_module("tensorboard.main")
    except Exception as error:  # noqa: BLE001  # plugins are other people's code; whatever they raise stops it
        text = f"does not start ({type(error).__name__}: {error}); uninstall the plugin, or pip install setuptools"
        return wrong("TensorBoard", text)
    beside = Path(sys.executable).with_name("tensorboard")
    found = shutil.which("tensorboard")
    if found is None:
        run = f"{beside} --logdir RUN" if beside.exists() else "python -m tensorboard.main --logdir RUN"
        return note("TensorBoard", f"the command is not on the PATH; {run} starts it")
    return []


def _cuda_libraries() -> bool:
    names = [distribution.metadata["Name"] or "" for distribution in importlib.metadata.distributions()]
    if any(name.startswith("nvidia-cuda-runtime") for name in names):
        return True
    folders = filter(None, os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep))
    return any(any(Path(folder).glob("libcudart.so*")) for folder in folders)
