import pytest

from avinst import manifest
from avinst.manifest_rows import read_manifest


@pytest.fixture
def videos(tmp_path):
    for name in ("violin/b.mp4", "violin/deep/a.MKV", "drum/-x, y.webm", "drum/notes.txt", "drum/.hidden.mp4"):
        file = tmp_path / "videos" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (tmp_path / "videos" / ".cache").mkdir()
    (tmp_path / "videos" / ".cache" / "c.mp4").touch()
    (tmp_path / "videos" / "loose.mp4").touch()
    return tmp_path / "videos"


def run(*flags):
    return manifest.main(["avinst manifest", *flags])


def test_class_folders(videos, capsys):
    output = videos.parent / "manifest.csv"
    assert run("--format=folders", f"--media_root={videos}", f"--output={output}") == 0
    rows = read_manifest(str(output), str(videos))
    assert [(row.video_path, row.labels) for row in rows] == [
        ("drum/-x, y.webm", ("drum",)),
        ("violin/b.mp4", ("violin",)),
        ("violin/deep/a.MKV", ("violin",)),
    ]
    assert "3 videos, 2 labels (drum 1, violin 2)" in capsys.readouterr().out


def test_one_name_with_two_endings_stays_two_recordings(videos):
    (videos / "violin" / "b.avi").touch()
    output = videos.parent / "manifest.csv"
    assert run(f"--media_root={videos}", f"--output={output}") == 0
    assert len({row.video_id for row in read_manifest(str(output), str(videos))}) == 4


@pytest.mark.parametrize(
    ("flags", "status", "message"),
    [
        ([], 2, "--media_root is missing"),
        (["--media_root=/nowhere"], 1, "no folder '/nowhere'"),
        (["--media_root={empty}"], 1, "no videos in the class folders"),
        (["--media_root={videos}", "--output=/nowhere/x.csv"], 1, "cannot write '/nowhere/x.csv'"),
        (["--media_root={videos}", "--format=coco"], 2, "format"),
    ],
)
def test_wrong_use_is_one_line(videos, tmp_path, capsys, flags, status, message):
    (tmp_path / "empty").mkdir()
    assert run(*(flag.format(videos=videos, empty=tmp_path / "empty") for flag in flags)) == status
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_label_with_the_separator_is_refused(videos, capsys):
    (videos / "violin|cello").mkdir()
    (videos / "violin|cello" / "a.mp4").touch()
    assert run(f"--media_root={videos}") == 1
    assert "rename the folder" in capsys.readouterr().err
