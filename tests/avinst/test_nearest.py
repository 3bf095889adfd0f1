import pytest

from avinst.nearest import file_hint, hint, nearest


def test_the_nearest_name():
    assert nearest("violn", ["piano", "violin", "viola"]) == "violin"
    assert nearest("VIOLIN", ["piano", "Violin"]) == "Violin"
    assert nearest("drums", ["piano", "violin"]) is None


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("--sceme", "--scheme"),
        ("--out_dir", "--output_dir"),
        ("--run", "--run_dir"),
        ("tset", "test"),
        ("val", "validation"),
        ("inception", "inception_v3"),
        ("kee", "key"),
        ("kee.json", "key.json"),
        ("foto.jpg", "photo.jpg"),
        ("clip.mp3", "clip.mp4"),
        ("manifest.jsonl", "manifest.csv"),
    ],
)
def test_names_that_are_alike(name, known):
    assert nearest(name, [known]) == known


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("--frobnicate", "--job_name"),
        ("nope.csv", "manifest.csv"),
        ("nope.h5", "none"),
        ("a.mp4", "b.mp4"),
        ("--verbose", "version"),
        ("other.mp4", "clip.mp4"),
        ("v", "violin"),
        ("--", "--violin"),
    ],
)
def test_names_that_are_not_alike(name, known):
    assert nearest(name, [known]) is None


def test_the_most_alike_is_named():
    assert nearest("frame_sise", ["frame_fit", "frame_size", "frame_sizes"]) == "frame_size"
    assert nearest("val", ["value_of_another_thing", "validation"]) == "validation"


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
