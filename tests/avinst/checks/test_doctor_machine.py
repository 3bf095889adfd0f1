import resource
import tempfile
import time
from collections import namedtuple

import pytest

from avinst.checks import machine as doctor_machine
from avinst.checks import tensorflow as doctor_tensorflow
from avinst.checks.finding import Plans

PLANS = Plans()
Usage = namedtuple("Usage", "total used free")


def one(findings):
    (finding,) = findings
    return finding


@pytest.fixture
def cgroup(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor_machine, "_CGROUP", tmp_path)
    return tmp_path


def test_memory_of_a_container(cgroup):
    assert "limit" not in one(doctor_machine.check_memory(PLANS)).text
    (cgroup / "memory.max").write_text("max\n")
    assert "limit" not in one(doctor_machine.check_memory(PLANS)).text
    (cgroup / "memory.max").write_text("2000000000\n")
    finding = one(doctor_machine.check_memory(PLANS))
    assert finding.state == "note"
    assert finding.text.startswith("2.0 GB (this container's limit; the machine has")
    assert "--batch_size" in finding.text


def test_memory_of_an_old_container(cgroup):
    (cgroup / "memory").mkdir()
    (cgroup / "memory" / "memory.limit_in_bytes").write_text("1000000000\n")
    assert one(doctor_machine.check_memory(PLANS)).text.startswith("1.0 GB (this container's limit")


def test_cores_of_a_container(cgroup, monkeypatch):
    monkeypatch.setattr(doctor_machine, "available_cores", lambda: 8)
    assert doctor_machine.check_cores(PLANS) == []
    (cgroup / "cpu.max").write_text("max 100000\n")
    assert doctor_machine.check_cores(PLANS) == []
    (cgroup / "cpu.max").write_text("150000 100000\n")
    text = one(doctor_machine.check_cores(PLANS)).text
    assert text.startswith("this container may use 1.5 of the 8 cores")
    assert text.endswith("--workers=2")
    (cgroup / "cpu.max").unlink()
    (cgroup / "cpu").mkdir()
    (cgroup / "cpu" / "cpu.cfs_quota_us").write_text("-1")
    (cgroup / "cpu" / "cpu.cfs_period_us").write_text("100000")
    assert doctor_machine.check_cores(PLANS) == []
    (cgroup / "cpu" / "cpu.cfs_quota_us").write_text("400000")
    assert "4 of the 8 cores" in one(doctor_machine.check_cores(PLANS)).text


def test_shared_memory(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor_machine, "_SHARED_MEMORY", tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(64 * 2**20, 0, 0))
    assert "holds 67 MB; for several GPUs" in one(doctor_machine.check_shared_memory(PLANS)).text
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(2**30, 0, 0))
    assert doctor_machine.check_shared_memory(PLANS) == []


def test_few_open_files(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda which: (256, 4096))
    assert one(doctor_machine.check_open_files(PLANS)).text.startswith("at most 256 at once")
    monkeypatch.setattr(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY, 4096))
    assert doctor_machine.check_open_files(PLANS) == []


def test_temporary_space(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("TMPDIR", raising=False)
    assert doctor_machine.check_temporary_space(PLANS) == []
    monkeypatch.setenv("TMPDIR", str(tmp_path / "none"))
    assert f"TMPDIR={tmp_path}/none cannot be written to" in one(doctor_machine.check_temporary_space(PLANS)).text
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(10**9, 0, 10**8))
    assert one(doctor_machine.check_temporary_space(PLANS)).text.startswith("0.1 GB free")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    finding = one(doctor_machine.check_temporary_space(PLANS))
    assert (finding.state, "no temporary file can be written" in finding.text) == ("wrong", True)


def test_a_language_without_accents(monkeypatch):
    monkeypatch.setattr("locale.getpreferredencoding", lambda set_locale: "ANSI_X3.4-1968")
    assert "ANSI_X3.4-1968, not UTF-8" in one(doctor_machine.check_language(PLANS)).text
    monkeypatch.setattr("locale.getpreferredencoding", lambda set_locale: "UTF-8")
    assert doctor_machine.check_language(PLANS) == []


@pytest.mark.parametrize(("seconds", "day"), [(0, "1970-01-01"), (5e9, "2128-06-11")])
def test_a_wrong_clock(monkeypatch, seconds, day):
    monkeypatch.setattr(time, "time", lambda: seconds)
    assert one(doctor_machine.check_clock(PLANS)).text.startswith(f"says {day};")


