"""Annotations meet files: what is found by which name, and that what is written is read back the same."""

import errno
import math
import os
import sys
import types

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avinst.errors import UserError
from avinst.manifests.annotations import Annotation
from avinst.manifests.making import (
    distinct_ids,
    keep_labels,
    one_group_a_file,
    one_row_a_span,
    one_split_a_group,
    place,
    take_validation,
)
from avinst.manifests.media_index import MediaIndex, list_videos
from avinst.manifests.rows import ManifestRow, read_manifest
from avinst.manifests.writing import write_manifest
from avinst.splits import unit_interval_hash

ID = "-W2VM3uinZA"


def row(path, labels=("x",), split="", start=0.0, end=math.inf, group="", video_id=""):
    return ManifestRow(path, labels, video_id, split, start, end, group)


@pytest.mark.parametrize("extension", [".mp4", ".MKV", ".webm"])
@pytest.mark.parametrize(
    "name",
    ["_000030_000040", "_30_40", "_30.000_40.000", "_30000_40000", "_000030", "_30", "_30.000"],
)
def test_a_trimmed_clip_is_taken_whole(name, extension):
    media = MediaIndex([f"{ID}.mp4", f"deep/{ID}{name}{extension}"])
    rows, missing = place([Annotation(ID, ("x",), "train", 30, 40, ID)], media)
    assert rows == [row(f"deep/{ID}{name}{extension}", split="train", group=ID)]
    assert not missing


def test_of_a_whole_video_only_the_span_is_taken():
    media = MediaIndex([f"{ID}_000041_000051.mp4", f"v/{ID}.webm"])
    rows, _ = place([Annotation(ID, ("x",), "", 30, 40, ID)], media)
    assert distinct_ids(rows) == [row(f"v/{ID}.webm", start=30, end=40, group=ID, video_id=f"v/{ID}_30_40")]
    assert place([Annotation(ID, ("x",), "", 30, 40, ID)], media, trimmed=True)[0] == [
        row(f"v/{ID}.webm", group=ID)
    ]


def test_a_path_finds_its_own_file_and_an_id_any():
    media = MediaIndex(["all/a/1.mp4", "all/b/1.mp4", f"new/{ID}.mkv"])
    assert media.find("./b/1") == "all/b/1.mp4"
    assert media.find("b/1.avi") == "all/b/1.mp4"  # turned into mp4 by the user
    assert media.find("c/1.mp4") is None  # another video of the same number
    assert media.find(f"old/{ID}") == f"new/{ID}.mkv"
    assert media.find("missing") is None


def test_of_files_with_one_name_the_label_decides():
    media = MediaIndex(["cello/a.mp4", "violin/a.mp4", "drum/a.mp4"])
    assert media.find("a", ("violin",)) == "violin/a.mp4"
    assert media.find("a") == "cello/a.mp4"


def test_the_folder_is_listed_with_its_links_and_without_hidden_files(tmp_path, capsys):
    for name in ("a/-x.mp4", "a/.x.mp4", ".b/x.mp4", "a/x.txt", "a/x.part", "z.MOV"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "a" / "round").symlink_to(tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "y.mp4").touch()
    (tmp_path / "broken.mp4").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "a" / "pipe.mp4")
    assert list_videos(str(tmp_path)) == ["a/-x.mp4", "other/y.mp4", "z.MOV"]
    told = capsys.readouterr().err
    assert told == "left out: 2 that are no files but links to nothing, pipes or devices, such as 'broken.mp4'\n"


def test_a_folder_in_the_cloud(monkeypatch):
    found = [("gs://b/v/", [], ["x.mp4"]), ("gs://b/v/a", [], ["y.mp4", ".z.mp4"]), ("gs://b/v/.c", [], ["w.mp4"])]
    gfile = types.SimpleNamespace(walk=lambda root: found if root == "gs://b/v" else [], isdir=lambda path: True)
    fake = types.SimpleNamespace(io=types.SimpleNamespace(gfile=gfile))
    monkeypatch.setitem(sys.modules, "tensorflow", fake)
    monkeypatch.setattr("avinst.manifests.media_index.import_tensorflow_quietly", lambda: None)
    assert list_videos("gs://b/v/") == ["a/y.mp4", "x.mp4"]


