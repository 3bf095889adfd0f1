import importlib.metadata
import os
import sys
from pathlib import Path

import pytest

from avinst.checks import media as doctor_media
from avinst.checks import packages as doctor_packages
from avinst.checks.finding import Plans

PLANS = Plans()


def one(findings):
    (finding,) = findings
    return finding


@pytest.mark.parametrize(("version", "state"), [((3, 11, 0), "ok"), ((3, 10, 9), "wrong"), ((3, 13, 0), "wrong")])
def test_pythons(monkeypatch, version, state):
    monkeypatch.setattr("sys.version_info", version)
    assert one(doctor_packages.check_python(PLANS)).state == state


def test_a_32_bit_python(monkeypatch):
    monkeypatch.setattr("sys.maxsize", 2**31 - 1)
    assert "32-bit" in one(doctor_packages.check_python(PLANS)).text


def test_no_environment_of_its_own(monkeypatch):
    for name in ("CONDA_PREFIX", "PYTHONNOUSERSITE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.prefix", "/usr")
    monkeypatch.setattr("sys.base_prefix", "/usr")
    assert "no virtual environment" in one(doctor_packages.check_environment_of_its_own(PLANS)).text
    monkeypatch.setattr("sys.prefix", "/srv/.venv")
    assert doctor_packages.check_environment_of_its_own(PLANS) == []


def test_a_broken_package(monkeypatch):
    monkeypatch.setattr(doctor_packages, "IMPORTED", {"absl-py": "no_such_module", "av": "av"})
    broken, sound = doctor_packages.check_imports(PLANS)
    assert (broken.subject, broken.state, sound.state) == ("absl-py", "wrong", "ok")
    assert "run make setup again" in broken.text


def test_versions_that_do_not_fit(monkeypatch):
    needs = {"tensorflow": ["protobuf<8,>=6", "numpy>=1.26", 'rich; extra == "more"', "not a requirement!"]}
    found = {"protobuf": "3.20.1", "numpy": "2.4.0", "rich": None}
    monkeypatch.setattr(doctor_packages, "_requirements", lambda package: needs.get(package, []))
    monkeypatch.setattr(doctor_packages, "_version", found.get)
    finding = one(doctor_packages.check_versions(PLANS))
    assert finding.text.startswith("tensorflow needs protobuf<8,>=6, found 3.20.1;")
    found |= {"protobuf": "6.33.0", "numpy": None}
    assert "numpy>=1.26, which is missing" in one(doctor_packages.check_versions(PLANS)).text
    found |= {"numpy": "2.4.0"}
    assert one(doctor_packages.check_versions(PLANS)).state == "ok"


def test_rivals(monkeypatch):
    there = {"tensorflow": "2.21.0", "keras": "3.15"}
    monkeypatch.setattr(doctor_packages, "_version", there.get)
    assert doctor_packages.check_rivals(PLANS) == []
    there["tensorflow-cpu"] = "2.20.0"
    text = one(doctor_packages.check_rivals(PLANS)).text
    assert "tensorflow and tensorflow-cpu overwrite each other's files" in text
    assert "pip uninstall tensorflow tensorflow-cpu" in text


def test_another_ffmpeg(monkeypatch):
    monkeypatch.setattr(doctor_packages, "_version", {"opencv-python": "4.10"}.get)
    assert "opencv-python brings its own FFmpeg" in one(doctor_packages.check_other_ffmpeg(PLANS)).text
    monkeypatch.setattr(doctor_packages, "_version", {}.get)
    assert doctor_packages.check_other_ffmpeg(PLANS) == []


def test_files_that_hide_packages(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")  # as python -m and notebooks have it
    (tmp_path / "analysis").mkdir()  # without __init__.py: a folder of results
    assert doctor_packages.check_hidden(PLANS) == []
    (tmp_path / "av.py").touch()
    (tmp_path / "trainer").mkdir()
    (tmp_path / "trainer" / "__init__.py").touch()
    trainer, av = doctor_packages.check_hidden(PLANS)
    assert f"'{tmp_path}/trainer' hides the package 'trainer'" in trainer.text
    assert f"'{tmp_path}/av.py' hides the package 'av'" in av.text
    assert {trainer.state, av.state} == {"wrong"}
    # The installed command does not look into the working directory.
    monkeypatch.setattr(doctor_packages.sys, "path", [path for path in sys.path if path])
    trainer, av = doctor_packages.check_hidden(PLANS)
    assert f"'{tmp_path}/av.py' would hide the package 'av' from python -m" in av.text
    assert {trainer.state, av.state} == {"note"}
    # A clone of avinst hides nothing.
    monkeypatch.chdir(Path(doctor_packages.__file__).parents[2])
    assert doctor_packages.check_hidden(PLANS) == []


def test_a_package_of_our_names(monkeypatch, tmp_path):
    assert doctor_packages.check_our_names(PLANS) == []
    (tmp_path / "foreign_trainer").mkdir()
    (tmp_path / "foreign_trainer" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(doctor_packages, "OUR_FOLDERS", ("foreign_trainer", "missing_trainer"))
    foreign, missing = doctor_packages.check_our_names(PLANS)
    assert "which is not avinst's" in foreign.text
    assert "'missing_trainer' is missing" in missing.text


def test_a_missing_codec(monkeypatch):
    monkeypatch.setattr(doctor_media, "DECODERS", ("h264", "no_such_codec"))
    monkeypatch.setattr(doctor_media, "ENCODERS", ("no_encoder",))
    _ffmpeg, decoders, encoders = doctor_media.check_codecs(PLANS)
    assert decoders.text.startswith("none for no_such_codec; reinstall PyAV")
    assert encoders.text.startswith("none for no_encoder, which avinst demo")


def test_pyav_without_an_ffmpeg_of_its_own(monkeypatch):
    assert doctor_media.check_wheel(PLANS) == []  # the wheel, as it is locked
    built = [importlib.metadata.PackagePath("av/__init__.py"), importlib.metadata.PackagePath("av/_core.so")]
    monkeypatch.setattr(importlib.metadata, "files", lambda package: built)
    assert "FFmpeg from outside" in one(doctor_media.check_wheel(PLANS)).text


@pytest.mark.parametrize(
    ("path", "state"),
    [
        ("/usr/lib/python3/dist-packages", "wrong"),
        ("/opt/lib/python3.9/site-packages", "wrong"),
        (f"/opt/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages", None),
        ("/srv/project", None),
    ],
)
def test_packages_of_another_python(monkeypatch, path, state):
    monkeypatch.setenv("PYTHONPATH", f"/srv{os.pathsep}{path}")
    findings = doctor_packages.check_pythonpath(PLANS)
    assert [finding.state for finding in findings] == [state] * (state is not None)
    assert all(finding.text.endswith("unset PYTHONPATH") for finding in findings)
