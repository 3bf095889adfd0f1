"""Each known data set from a small file in exactly its published syntax."""

import json

import pytest

from avinst.errors import UserError
from avinst.manifests.annotations import Annotation
from avinst.manifests.formats import FORMATS


@pytest.fixture
def read(tmp_path):
    def read_texts(format_name, *texts, names=()):
        files = [tmp_path / (names[at] if names else f"file{at}") for at in range(len(texts))]
        for file, text in zip(files, texts, strict=True):
            file.write_bytes(text.encode())
        return FORMATS[format_name].read([str(file) for file in files])

    return read_texts


def test_icmr2017_takes_the_class_from_the_folder(read):
    # trumpet has 1 there, though flute and others come before it in the alphabet
    text = "./violinPerformance/_iiwx8skEBs,6\n./trumpetPerformance/-0a.b,1\n./chamberMusic/AAAAAAAAAAA,3\n"
    assert read("icmr2017", text) == [
        Annotation("./violinPerformance/_iiwx8skEBs", ("violin",), group="_iiwx8skEBs"),
        Annotation("./trumpetPerformance/-0a.b", ("trumpet",), group="-0a.b"),
        Annotation("./chamberMusic/AAAAAAAAAAA", ("chamberMusic",), group="AAAAAAAAAAA"),
    ]


def test_fcvid_joins_its_two_files_line_by_line(read):
    videos = "violinPerformance/a b.mp4 train\r\ncelloPerformance/-c.flv test\r\ncelloPerformance/d.mp4 train\r\n"
    assert read("fcvid", videos, "0 1 0\n1 0 0\n1 1 0\n") == [
        Annotation("violinPerformance/a b.mp4", ("violin",), "train", group="a b"),
        Annotation("celloPerformance/-c.flv", ("cello",), "test", group="-c"),
        Annotation("celloPerformance/d.mp4", ("cello", "violin"), "train", group="d"),
    ]


def test_fcvid_with_the_names_of_its_classes(read):
    (row,) = read("fcvid", "x/a.mp4 test", "1 1", "cello\nviolin\n")
    assert row.labels == ("cello", "violin")


def test_music_duets_have_two_labels(read):
    content = {"videos": {"flute": ["-abc"], "saxophone acoustic_guitar": ["x_y"]}}
    assert read("music", json.dumps(content)) == [
        Annotation("-abc", ("flute",), group="-abc"),
        Annotation("x_y", ("saxophone", "acoustic_guitar"), group="x_y"),
    ]


def test_solos_counts_in_frames(read):
    rows = read("solos", '{"Trombone": {"_W2VM3uinZA": [[18, 750], [760, 2028]]}}')
    # 18 / 25, 750 / 25, 760 / 25, 2028 / 25
    assert [(row.start_seconds, row.end_seconds) for row in rows] == [(0.72, 30.0), (30.4, 81.12)]
    assert {(row.name, row.labels, row.split, row.group) for row in rows} == {
        ("_W2VM3uinZA", ("Trombone",), "", "_W2VM3uinZA")
    }


def test_vggsound_labels_may_hold_commas(read):
    text = '---g-f_I2yQ,1,people marching,test\n-0p7hKXZ1ww,70,"playing violin, fiddle",train\n'
    assert read("vggsound", text) == [
        Annotation("---g-f_I2yQ", ("people marching",), "test", 1, 11, "---g-f_I2yQ"),
        Annotation("-0p7hKXZ1ww", ("playing violin, fiddle",), "train", 70, 80, "-0p7hKXZ1ww"),
    ]


AUDIOSET = (
    "# Segments csv created Sun Mar  5 10:54:31 2017\n"
    "# num_ytids=20371, num_segs=20371, num_unique_labels=527, num_positive_labels=51804\n"
    "# YTID, start_seconds, end_seconds, positive_labels\n"
    '--4gqARaEJE, 0.000, 10.000, "/m/068hy,/m/07q6cd_,/m/0bt9lr"\n'
    '#not, a, "row"\n'
    '-0SdAVK79lg, 30.500, 40.500, "/m/0bt9lr"\n'
)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("eval_segments.csv", "test"),
        ("balanced_train_segments.csv", "train"),
        ("unbalanced_train_segments.csv", "train"),
        ("some.csv", ""),
    ],
)
def test_audioset(read, name, split):
    assert read("audioset", AUDIOSET, names=[name]) == [
        Annotation("--4gqARaEJE", ("/m/068hy", "/m/07q6cd_", "/m/0bt9lr"), split, 0, 10, "--4gqARaEJE"),
        Annotation("-0SdAVK79lg", ("/m/0bt9lr",), split, 30.5, 40.5, "-0SdAVK79lg"),
    ]


def test_audioset_with_the_names_of_its_classes(read):
    names = 'index,mid,display_name\n0,/m/068hy,"Domestic animals, pets"\n1,/m/07q6cd_,Squeak\n2,/m/0bt9lr,Dog\n'
    rows = read("audioset", AUDIOSET, names)
    assert [row.labels for row in rows] == [("Domestic animals, pets", "Squeak", "Dog"), ("Dog",)]
    with pytest.raises(UserError, match=r"1 bad line: line 4: label '/m/07q6cd_' is not in the file"):
        read("audioset", AUDIOSET, names.replace("/m/07q6cd_", "/m/other"))


