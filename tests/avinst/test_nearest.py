import pytest

from avinst.nearest import file_hint, hint, nearest


def test_the_nearest_name():
    assert nearest("violn", ["piano", "violin", "viola"]) == "violin"
    assert nearest("VIOLIN", ["piano", "Violin"]) == "Violin"
    assert nearest("drums", ["piano", "violin"]) is None


def test_the_hint():
    assert hint("violn", ["violin"]) == "did you mean 'violin'?"
    assert hint("--sceme", ["--scheme"]) == "did you mean --scheme?"
    assert hint("x", ["violin"], "there is violin") == "there is violin"


def test_files_that_are_nearly_there(tmp_path):
    (tmp_path / "manifest.csv").touch()
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "clip.mp4").touch()
    assert file_hint(f"{tmp_path}/manifest.cvs") == f"; did you mean '{tmp_path}/manifest.csv'?"
    assert file_hint(f"{tmp_path}/video/") == f"; did you mean '{tmp_path}/videos'?"
    # The folder is misspelt, the file is there.
    assert file_hint(f"{tmp_path}/vidoes/clip.mp4") == f"; did you mean '{tmp_path}/videos/clip.mp4'?"
    assert file_hint(f"{tmp_path}/vidoes/other.mp4") == ""


@pytest.mark.parametrize("path", ["nothing_like_it_is_here", "gs://bucket/x", "", "/", "a\0b", "none/at/all"])
def test_nothing_is_made_up(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert file_hint(path) == ""
