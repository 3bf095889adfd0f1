import email.message
import importlib.metadata
import json

import pytest

from avinst import doctor, licences
from avinst.errors import UserError


class FakeDistribution:
    version = "1"
    metadata = email.message.Message()  # as importlib's: get and get_all

    def __init__(self, requires):
        self.requires = requires


@pytest.fixture
def installed(monkeypatch):
    """An environment: package name to what it requires."""

    def install(packages):
        def distribution(name):
            if name not in packages:
                raise importlib.metadata.PackageNotFoundError(name)
            return FakeDistribution(packages[name])

        monkeypatch.setattr(importlib.metadata, "distribution", distribution)

    return install


def names(package="product"):
    return [licence.name for licence in licences.dependency_licences(package)]


def test_only_what_the_requirements_lead_to_is_listed(installed):
    installed({"product": ["a>=1"], "a": ["B_c"], "b-c": ["a"], "unrelated": []})
    assert names() == ["a", "b-c"]


def test_a_requirement_of_another_system_is_left_out(installed):
    installed({"product": ["a ; sys_platform == 'nowhere'", "b"], "a": [], "b": []})
    assert names() == ["b"]


def test_an_extra_is_followed_where_it_is_required(installed):
    installed({"product": ["a[fast]"], "a": ["b ; extra == 'fast'", "c ; extra == 'slow'"], "b": [], "c": []})
    assert names() == ["a", "b"]


def test_of_the_products_own_extras_what_is_installed_is_listed(installed):
    installed(
        {
            "product": ["a", "b ; extra == 'gcp'", "c ; extra == 'dask'", "d ; extra == 'dev'"],
            "a": [],
            "b": [],
            "d": [],
        }
    )
    assert names() == ["a", "b"]


def test_what_is_required_and_missing_is_an_error(installed):
    installed({"product": ["a"]})
    with pytest.raises(UserError, match=r"not installed: a; run make setup"):
        names()


@pytest.mark.parametrize(
    ("expression", "field", "classifiers", "expected"),
    [
        ("MIT", "Apache", ["License :: OSI Approved :: BSD License"], "MIT"),
        ("", "BSD-3-Clause", ["License :: OSI Approved :: BSD License"], "BSD-3-Clause"),
        ("", "Dual License", ["License :: OSI Approved :: BSD License"], "BSD License"),
        ("", "Copyright (c) 2001\nall of the text", ["License :: OSI Approved :: BSD License"], "BSD License"),
        ("", "\n  MIT License\n\nCopyright (c)", [], "MIT License"),
        ("", "=====\nThe terms", [], licences.UNKNOWN),
        ("", "", ["Topic :: Multimedia"], licences.UNKNOWN),
    ],
)
def test_where_the_name_is_taken_from(expression, field, classifiers, expected):
    assert licences.licence_name(expression, field, classifiers) == expected


@pytest.mark.parametrize(
    ("licence", "kind"),
    [
        ("MIT", ""),
        ("GPL-3.0-only", "strong"),
        ("AGPL-3.0-only", "strong"),
        ("GNU General Public License v2 (GPLv2)", "strong"),
        ("LGPL-2.1-or-later", "weak"),
        ("GNU Lesser General Public License v3 (LGPLv3)", "weak"),
        ("Mozilla Public License 2.0 (MPL 2.0)", "weak"),
        ("GPL-2.0-only OR MIT", ""),  # may be chosen
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", "weak"),  # may not
        ("UNKNOWN", ""),
    ],
)
def test_copyleft(licence, kind):
    assert licences.copyleft(licence) == kind


def test_gpl_libraries_in_an_ffmpeg_that_calls_itself_lgpl_are_told():
    assert "linked with libx264 and libx265 (GPL" in licences.ffmpeg_words(
        "LGPL version 3", ("libx264", "libx265")
    )
    assert "linked" not in licences.ffmpeg_words("LGPL version 3", ())
    assert "linked" not in licences.ffmpeg_words("GPL version 3", ("libx264",))  # it says so itself


@pytest.mark.parametrize(
    ("says", "gpl_libraries", "expected"),
    [
        ("LGPL version 3 or later", ("libx264",), "GPL-3.0-or-later"),
        ("LGPL version 2.1 or later", ("libx264",), "GPL-2.0-or-later"),
        ("LGPL version 3 or later", (), "LGPL-3.0-or-later"),
        ("LGPL version 2.1 or later", (), "LGPL-2.1-or-later"),
        ("GPL version 2 or later", (), "GPL-2.0-or-later"),
        ("GPL version 3 or later", ("libx265",), "GPL-3.0-or-later"),
    ],
)
def test_what_an_ffmpeg_may_be_passed_on_under(says, gpl_libraries, expected):
    assert licences.ffmpeg_in_effect(says, gpl_libraries) == expected


def test_the_ffmpeg_inside_this_pyav_is_found_out():
    says, gpl_libraries = licences.ffmpeg_licence()
    assert "version" in says
    assert "libx264" in gpl_libraries  # with which the demo writes its videos


def test_the_command_lists_this_environment(capsys):
    assert doctor.main(["avinst doctor", "--licences"]) == 0
    table = capsys.readouterr().out
    assert doctor.main(["avinst doctor", "--licences", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["keras"]["licence"] == "Apache License 2.0"
    assert rows["tqdm"]["copyleft"] == "weak"
    assert "FFmpeg" in rows["av"]["note"]
    # What a gate on these fields has to see: PyAV is BSD, its wheel is not.
    assert rows["av"]["licence"] == "BSD-3-Clause"
    assert (rows["av"]["copyleft"], rows["av"]["bundled"]) == ("strong", "GPL-3.0-or-later")
    assert [name for name, row in rows.items() if row["bundled"]] == ["av"]
    # A new dependency of that kind is a decision, not an accident: docs/supply-chain.md.
    assert [name for name, row in rows.items() if row["copyleft"] == "strong"] == ["av"]
    assert {name for name, row in rows.items() if row["licence"] == licences.UNKNOWN} <= {"namex"}
    assert not {"avinst", "pytest", "mypy"} & set(rows)  # neither itself nor what only developers need
    assert f"{len(rows)} packages" in table
    assert "weak copyleft" in table
    assert "copyleft: av (bundled: GPL-3.0-or-later), " in table
