import errno
import os
import shutil
import tempfile
from collections import namedtuple
from pathlib import Path
from unittest import mock

import pytest

from avinst import paths
from avinst.checks import places as doctor_places
from avinst.checks.finding import Plans
from avinst.directory_lock import only_writer

Usage = namedtuple("Usage", "total used free")


def one(findings):
    (finding,) = findings
    return finding


def test_writing(tmp_path):
    assert one(doctor_places.check_writing(Plans(str(tmp_path)))).state == "ok"
    assert doctor_places.check_writing(Plans("gs://bucket")) == []
    assert list(tmp_path.iterdir()) == []  # nothing is left


def test_writing_to_a_directory_that_is_not_made_yet(tmp_path, monkeypatch):
    finding = one(doctor_places.check_writing(Plans(f"{tmp_path}/new/run")))
    assert finding == ("ok", "writing", f"{tmp_path}/new/run is not there yet and can be made, in {tmp_path}")
    monkeypatch.chdir(tmp_path)
    assert one(doctor_places.check_writing(Plans("new"))).state == "ok"
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    finding = one(doctor_places.check_writing(Plans(f"{tmp_path}/file/run")))
    expected = f"{tmp_path}/file/run cannot be made in {tmp_path}/file: Not a directory; choose another"
    assert (finding.state, finding.text.startswith(expected)) == ("wrong", True)


def test_writing_below_a_directory_that_may_not_be_entered(tmp_path, monkeypatch):
    closed, real = tmp_path / "closed", os.stat
    closed.mkdir()

    def stat(path, *arguments, **settings):
        if str(path).startswith(f"{closed}/"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, *arguments, **settings)

    def refuse(**_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "stat", stat)
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    finding = one(doctor_places.check_writing(Plans(output_dir=f"{closed}/set")))
    assert finding.state == "wrong"
    assert f"{closed}/set cannot be made in {closed}: Permission denied" in finding.text


def test_a_full_disk(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 0, 10**9))
    finding = one(doctor_places.check_disk(Plans(str(tmp_path))))
    assert (finding.state, "1.0 GB free" in finding.text) == ("wrong", True)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 0, 10**10))
    assert one(doctor_places.check_disk(Plans(str(tmp_path)))).state == "ok"
    assert one(doctor_places.check_disk(Plans(f"{tmp_path}/none"))).text == f"10.0 GB free in {tmp_path}"
    assert doctor_places.check_disk(Plans("gs://bucket")) == []


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
