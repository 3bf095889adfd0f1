from pathlib import Path

import pytest

from avinst import paths
from avinst.errors import UserError
from avinst.paths_below import relative_below, stays_below


def test_join_keeps_remote_slashes():
    assert paths.join("gs://bucket/a/", "b", "c") == "gs://bucket/a/b/c"
    assert paths.join("a", "b") == "a/b"


@pytest.mark.parametrize(
    ("root", "path", "relative"),
    [
        ("gs://bucket/media", "gs://bucket/media/x/a.mp4", "x/a.mp4"),
        ("gs://bucket/media/", "x/a.mp4", "x/a.mp4"),
        (".", "./x//a.mp4", "x/a.mp4"),
        (".", "-a.mp4", "-a.mp4"),
    ],
)
def test_relative_below(root, path, relative):
    assert relative_below(root, path) == relative


@pytest.mark.parametrize("path", ["gs://bucket/media-2/a.mp4", "gs://bucket/media/../a.mp4", "ftp://bucket/a.mp4"])
def test_remote_paths_that_leave_the_root(path):
    with pytest.raises(UserError):
        relative_below("gs://bucket/media", path)


def test_writing_is_whole_or_not_at_all(tmp_path):
    file = tmp_path / "a.txt"
    paths.write_text(str(file), "one\n")
    with pytest.raises(RuntimeError), paths.replacing(str(file)) as temporary:  # noqa: PT012  # both lines are the case
        (tmp_path / temporary).write_text("half")
        raise RuntimeError
    assert file.read_text() == "one\n"
    assert paths.list_directory(str(tmp_path)) == ["a.txt"]


def test_a_directory_with_a_slash_at_its_end_is_replaced_beside_and_not_within_itself(tmp_path):
    (tmp_path / "model").mkdir()
    with paths.replacing(f"{tmp_path}/model/") as temporary:
        Path(temporary).mkdir()
        Path(temporary, "new").touch()
        paths.remove(f"{tmp_path}/model/")  # as an export does before the new one takes its place
    assert [str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*")] == ["model", "model/new"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a/b/", "a/b"), ("gs://b/a//", "gs://b/a"), ("a", "a"), ("/", "/"), ("gs://", "gs://"), ("", "")],
)
def test_the_slash_at_the_end_goes_but_a_root_stays(path, expected):
    assert paths.without_last_slash(path) == expected


def test_a_file_in_the_place_of_a_directory(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot make the directory"):
        paths.make_directory(str(tmp_path / "file" / "x"))


def test_remote_files_go_through_tensorflow(tmp_path):
    import tensorflow as tf

    root = "ram://test"  # TensorFlow's file system in memory stands for a cloud one
    paths.make_directory(root)
    paths.write_text(paths.join(root, "a.txt"), "ä")
    assert paths.read_text(paths.join(root, "a.txt")) == "ä"
    assert paths.list_directory(root) == ["a.txt"]
    assert paths.size(paths.join(root, "a.txt")) == 2
    with paths.local_copy(paths.join(root, "a.txt")) as copy:
        assert not paths.is_remote(copy)
        assert paths.read_text(copy) == "ä"
    assert not paths.exists(copy)
    with pytest.raises(paths.RemoteFileError) as error, paths.local_copy(paths.join(root, "none.txt")):
        pass
    assert (error.value.strerror, error.value.filename) == ("not found", "ram://test/none.txt")
    paths.remove(paths.join(root, "a.txt"))
    assert not tf.io.gfile.exists(paths.join(root, "a.txt"))


@pytest.mark.parametrize("remote", [False, True])
def test_a_writer_that_knows_local_files_only_writes_whole_files_anywhere(tmp_path, remote):
    folder = "ram://local-writers" if remote else str(tmp_path)
    paths.make_directory(folder)
    for content in (b"one", b"another"):
        with paths.writing_locally(paths.join(folder, "a.bin")) as local:
            assert not paths.is_remote(local)
            Path(local).write_bytes(content)
        assert paths.read_bytes(paths.join(folder, "a.bin")) == content
    with pytest.raises(RuntimeError), paths.writing_locally(paths.join(folder, "a.bin")) as local:  # noqa: PT012  # both lines are the case
        Path(local).write_bytes(b"half")
        raise RuntimeError
    assert paths.read_bytes(paths.join(folder, "a.bin")) == b"another"
    assert paths.list_directory(folder) == ["a.bin"]
    assert not Path(local).exists()


def test_a_directory_that_cannot_be_written_to_is_found_before_it_is_made(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    paths.check_writable(str(tmp_path / "a" / "b"))
    paths.check_file_writable(str(tmp_path / "sheet.png"))
    for name, told in [("none/sheet.png", f"there is no directory '{tmp_path}/none'"), ("", "it is a directory")]:
        with pytest.raises(UserError, match=told):
            paths.check_file_writable(str(tmp_path / name))
    assert not (tmp_path / "a").exists()
    with pytest.raises(UserError, match=r"'.*/file' is a file"):
        paths.check_writable(str(tmp_path / "file" / "b"))
    monkeypatch.setattr("os.access", lambda *_: False)  # tests may run as root, whom no permission stops
    with pytest.raises(UserError, match="may not be written to; choose another"):
        paths.check_writable(str(tmp_path / "a"))


def test_a_relative_root_is_that_of_the_present_working_directory(tmp_path, monkeypatch):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        assert stays_below(".", f"clips_of_{name}/a.mp4")
        assert not stays_below(".", "../a.mp4")
