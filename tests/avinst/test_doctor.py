import pytest

from avinst import doctor


def test_a_sound_machine_passes(tmp_path, capsys):
    assert doctor.main(["avinst doctor", f"--output_dir={tmp_path}"]) == 0
    printed = capsys.readouterr().out
    assert all(
        package in printed for package in ("tensorflow", "apache-beam", "libavcodec", "h264", "GPUs", "disk")
    )
    assert "wrong" not in printed


def test_a_broken_package_is_named_with_what_to_do(monkeypatch):
    monkeypatch.setitem(doctor._IMPORTED, "absl-py", "no_such_module")
    (finding,) = [finding for finding in doctor.check_packages() if finding.subject == "absl-py"]
    assert finding.state == "wrong"
    assert "run make setup again" in finding.text


def test_a_missing_codec_is_named(monkeypatch):
    monkeypatch.setattr(doctor, "_DECODERS", ("h264", "no_such_codec"))
    finding = next(finding for finding in doctor.check_codecs() if finding.subject == "decoders")
    assert finding.state == "wrong"
    assert "no_such_codec" in finding.text
    assert "h264" not in finding.text


def test_a_folder_that_cannot_be_written(tmp_path, capsys):
    assert doctor.main(["avinst doctor", f"--output_dir={tmp_path}/none"]) == 1
    captured = capsys.readouterr()
    assert "wrong  writing" in captured.out
    assert captured.err == "avinst doctor: wrong: writing; see above for what to do\n"


@pytest.mark.parametrize(("version", "state"), [((3, 11, 0), "ok"), ((3, 10, 9), "wrong"), ((3, 13, 0), "wrong")])
def test_pythons(monkeypatch, version, state):
    monkeypatch.setattr("sys.version_info", version)
    assert doctor.check_python()[0].state == state
