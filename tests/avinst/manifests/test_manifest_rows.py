import json
import math

import pytest

from avinst.errors import UserError
from avinst.manifests.rows import read_manifest


def manifest(tmp_path, text, name="manifest.csv"):
    file = tmp_path / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(file)


def read(tmp_path, text, name="manifest.csv"):
    return read_manifest(manifest(tmp_path, text, name), str(tmp_path))


def test_defaults(tmp_path):
    (row,) = read(tmp_path, "video_path,label\nviolin/a.b.mp4,violin\n")
    assert (row.video_path, row.labels, row.video_id) == ("violin/a.b.mp4", ("violin",), "violin/a.b")
    assert (row.split, row.start_seconds, row.end_seconds, row.group) == ("", 0.0, math.inf, "violin/a.b")


def test_what_rows_share_is_held_once(tmp_path):
    """Millions of rows are held in memory."""
    text = "video_path,label,split,group\na.mp4,x|y,train,someone\nb.mp4,x|y,train,someone\nc.mp4,x,,\n"
    first, second, third = read(tmp_path, text)
    assert first.labels is second.labels
    assert first.group is second.group
    assert first.split is second.split
    assert third.video_id is third.group
    assert not hasattr(first, "__dict__")


def test_every_column(tmp_path):
    text = (
        "label,video_path,video_id,split,start_seconds,end_seconds,group\n"
        '"violin|cello, muted|violin",-x y.mp4,id 1,test,1.5,4,someone\n'
    )
    (row,) = read(tmp_path, "\ufeff" + text)
    assert row.labels == ("violin", "cello, muted")
    assert (row.video_path, row.video_id, row.split) == ("-x y.mp4", "id 1", "test")
    assert (row.start_seconds, row.end_seconds, row.group) == (1.5, 4.0, "someone")


def test_jsonl(tmp_path):
    lines = [
        {"video_path": "ä\nb.mp4", "label": ["a", "b"]},
        {"video_path": "c.mp4", "label": "a|b", "end_seconds": 2},
    ]
    rows = read(tmp_path, "\n".join(map(json.dumps, lines)), "m.jsonl")
    assert [row.labels for row in rows] == [("a", "b"), ("a", "b")]
    assert rows[0].video_path == "ä\nb.mp4"
    assert rows[1].end_seconds == 2.0


def test_an_absolute_path_below_the_root_becomes_relative(tmp_path):
    (row,) = read(tmp_path, f"video_path,label\n{tmp_path}/v/a.mp4,x\n")
    assert (row.video_path, row.video_id) == ("v/a.mp4", "v/a")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("../a.mp4", "leaves the media root by '..'"),
        ("a/../../b.mp4", "leaves the media root by '..'"),
        ("/etc/passwd", "is not below the media root"),
        ("http://example.org/a.mp4", "http:// is not allowed"),
        ("file:///etc/passwd", "file:// is not allowed"),
        ("gs://other/a.mp4", "is not below the media root"),
        ("a\0.mp4", "NUL"),
        ("", "video_path is empty"),
        (".", "the media root itself"),
    ],
)
def test_paths_that_leave_the_root(tmp_path, path, message):
    with pytest.raises(UserError, match="1 bad row: line 2: ") as error:
        read(tmp_path, f"video_path,label\n{path},x\n")
    assert message in str(error.value)


def test_a_link_out_of_the_root(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "secret.mp4").touch()
    (tmp_path / "root" / "a.mp4").symlink_to(tmp_path / "secret.mp4")
    with pytest.raises(UserError, match="is a link out of the media root"):
        read(tmp_path / "root", "video_path,label\na.mp4,x\n")


@pytest.mark.parametrize("name", ["a.mp4", "folder/a.mp4"])
def test_a_link_to_itself_is_found_when_it_is_read(tmp_path, name):
    """It leads nowhere, so not out of the root either."""
    (tmp_path / "a.mp4").symlink_to("a.mp4")
    (tmp_path / "folder").symlink_to("folder")
    assert read(tmp_path, f"video_path,label\n{name},x\n")[0].video_path == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "video_path,lable\na,b\n",
            "unknown column 'lable', column 'label' is missing; a manifest has video_path, label and may have",
        ),
        ("video_path\na\n", "column 'label' is missing"),
        ("", "column 'video_path' is missing"),
        ("video_path,label\n", "has no rows"),
        ("video_path,label\na,b,c\n", "line 2: more fields than the header"),
        ('video_path,label\na,"x\ny"\n', "holds a line break or another control character"),
        ("video_path,label\na,x\u2028y\n", "holds a line break or another control character"),
        ("video_path,label\na,\n", "line 2: label is empty"),
        ("video_path,label\na,x||y\n", "line 2: label is empty"),
        ("video_path,label,split\na,b,valid\n", "line 2: split 'valid'; expected one of train, validation, test"),
        ("video_path,label,start_seconds\na,b,one\n", "line 2: start_seconds 'one' is no number"),
        ("video_path,label,start_seconds\na,b,nan\n", "line 2: start_seconds 'nan' is no number"),
        ("video_path,label,start_seconds\na,b,-1\n", "expected 0 <= start < end"),
        ("video_path,label,start_seconds,end_seconds\na,b,3,3\n", "expected 0 <= start < end"),
        ("video_path,label\na.mp4,x\na.avi,y\n", "line 3: video_id 'a' is in line 2 already"),
        ("video_path,label,group,split\na,x,g,train\nb,x,g,test\n", "group 'g' is in split 'train' and in 'test'"),
        (
            "video_path,label,video_id,group,start_seconds,end_seconds\na,x,1,anna,0,5\na,x,2,ben,5,9\n",
            "line 3: file 'a' is in group 'anna' (line 2) and in 'ben'; give all rows of one file the same group",
        ),
        (
            "video_path,label,video_id,group,start_seconds,end_seconds\na,x,1,anna,0,5\na,x,2,,5,9\n",
            "line 3: file 'a' is in group 'anna' (line 2) and in 'a'",
        ),
        (b"video_path,label\n\xff,x\n", "is not UTF-8 text"),
        ('video_path,label\n"a,x\n', "not CSV"),
        ("video_path,label,start_seconds\na,b,1e13\n", "line 2: start_seconds 1e+13; expected at most 1e+09"),
        (f"video_path,label\n{'a' * 300}.mp4,x\n", "cannot be looked at: File name too long"),
    ],
)
def test_bad_manifests(tmp_path, text, message):
    with pytest.raises(UserError) as error:
        read(tmp_path, text)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "line 1: not JSON"),
        ("[]", "expected an object, found list"),
        ('{"video_path": "a", "label": "b", "video_id": ' + "9" * 5000 + "}", "line 1: not JSON: Exceeds"),
        ('{"video_path": "a", "label": "b", "video_id": "\\ud800"}', "line 1: video_id .* surrogate"),
        ('{"video_path": "\\udcff", "label": "b"}', "line 1: video_path .* surrogate"),
        ('{"video_path": "a", "label": "b", "group": "\\ud800"}', "line 1: group .* surrogate"),
        ('{"video_path": "a"}', "column 'label' is missing"),
    ],
)
def test_bad_jsonl(tmp_path, text, message):
    with pytest.raises(UserError, match=message):
        read(tmp_path, text, "m.jsonl")


