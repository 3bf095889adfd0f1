import json

import pytest

from avinst import manifest
from avinst.manifests.formats import FORMATS
from avinst.manifests.rows import read_manifest
from avinst.splits import unit_interval_hash


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


@pytest.fixture
def clips(tmp_path):
    """A data set of five annotated clips: two trimmed, one whole video, two that are gone."""
    media = tmp_path / "media"
    for name in ("-harp-video_000030.mp4", "train/violin00000.webm", "train/cello000000_000005_000015.mkv"):
        (media / name).parent.mkdir(parents=True, exist_ok=True)
        (media / name).touch()
    (tmp_path / "vggsound.csv").write_text(
        "-harp-video,30,playing harp,test\n"
        'violin00000,7,"playing violin, fiddle",train\n'
        "cello000000,5,playing cello,train\n"
        "gone0000000,5,playing cello,train\n"
        "gone0000001,5,playing cello,train\n"
    )
    return tmp_path


def run_vggsound(clips, *flags):
    known = ["--format=vggsound", f"--annotations={clips}/vggsound.csv", f"--media_root={clips}/media"]
    return run(*known, f"--output={clips}/out.csv", *flags)


def run(*flags):
    return manifest.main(["avinst manifest", *flags])


def test_json(videos, capsys):
    output = videos.parent / "manifest.csv"
    assert run(f"--media_root={videos}", f"--output={output}", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "manifest": str(output),
        "rows": 3,
        "videos": 3,
        "labels": {"drum": 1, "violin": 2},
        "splits": {},
        "notes": ["left out: 1 videos that lie in no class folder"],
    }


def test_class_folders(videos, capsys):
    output = videos.parent / "manifest.csv"
    assert run("--format=folders", f"--media_root={videos}", f"--output={output}") == 0
    rows = read_manifest(str(output), str(videos))
    assert [(row.video_path, row.labels) for row in rows] == [
        ("drum/-x, y.webm", ("drum",)),
        ("violin/b.mp4", ("violin",)),
        ("violin/deep/a.MKV", ("violin",)),
    ]
    output_text = capsys.readouterr().out
    assert "3 videos, 2 labels (drum 1, violin 2)" in output_text
    assert "left out: 1 videos that lie in no class folder" in output_text


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
        (["--media_root={videos}", "--format=solos"], 2, "--annotations is missing; solos is Solos' JSON"),
        (["--media_root={videos}", "--annotations=x"], 2, "--annotations with --format=folders"),
        (["--media_root={videos}", "--format=solos", "--annotations=/no/x"], 1, "no annotation file at '/no/x'"),
        (["--media_root={videos}", "--validation_share=0.1"], 1, "gives no training split"),
    ],
)
def test_wrong_use_is_one_line(videos, tmp_path, capsys, flags, status, message):
    (tmp_path / "empty").mkdir()
    assert run(*(flag.format(videos=videos, empty=tmp_path / "empty") for flag in flags)) == status
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_an_edited_manifest_is_replaced_only_when_asked(videos, tmp_path, capsys):
    output = tmp_path / "manifest.csv"
    flags = [f"--media_root={videos}", f"--output={output}"]
    assert run(*flags) == 0
    made = output.read_text()
    assert run(*flags) == 0  # nothing would change
    output.write_text(made.replace("drum/-x, y.webm", "drum/edited.webm"))
    edited = output.read_text()
    capsys.readouterr()
    assert run(*flags) == 1
    assert (
        "is there already and says something else; give another --output, or --overwrite"
        in capsys.readouterr().err
    )
    assert output.read_text() == edited
    assert run(*flags, "--overwrite") == 0
    assert output.read_text() == made


def test_a_label_with_the_separator_is_refused(videos, capsys):
    (videos / "violin|cello").mkdir()
    (videos / "violin|cello" / "a.mp4").touch()
    assert run(f"--media_root={videos}") == 1
    assert "rename the folder" in capsys.readouterr().err


def test_clips_of_a_known_data_set(clips, capsys):
    assert run_vggsound(clips) == 0
    assert (clips / "out.csv").read_text().splitlines() == [
        "video_path,label,video_id,split,start_seconds,end_seconds,group",
        "-harp-video_000030.mp4,playing harp,,test,,,-harp-video",
        'train/violin00000.webm,"playing violin, fiddle",train/violin00000_7_17,train,7,17,violin00000',
        "train/cello000000_000005_000015.mkv,playing cello,,train,,,cello000000",
    ]
    assert len(read_manifest(str(clips / "out.csv"), str(clips / "media"))) == 3
    output = capsys.readouterr().out
    assert "3 videos, 3 labels" in output
    assert "train 2, test 1; no validation: --validation_share" in output
    assert "missing: 2 of 5 annotated videos are not below" in output
    assert "('gone0000000', 'gone0000001' ...)" in output


def test_missing_videos_may_stop_it(clips, capsys):
    assert run_vggsound(clips, "--missing=fail") == 1
    assert "2 of 5 annotated videos are not below" in capsys.readouterr().err
    assert not (clips / "out.csv").exists()
    (clips / "empty").mkdir()
    assert run_vggsound(clips, f"--media_root={clips}/empty") == 1
    assert "5 of 5 annotated videos are not below" in capsys.readouterr().err


def test_a_part_of_the_labels_as_jsonl(clips):
    wanted = '--labels="playing violin, fiddle",playing cello'
    assert run_vggsound(clips, wanted, "--validation_share=0.5", f"--output={clips}/out.jsonl") == 0
    rows = read_manifest(str(clips / "out.jsonl"), str(clips / "media"))
    assert [row.labels for row in rows] == [("playing violin, fiddle",), ("playing cello",)]
    halves = {group: unit_interval_hash(group) < 0.5 for group in ("violin00000", "cello000000")}
    assert {row.group: row.split == "validation" for row in rows} == halves


def test_help_has_a_line_for_each_format(capsys):
    assert run("--help") == 0
    lines = capsys.readouterr().out.splitlines()
    for name in FORMATS:
        assert len([line for line in lines if line.startswith(f"  {name} ")]) == 1
    assert max(map(len, lines)) <= 120