@pytest.mark.parametrize(("name", "split"), [("train", "train"), ("validate", "validation"), ("test", "test")])
def test_kinetics(read, name, split):
    text = f'label,youtube_id,time_start,time_end,split\n"playing harp",-0x_,7,17,{name}\n'
    assert read("kinetics", text) == [Annotation("-0x_", ("playing harp",), split, 7, 17, "-0x_")]


def test_kinetics_columns_of_its_first_release(read):
    (row,) = read("kinetics", "label,youtube_id,time_start,time_end,split,is_cc\nharp,a,7,17,val,0\n")
    assert row.split == "validation"


@pytest.mark.parametrize(
    ("format_name", "texts", "message"),
    [
        (
            "icmr2017",
            ["./aPerformance/x,1\n./aPerformance/y,2\n"],
            "line 2: class 'a' has number 2, in an earlier",
        ),
        ("icmr2017", ["./a/x,1\n\n./b/y,1\n"], "line 3: number 1 is class 'b', in an earlier line 'a'"),
        (
            "icmr2017",
            ["./a/x\nx,1\n"],
            "2 bad lines: line 1: './a/x'; expected ./FOLDER/ID,NUMBER; line 2: 'x' has",
        ),
        ("fcvid", ["a/x.mp4 train\n"], "fcvid takes --annotations=FCVID_VideoName_TrainTestSplit.txt"),
        ("fcvid", ["a/x.mp4 train\na/y.mp4 dev\nz\n", "1\n"], "2 bad lines: line 2: split 'dev'; expected one of"),
        ("fcvid", ["a/x.mp4 train\n", "1 0\n1 0\n"], "has 1 videos"),
        ("fcvid", ["a/x.mp4 train\n", "2 1\n"], "line 1: '2'; expected 0 or 1"),
        ("fcvid", ["a/x.mp4 train\na/y.mp4 test", "0 1\n1\n"], "line 2: 1 columns; expected 2"),
        ("fcvid", ["a/x.mp4 train\n", "0 0\n"], "line 1: no label"),
        (
            "fcvid",
            ["a/x.mp4 train\nb/y.mp4 test", "1 0\n1 0"],
            "column 1 is 'a' by an earlier video, but 'b/y.mp4'",
        ),
        ("fcvid", ["a/x.mp4 train\na/y.mp4 test", "1 0\n0 1"], "two columns hold the videos of the folder of 'a'"),
        ("fcvid", ["a/x.mp4 train\n", "1 1\n"], "column 1 is never a video's only label"),
        ("fcvid", ["a/x.mp4 train\n", "1 1\n", "one\n"], "has 1 different names; expected 2"),
        ("music", ["[1]"], 'expected {"videos"'),
        ("music", ['{"videos": {"flute": [3], "harp": "x"}}'], "2 bad entries: 'flute': expected a YouTube id"),
        ("music", ['{"videos": {"a|b": ["x"]}}'], "may not hold '|'"),
        ("music", ['{"videos": {"flute": ["a"], "flute": ["b"]}}'], "key 'flute' is there twice"),
        ("music", ['{"videos": \n{'], "line 2: not JSON"),
        ("music", ['{"videos": {}}'], "holds no annotations"),
        ("music", ["[" * 100_000], "nested too deeply"),
        (
            "solos",
            ['{"Oboe": {"x": [[1]], "y": [[5, 5]], "z": 7}}'],
            "3 bad entries: 'Oboe', 'x': expected [first",
        ),
        ("solos", ['{"Oboe": []}'], 'expected {"Instrument"'),
        (
            "vggsound",
            ["a,1,x,test\nb,2,x, y,test\nc,z,x,test\n"],
            "2 bad lines: line 2: 5 fields; expected id,start",
        ),
        ("vggsound", ["a,-1,x,test\n,1,x,test\nc,1,,test\n"], "line 2: the id is empty; line 3: 'c' has no label"),
        ("vggsound", ['a,1,"x,test\nb,1,x,test\nc,1,x,tset\n'], "2 bad lines: line 1: not CSV"),
        ("vggsound", ["a,nan,x,test\n"], "line 1: 'nan' is no number of seconds"),
        ("audioset", ["# a\na, 1, 2, /m/1,/m/2\n"], "line 2: 5 fields; expected YTID"),
        ("audioset", ['a, 2, 1, "/m/1"\n'], "line 1: 'a' from 2 to 1 s; expected 0 <= start < end"),
        ("audioset", ["index,mid,display_name\n0,/m/1,x\n"], "add a segment file"),
        ("kinetics", ["youtube_id,time_start,time_end,split\na,1,2,test\n"], "column 'label' is missing"),
        ("kinetics", ["label,youtube_id,time_start,time_end\nx,a,1\n"], "line 2: 3 fields; the header has 4"),
        ("kinetics", [""], "column 'label' is missing"),
        ("kinetics", ["label,youtube_id,time_start,time_end\n"], "holds no annotations"),
    ],
)
def test_files_with_errors(read, format_name, texts, message):
    with pytest.raises(UserError) as error:
        read(format_name, *texts)
    assert message in str(error.value)