def test_a_folder_that_may_not_be_listed(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    monkeypatch.setattr(os, "scandir", refuse)  # a folder's mode stops no test that runs as root
    with pytest.raises(UserError, match=r"cannot list .*: Permission denied"):
        list_videos(str(tmp_path))


def test_only_the_wanted_labels_stay():
    rows = [Annotation("a", ("x", "y")), Annotation("b", ("z",))]
    assert keep_labels(rows, ["y"]) == [Annotation("a", ("y",))]
    with pytest.raises(UserError, match="no annotation has 'w'"):
        keep_labels(rows, ["w"])


def test_a_recording_in_two_splits_stays_in_the_test():
    rows = [
        row("a", split="train", group="g"),
        row("b", split="test", group="g"),
        row("c", split="train", group="h"),
    ]
    assert one_split_a_group(rows) == ([rows[1], rows[2]], 1)
    assert one_split_a_group([row("a"), row("b", split="train")]) == ([row("a"), row("b", split="train")], 0)


def test_spans_of_one_file():
    rows = [
        row("a", ("x",), start=5, end=9),
        row("a", ("y",), start=5, end=9),  # the same: both labels
        row("a", start=8, end=12),  # overlaps
        row("a", start=9, end=12),
        row("b"),
    ]
    assert one_row_a_span(rows) == ([row("a", ("x", "y"), start=5, end=9), rows[3], rows[4]], 1)


def test_validation_comes_out_of_training_by_the_hash_of_the_group():
    rows = [row(f"{n}", split="train", group=f"g{n}") for n in range(200)] + [row("t", split="test", group="t")]
    taken = take_validation(rows, 0.25)
    assert [r.split for r in taken[:-1]] == [
        "validation" if unit_interval_hash(r.group) < 0.25 else "train" for r in rows[:-1]
    ]
    assert taken[-1].split == "test"
    for bad in ([row("a")], [*rows, row("v", split="validation")]):
        with pytest.raises(UserError, match="--validation_share"):
            take_validation(bad, 0.25)


def test_a_file_is_of_one_group():
    rows = [row("a", start=0, end=1), row("a", group="g", start=1, end=2), row("b", group="g")]
    assert [found.group for found in one_group_a_file(rows)] == ["a", "a", "g"]


names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1, max_size=8)
files = st.builds(
    lambda folders, name, extension: "/".join([*folders, name + extension]),
    st.lists(names.filter(lambda name: name not in (".", "..")), max_size=2),
    st.one_of(names, st.just(ID)),
    st.sampled_from([".mp4", ".avi", ".MP4", ".mp4.mp4"]),
)
label_names = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=8)
labels = st.lists(label_names.map(str.strip).filter(lambda name: name and "|" not in name), min_size=1, max_size=3)
found_rows = st.builds(
    lambda path, labels, group, split, start, length: row(
        path, tuple(dict.fromkeys(labels)), split, start, start + length, group
    ),
    files,
    labels,
    st.sampled_from(["", "g", "-h", "ä,\n"]),
    st.sampled_from(["", "train", "validation", "test"]),
    st.one_of(st.just(0.0), st.floats(0, 1e5)),
    st.one_of(st.just(math.inf), st.floats(0.04, 1e5)),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(found_rows, min_size=1, max_size=8), st.sampled_from(["m.csv", "m.jsonl"]))
def test_whatever_is_written_is_read_back_the_same(tmp_path, rows, name):
    """Also: no annotations whatsoever lead to a manifest that `read_manifest` refuses."""
    rows, _ = one_split_a_group(one_group_a_file(rows))
    rows, _ = one_row_a_span(rows)
    rows = distinct_ids(rows)
    write_manifest(rows, str(tmp_path / name))
    assert read_manifest(str(tmp_path / name), str(tmp_path / "media")) == rows


@pytest.mark.parametrize("name", ["m.csv", "m.jsonl"])
@pytest.mark.parametrize(
    ("video_id", "group"), [("song", "song"), ("song", "a/b"), ("a/b", "song"), ("a/b", "a/b"), ("song", "other")]
)
def test_ids_and_groups_of_ones_own_are_read_back_the_same(tmp_path, name, video_id, group):
    rows = [row("a/b.mp4", video_id=video_id, group=group)]
    write_manifest(rows, str(tmp_path / name))
    assert read_manifest(str(tmp_path / name), str(tmp_path / "media")) == rows


def test_only_the_needed_columns_are_written(tmp_path):
    write_manifest([row("a/b.mp4", ("x", "y"), video_id="a/b", group="a/b")], str(tmp_path / "m.csv"))
    assert (tmp_path / "m.csv").read_text() == "video_path,label\na/b.mp4,x|y\n"
    write_manifest([row("b.mp4", ("x", "y"), "test", 0, 1.5, "g", "b")], str(tmp_path / "m.jsonl"))
    assert (tmp_path / "m.jsonl").read_text() == (
        '{"video_path": "b.mp4", "label": ["x", "y"], "split": "test", "end_seconds": "1.5", "group": "g"}\n'
    )


def test_a_file_name_that_is_no_text(tmp_path):
    with pytest.raises(UserError, match="is not UTF-8 text"):
        write_manifest([row("a\udcff.mp4", video_id="a", group="a")], str(tmp_path / "m.csv"))
    assert not list(tmp_path.iterdir())


def test_only_rows_that_would_share_an_id_keep_the_extension():
    rows = [row("v/a.mp4"), row("v/a.avi"), row("v/b.mp4"), row("c.mp4", start=0.72, end=30), row("d.ts", start=5)]
    ids = [r.video_id for r in distinct_ids(rows)]
    assert ids == ["v/a.mp4", "v/a.avi", "v/b", "c_0.72_30", "d_5_end"]
    rows = [row("a.mp4"), row("a.avi"), row("a.mp4.mp4")]
    assert [r.video_id for r in distinct_ids(rows)] == ["a.mp4", "a.avi", "a.mp4.mp4"]
