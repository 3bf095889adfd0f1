import json

import pytest

from avinst import doctor
from avinst.checks import all_checks as doctor_checks
from avinst.checks.all_checks import CHECKS, Check, examine
from avinst.checks.finding import Plans, note, ok, wrong


def test_a_sound_machine_passes(tmp_path, capsys):
    assert doctor.main(["avinst doctor", f"--output_dir={tmp_path}", "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)
    subjects = {finding["subject"] for finding in findings}
    assert {"Python", "versions", "tensorflow", "apache-beam", "FFmpeg", "decoders", "GPUs", "disk"} <= subjects
    assert {finding["state"] for finding in findings} <= {"ok", "note"}
    assert not any("could not be checked" in finding["text"] for finding in findings)


@pytest.fixture
def two_checks(monkeypatch):
    def sound(_):
        """Whether it is sound."""
        return ok("first", "good")

    def unsound(_):
        """Whether it is broken."""
        return wrong("second", "broken; mend\nit")

    def raises(_):
        """Whether it raises."""
        raise ZeroDivisionError("by zero")

    def left_out(_):
        raise AssertionError("is not run")

    checks = (Check(sound), Check(unsound), Check(raises), Check(left_out, unless=("second",)))
    monkeypatch.setattr(doctor_checks, "CHECKS", {"all": checks})


def test_what_is_wrong_decides_the_status(two_checks, capsys):
    assert doctor.main(["avinst doctor"]) == 1
    captured = capsys.readouterr()
    assert captured.out == (
        "ok     first          good\n"
        "wrong  second         broken; mend it\n"
        "note   raises         could not be checked (ZeroDivisionError: by zero)\n"
    )
    assert captured.err == "avinst doctor: wrong: second; see above for what to do\n"


def test_a_check_that_cannot_be_done_is_left_out(two_checks):
    assert [finding.subject for finding in examine(Plans())] == ["first", "second", "raises"]


def test_colours(two_checks, capsys, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert doctor.main(["avinst doctor"]) == 1
    assert "\x1b[31mwrong \x1b[0m second" in capsys.readouterr().out


def test_there_are_more_than_twenty_checks_each_with_a_line_of_its_own():
    abouts = [check.about for part in CHECKS.values() for check in part]
    assert len(abouts) >= 20
    assert len(set(abouts)) == len(abouts)
    assert all(about.startswith("Whether ") for about in abouts)


def test_every_check_is_registered():
    from avinst.checks import contents as doctor_contents
    from avinst.checks import machine as doctor_machine
    from avinst.checks import media as doctor_media
    from avinst.checks import packages as doctor_packages
    from avinst.checks import places as doctor_places
    from avinst.checks import tensorflow as doctor_tensorflow

    modules = (doctor_contents, doctor_machine, doctor_media, doctor_packages, doctor_places, doctor_tensorflow)
    there = {value for module in modules for name, value in vars(module).items() if name.startswith("check_")}
    assert there == {check.run for part in CHECKS.values() for check in part}


@pytest.mark.parametrize("subject", ["CPU", "KERAS_BACKEND", "TF_USE_LEGACY_KERAS", "PYTHONPATH"])
def test_what_must_be_mended_first_leaves_the_imports_out(subject, monkeypatch):
    """What fails only because of it would be told with advice that does not help."""
    left_out = {check.run.__name__ for check in CHECKS["packages"] if subject in check.unless}
    assert left_out == {"check_imports", "check_gpus"}


def test_states():
    assert [kind("x", "y")[0].state for kind in (ok, note, wrong)] == ["ok", "note", "wrong"]