def test_all_errors_are_reported_together(tmp_path):
    rows = "".join(f"../{number}.mp4,x\n" for number in range(12))
    with pytest.raises(UserError, match=r"12 bad rows: line 2: .*; line 11: .*; and 2 more"):
        read(tmp_path, "video_path,label\n" + rows)


def test_a_missing_manifest(tmp_path):
    with pytest.raises(UserError, match="no manifest at"):
        read_manifest(str(tmp_path / "none.csv"), str(tmp_path))
    with pytest.raises(UserError, match="is a directory"):
        read_manifest(str(tmp_path), str(tmp_path))


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        (["0,10", "10,20", "20,"], None),
        (["10,20", "0,10"], None),
        (["0,10", "9,20"], "1 bad row: line 3: file 'a.mp4' is in line 2 already, for times that overlap"),
        ([",", ","], "line 3: file 'a.mp4' is in line 2 already"),
        ([",", "50,60"], "line 3: file 'a.mp4' is in line 2 already"),
        # the long one in line 2 reaches over the short one into line 4's
        (["0,100", "200,300", "90,95", "96,99"], "2 bad rows: line 4: file 'a.mp4' is in line 2 already"),
    ],
)
def test_one_file_in_several_rows(tmp_path, spans, message):
    lines = "".join(f"./a.mp4,x,id{number},{span}\n" for number, span in enumerate(spans))
    text = f"video_path,label,video_id,start_seconds,end_seconds\n{lines}"
    if message is None:
        assert len(read(tmp_path, text)) == len(spans)
    else:
        with pytest.raises(UserError) as error:
            read(tmp_path, text)
        assert message in str(error.value)


@pytest.mark.parametrize("labels_needed", [True, False])
def test_a_file_in_two_groups_is_taken_where_it_is_in_one_split_or_in_none(tmp_path, labels_needed):
    head = "video_path,label,video_id,group,start_seconds,end_seconds,split\n"
    split = "train" if labels_needed else ""
    file = manifest(tmp_path, f"{head}a,x,1,anna,0,5,{split}\na,x,2,ben,5,9,{split}\n")
    assert [row.group for row in read_manifest(file, str(tmp_path), labels_needed=labels_needed)] == [
        "anna",
        "ben",
    ]


def test_contradictions_are_reported_with_the_other_errors_in_the_order_of_the_lines(tmp_path):
    text = (
        "video_path,label,video_id,split,group\n"
        "a.mp4,x,1,train,g\n"
        "b.mp4,x,1,,\n"
        "c.mp4,,3,,\n"
        "a.mp4,x,4,,g\n"
        "e.mp4,x,5,test,g\n"
        '"f.mp4,x,6,,\n'
    )
    with pytest.raises(UserError) as error:
        read(tmp_path, text)
    found = [part.split(":")[0].strip() for part in str(error.value).split("bad rows: ")[1].split("; line")]
    assert found == ["line 3", "4", "5", "6", "7"]
    assert "5 bad rows" in str(error.value)
    assert "group 'g' is in split 'train' and in 'test' (line 2 says 'train')" in str(error.value)
    assert "line 7: not CSV" in str(error.value)


def test_columns_come_before_rows(tmp_path):
    with pytest.raises(UserError, match="column 'label' is there twice") as error:
        read(tmp_path, "video_path,label,label\n../a,,\n")
    assert "line" not in str(error.value)


def test_bad_lines_of_jsonl_are_reported_together(tmp_path):
    good = '{"video_path": "a", "label": "x"}'
    lines = [
        good,
        "{",
        "",
        '{"video_path": "b", "label": ["x|y"]}',
        '{"video_path": {}, "label": "x"}',
        '{"video_path": "c", "label": []}',
        '{"video_path": "d"}',
    ]
    with pytest.raises(UserError) as error:
        read(tmp_path, "\n".join(lines), "m.jsonl")
    for part in (
        "5 bad rows: line 2: not JSON",
        "line 4: label 'x|y'",
        "line 5: video_path {} is neither",
        "line 6: label is empty",
        "line 7: column 'label' is missing",
    ):
        assert part in str(error.value)