def test_the_clock_of_the_present():
    assert doctor_machine.check_clock(PLANS) == []


def test_a_proxy(monkeypatch):
    monkeypatch.setattr("urllib.request.getproxies", dict)
    assert doctor_machine.check_proxy(PLANS) == []
    monkeypatch.setattr("urllib.request.getproxies", lambda: {"https": "user:secret@proxy", "no": "x"})
    finding = one(doctor_machine.check_proxy(PLANS))
    assert finding.text.startswith("https goes through a proxy")
    assert "secret" not in finding.text


def test_a_home_of_keras_that_cannot_be_written(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "new"))
    assert doctor_machine.check_keras_home(PLANS) == []
    (tmp_path / "file").touch()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "file" / "keras"))
    assert "set KERAS_HOME" in one(doctor_machine.check_keras_home(PLANS)).text


def test_another_backend(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert one(doctor_tensorflow.check_backend(PLANS)).text.startswith("is 'torch'")
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    assert doctor_tensorflow.check_backend(PLANS) == []


def test_variables_of_tensorflow(monkeypatch):
    for name in doctor_tensorflow._ODD:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "0")
    assert doctor_tensorflow.check_tensorflow_variables(PLANS) == []
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "1")
    monkeypatch.setenv("TF_DISABLE_MKL", "1")
    legacy, kernels = doctor_tensorflow.check_tensorflow_variables(PLANS)
    assert (legacy.state, kernels.state) == ("wrong", "note")
    assert "Keras 2" in legacy.text


def test_tf_config(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert doctor_tensorflow.check_tf_config(PLANS) == []
    monkeypatch.setenv("TF_CONFIG", "{}")
    assert one(doctor_tensorflow.check_tf_config(PLANS)).subject == "TF_CONFIG"


def test_a_cpu_without_avx(monkeypatch, tmp_path):
    info = tmp_path / "cpuinfo"
    monkeypatch.setattr(doctor_tensorflow, "_CPU_INFO", info)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    info.write_text("model name\t: x\nflags\t\t: fpu sse2 avx\n")
    assert doctor_tensorflow.check_cpu(PLANS) == []
    info.write_text("model name\t: x\nflags\t\t: fpu sse2 avxlike\n")
    assert "no AVX" in one(doctor_tensorflow.check_cpu(PLANS)).text
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert doctor_tensorflow.check_cpu(PLANS) == []


def test_gpus_that_are_not_seen(monkeypatch, tmp_path):
    import tensorflow as tf

    device, driver = tmp_path / "nvidia0", tmp_path / "version"
    monkeypatch.setattr(doctor_tensorflow, "_NVIDIA_DEVICE", device)
    monkeypatch.setattr(doctor_tensorflow, "_NVIDIA_DRIVER", driver)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def found():
        return one(doctor_tensorflow.check_gpus(PLANS))

    assert found().text.startswith("none;")
    device.touch()
    assert "its driver does not run" in found().text
    driver.touch()
    monkeypatch.setattr(doctor_tensorflow, "_cuda_libraries", lambda: False)
    assert "pip install 'avinst[gpu]'" in found().text
    monkeypatch.setattr(doctor_tensorflow, "_cuda_libraries", lambda: True)
    assert "is the driver too old?" in found().text
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert found().text.startswith("CUDA_VISIBLE_DEVICES='-1' hides")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a", "b"])
    assert found().text == "2; training uses all of them"


def test_where_cuda_is(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.metadata.distributions", list)
    monkeypatch.setenv("LD_LIBRARY_PATH", f"{tmp_path}:")
    assert not doctor_tensorflow._cuda_libraries()
    (tmp_path / "libcudart.so.12").touch()
    assert doctor_tensorflow._cuda_libraries()


def test_tensorboard(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    assert doctor_tensorflow.check_tensorboard(PLANS) == []
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert "not on the PATH" in one(doctor_tensorflow.check_tensorboard(PLANS)).text

    def broken():
        raise ModuleNotFoundError("No module named 'pkg_resources'")

    monkeypatch.setattr("tensorboard.default.get_plugins", broken)
    finding = one(doctor_tensorflow.check_tensorboard(PLANS))
    assert (finding.state, "pkg_resources" in finding.text) == ("wrong", True)
