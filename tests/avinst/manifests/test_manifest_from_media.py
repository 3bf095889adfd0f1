import json
from pathlib import Path

import pytest

import avinst
from avinst import manifest
from avinst.manifests.formats import FORMATS


@pytest.fixture
def videos(tmp_path):
    for name in ("violin/b.mp4", "drum/a.webm", "loose.mp4"):
        file = tmp_path / "videos" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return str(tmp_path / "videos")


def test_the_rows_are_returned_and_written_and_what_is_left_out_is_told(videos, tmp_path, capfd):
    output = str(tmp_path / "manifest.csv")
    rows = avinst.make_manifest(videos, output)
    assert [(row.video_path, row.labels) for row in rows] == [
        ("drum/a.webm", ("drum",)),
        ("violin/b.mp4", ("violin",)),
    ]
    assert avinst.read_manifest(output, videos) == rows
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == "left out: 1 videos that lie in no class folder\n"


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        (
            {"format_name": "folder"},
            f"format='folder': expected one of {', '.join(FORMATS)}; did you mean 'folders'?",
        ),
        ({"missing": "skipp"}, "missing='skipp': expected one of skip, fail; did you mean 'skip'?"),
    ],
)
def test_a_choice_that_is_not_there_is_told_with_all_there_are(videos, tmp_path, argument, told):
    with pytest.raises(avinst.UserError) as error:
        avinst.make_manifest(videos, str(tmp_path / "manifest.csv"), **argument)
    assert str(error.value) == told


@pytest.mark.parametrize("name", ["labels", "annotations"])
def test_a_name_where_a_list_is_meant_is_told(videos, tmp_path, name):
    with pytest.raises(avinst.UserError) as error:
        avinst.make_manifest(videos, str(tmp_path / "manifest.csv"), **{name: "violin"})
    assert str(error.value) == f"{name}='violin': expected a list, such as ['violin']"


def test_all_that_is_left_out_is_among_the_notes(videos, tmp_path, capfd):
    (Path(videos) / "drum" / "gone.mp4").symlink_to("nowhere.mp4")
    argv = ["x", f"--media_root={videos}", f"--output={tmp_path}/m.csv"]
    assert manifest.main([*argv, "--json"]) == 0
    captured = capfd.readouterr()
    first, second = json.loads(captured.out)["notes"]
    assert first.endswith("such as 'drum/gone.mp4'")
    assert second == "left out: 1 videos that lie in no class folder"
    assert captured.err == ""
    assert manifest.main(argv) == 0
    captured = capfd.readouterr()
    assert captured.out.splitlines()[1:] == [first, second]
    assert captured.err == ""
