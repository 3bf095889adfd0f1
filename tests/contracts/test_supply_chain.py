"""What is checked of the packages that avinst depends on: known vulnerabilities, and the bill of materials."""

import datetime
import importlib.metadata
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TODAY = datetime.date(2026, 11, 23)
FOUND = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2.0"]}


def _module():
    location = importlib.util.spec_from_file_location("vulnerabilities", ROOT / ".ci" / "vulnerabilities.py")
    module = importlib.util.module_from_spec(location)
    sys.modules[location.name] = module  # dataclasses looks its own module up
    location.loader.exec_module(module)
    return module


vulnerabilities = _module()


def package(name, *found):
    return {"name": name, "version": "1.0", "vulns": list(found)}


def accepted(until, identity="PYSEC-1"):
    return {("a", identity): {"package": "a", "id": identity, "reason": "not called", "until": until}}


def test_a_vulnerability_fails():
    verdict = vulnerabilities.judge([package("a", FOUND), package("b")], {}, TODAY)
    assert verdict.failed
    assert verdict.lines[0] == "VULNERABLE: a 1.0: PYSEC-1 = CVE-1; not accepted; mended in 2.0"
    assert verdict.lines[1] == "checked 2 of 2 packages"


@pytest.mark.parametrize(("days", "failed"), [(0, False), (1, False), (-1, True)])
def test_an_accepted_one_passes_until_its_day(days, failed):
    until = TODAY + datetime.timedelta(days=days)
    verdict = vulnerabilities.judge([package("a", FOUND)], accepted(until), TODAY)
    assert verdict.failed is failed
    assert f"accepted until {until}" in verdict.lines[0]


def test_it_may_be_accepted_by_an_alias_but_for_its_own_package_only():
    assert not vulnerabilities.judge([package("a", FOUND)], accepted(TODAY, "CVE-1"), TODAY).failed
    assert vulnerabilities.judge([package("b", FOUND)], accepted(TODAY), TODAY).failed


def test_what_no_service_knows_is_named_and_does_not_fail():
    unknown = {"name": "b", "skip_reason": "not found"}
    verdict = vulnerabilities.judge([package("a"), unknown], {}, TODAY)
    assert verdict.lines == ("checked 1 of 2 packages; could not check b",)
    verdict = vulnerabilities.judge([unknown], {}, TODAY)
    assert not verdict.failed
    assert "could not check any of 1 packages" in verdict.lines[0]


def test_the_next_service_is_asked_and_silence_of_all_is_told(monkeypatch):
    answers = {"pypi": [{"name": "a", "skip_reason": "not found"}], "osv": "no connection"}
    monkeypatch.setattr(vulnerabilities, "audit", lambda _command, _lock, service: answers[service])
    verdict = vulnerabilities.check("pip-audit", "lock")
    assert not verdict.failed
    assert verdict.lines[-1].startswith("COULD NOT CHECK")
    answers["osv"] = [package("a", FOUND)]
    assert vulnerabilities.check("pip-audit", "lock").failed


def test_an_answer_that_is_no_json_is_an_explanation(tmp_path):
    tool = tmp_path / "pip-audit"
    tool.write_text("#!/bin/sh\necho 'no network' >&2\nexit 1\n")
    tool.chmod(0o755)
    assert vulnerabilities.audit(str(tool), "lock", "pypi") == "no network"


def test_an_entry_without_a_reason_or_a_day_is_refused(tmp_path):
    file = tmp_path / "accepted.toml"
    file.write_text('[[accepted]]\npackage = "a"\nid = "CVE-1"\nuntil = 2027-01-31\n')
    with pytest.raises(ValueError, match="lacks reason"):
        vulnerabilities.load_accepted(file)
    file.write_text('[[accepted]]\npackage = "a"\nid = "CVE-1"\nreason = "r"\nuntil = "soon"\n')
    with pytest.raises(ValueError, match="a date in until"):
        vulnerabilities.load_accepted(file)


def test_the_entries_of_the_repository_are_whole():
    assert all(entry["until"] for entry in vulnerabilities.load_accepted().values())


@pytest.mark.slow
def test_the_bill_of_materials_is_valid_and_whole(tmp_path):
    tool = ROOT / ".venv-supply-chain" / "bin" / "cyclonedx-py"
    if not tool.exists():
        pytest.skip("no cyclonedx-py; `make sbom` sets it up")
    options = ["--pyproject", ROOT / "pyproject.toml", "--output-reproducible", "--validate"]
    subprocess.run([tool, "environment", *options, "-o", tmp_path / "sbom.json", sys.executable], check=True)
    bill = json.loads((tmp_path / "sbom.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "avinst"
    listed = {(part["name"].lower(), part["version"]) for part in bill["components"]}
    here = {
        (found.metadata["Name"].lower(), found.version)
        for found in importlib.metadata.distributions()
        if found.metadata["Name"] != "avinst"
    }
    assert here <= listed
    licensed = [part for part in bill["components"] if part.get("licenses")]
    assert len(licensed) > 0.9 * len(bill["components"])
    assert not re.search(r"file://", json.dumps(bill))  # no place of this machine


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["cpu", "gpu"])
def test_the_images_bill_of_materials_is_their_lock(tmp_path, variant):
    """As `make sbom` makes it, which needs no environment for it."""
    tool = ROOT / ".venv-supply-chain" / "bin" / "cyclonedx-py"
    if not tool.exists():
        pytest.skip("no cyclonedx-py; `make sbom` sets it up")
    lock = ROOT / "cloud" / f"{variant}.lock"
    options = ["--pyproject", ROOT / "pyproject.toml", "--output-reproducible", "--validate"]
    subprocess.run([tool, "requirements", *options, "-o", tmp_path / "sbom.json", lock], check=True)
    parts = json.loads((tmp_path / "sbom.json").read_text())["components"]
    locked = dict(
        re.findall(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==([^\s;\\]+)", lock.read_text(), flags=re.MULTILINE)
    )
    assert {part["name"]: part["version"] for part in parts} == locked
    assert all(reference["hashes"] for part in parts for reference in part["externalReferences"])
    assert not {"pytest", "mypy", "ruff"} & set(locked)
