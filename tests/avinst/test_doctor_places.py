import json
import os
import shutil
from collections import namedtuple
from pathlib import Path
from unittest import mock

import pytest
from dataset_factory import write_dataset

from avinst import doctor_places, paths
from avinst.directory_lock import only_writer
from avinst.doctor_finding import Plans

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data") / "set", segments_per_recording=1)


def one(findings):
    (finding,) = findings
    return finding


def test_writing(tmp_path):
    assert one(doctor_places.check_writing(Plans(str(tmp_path)))).state == "ok"
    (tmp_path / "runs").mkdir()
    finding = one(doctor_places.check_writing(Plans(f"{tmp_path}/rnus")))
    assert finding.state == "wrong"
    assert f"did you mean '{tmp_path}/runs'?" in finding.text
    assert doctor_places.check_writing(Plans("gs://bucket")) == []
    assert list(tmp_path.iterdir()) == [tmp_path / "runs"]  # nothing is left


def test_a_full_disk(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 0, 10**9))
    finding = one(doctor_places.check_disk(Plans(str(tmp_path))))
    assert (finding.state, "1.0 GB free" in finding.text) == ("wrong", True)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 0, 10**10))
    assert one(doctor_places.check_disk(Plans(str(tmp_path)))).state == "ok"
    assert doctor_places.check_disk(Plans(f"{tmp_path}/none")) == []


@pytest.mark.parametrize(
    ("kind", "message"), [("tmpfs", "in memory"), ("nfs4", "network drive"), ("fuse.sshfs", "--cache=disk")]
)
def test_file_systems(monkeypatch, tmp_path, kind, message):
    odd = tmp_path / "an odd place"
    odd.mkdir()
    mounts = tmp_path / "mounts"
    escaped = str(odd.resolve()).replace(" ", r"\040")  # as the kernel writes a space
    mounts.write_text(f"/dev/a / ext4 rw 0 0\nserver:/x {escaped} {kind} rw 0 0\n")
    monkeypatch.setattr(doctor_places, "_MOUNTS", mounts)
    assert doctor_places.check_file_system(Plans(str(tmp_path))) == []
    assert message in one(doctor_places.check_file_system(Plans(str(odd)))).text


def test_big_and_small_letters(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor_places, "_MOUNTS", tmp_path / "none")
    assert doctor_places.check_file_system(Plans(str(tmp_path))) == []
    there = Path.exists
    monkeypatch.setattr(Path, "exists", lambda self: "dOCTOR" in self.name or there(self))
    assert "big and small letters" in one(doctor_places.check_file_system(Plans(str(tmp_path)))).text


def test_another_avinst_at_work(tmp_path):
    plans = Plans(str(tmp_path), data_dir=str(tmp_path))  # told once
    assert doctor_places.check_at_work(plans) == []
    with only_writer(str(tmp_path), "prepare", "data_dir"):
        assert f"another avinst is at work in {tmp_path}" in one(doctor_places.check_at_work(plans)).text
    assert doctor_places.check_at_work(plans) == []


def test_leftovers_of_killed_commands(tmp_path):
    with paths.replacing(str(tmp_path / "sub" / "model.keras")) as temporary:
        Path(temporary).parent.mkdir()
        Path(temporary).touch()
        assert doctor_places.check_leftovers(Plans(str(tmp_path))) == []  # it is being written
        os.utime(temporary, (0, 0))
        text = one(doctor_places.check_leftovers(Plans(str(tmp_path)))).text
        assert text.startswith(f"1 temporary files of commands that were killed, such as {temporary};")
    assert doctor_places.check_leftovers(Plans(str(tmp_path))) == []


def test_a_dataset(dataset, tmp_path):
    assert doctor_places.check_dataset(Plans()) == []
    assert one(doctor_places.check_dataset(Plans(data_dir=dataset.data_dir))).state == "ok"
    copy = shutil.copytree(dataset.data_dir, tmp_path / "copy")
    shard = dataset.shards["train"][0]
    (copy / f"{shard}.tfrecord").unlink()
    finding = one(doctor_places.check_dataset(Plans(data_dir=str(copy))))
    assert (finding.state, f"such as {shard}.tfrecord" in finding.text) == ("wrong", True)
    values = dataset.to_json()
    (copy / "dataset.json").write_text(json.dumps({**values, "format_version": 2}))
    assert "dataset format 2" in one(doctor_places.check_dataset(Plans(data_dir=str(copy)))).text
    finding = one(doctor_places.check_dataset(Plans(data_dir=f"{tmp_path}/cpoy")))
    assert f"did you mean '{tmp_path}/copy'?" in finding.text


def test_a_dataset_without_a_split(dataset, tmp_path):
    copy = shutil.copytree(dataset.data_dir, tmp_path / "copy")
    values = dataset.to_json()
    values["segments"] = {**values["segments"], "validation": 0}
    (copy / "dataset.json").write_text(json.dumps(values))
    finding = one(doctor_places.check_dataset(Plans(data_dir=str(copy))))
    assert (finding.state, "no examples in validation" in finding.text) == ("note", True)


def test_a_run(dataset, tmp_path):
    def text():
        return one(doctor_places.check_run(Plans(run_dir=str(tmp_path / "run")))).text

    assert doctor_places.check_run(Plans()) == []
    assert "no run directory" in text()
    (tmp_path / "run").mkdir()
    assert "no config.json" in text()
    (tmp_path / "run" / "config.json").write_text("{")
    assert "unfinished" in text()
    (tmp_path / "run" / "model.keras").touch()
    assert "is damaged" in text()
    (tmp_path / "run" / "config.json").write_text(json.dumps({"data_dir": f"{tmp_path}/gone"}))
    assert f"its dataset is no longer at {tmp_path}/gone" in text()
    (tmp_path / "run" / "config.json").write_text(json.dumps({"data_dir": dataset.data_dir}))
    assert text().endswith(f"finished, trained on {dataset.data_dir}")


def test_the_cloud(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    plans = Plans("gs://bucket/runs")
    exists = mock.Mock(return_value=True)
    monkeypatch.setattr(paths, "exists", exists)
    monkeypatch.setattr(doctor_places, "_has_cloud_package", lambda: False)
    package, credentials, place = doctor_places.check_cloud(plans)
    assert "avinst[gcp]" in package.text
    assert "gcloud auth application-default login" in credentials.text
    assert (place.state, place.text) == ("ok", "gs://bucket/runs can be reached")
    monkeypatch.setattr(doctor_places, "_has_cloud_package", lambda: True)
    (tmp_path / "key.json").touch()
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    exists.side_effect = RuntimeError("libcurl code 6")
    finding = one(doctor_places.check_cloud(plans))
    assert (finding.state, "libcurl code 6" in finding.text) == ("wrong", True)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "kee.json"))
    assert f"did you mean '{tmp_path}/key.json'?" in one(doctor_places.check_cloud(plans)).text
    assert doctor_places.check_cloud(Plans(str(tmp_path))) == []
