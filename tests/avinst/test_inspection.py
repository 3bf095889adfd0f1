import json

import numpy as np
import pytest
from dataset_factory import write_dataset
from PIL import Image

from avinst import contact_sheet, inspection, recording_ids
from avinst.errors import UserError


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data") / "set")


def test_counts_and_rejects_are_shown(dataset, tmp_path, capsys):
    rejects = [{"reason": "not_media"}, {"reason": "not_found"}, {"reason": "not_media"}]
    with open(f"{dataset.data_dir}/rejects.jsonl", "w") as file:  # noqa: PTH123
        file.writelines(json.dumps(reject) + "\n" for reject in rejects)
    assert inspection.main(["avinst inspect", dataset.data_dir]) == 0
    printed = capsys.readouterr().out
    rows = {line.split()[0]: line.split()[1:] for line in printed.splitlines() if line.split()}
    assert rows["recordings"] == ["24", "12", "12"]
    assert rows["segments"] == ["48", "24", "24"]
    assert rows["cello"] == ["16", "8", "8"]
    assert rows["not_media:"] == ["2"]
    assert "64 x 64" in printed


def test_json(dataset, capsys):
    assert inspection.main(["avinst inspect", f"--data_dir={dataset.data_dir}", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(dataset.to_json()))


def test_the_contact_sheet_shows_every_label(dataset, tmp_path, capsys):
    sheet = tmp_path / "sheet.png"
    argv = ["avinst inspect", dataset.data_dir, f"--contact_sheet={sheet}", "--examples=6"]
    assert inspection.main(argv) == 0
    picture = np.asarray(Image.open(sheet).convert("RGB")).astype(int)
    assert "6 examples" in capsys.readouterr().err
    assert picture.std() > 10  # drawn, not blank


@pytest.fixture(scope="module")
def lopsided(tmp_path_factory):
    """Twelve recordings with drum and one with flute, the last, two segments each."""
    return write_dataset(
        tmp_path_factory.mktemp("data") / "lopsided",
        recordings={"train": 13, "validation": 0, "test": 0},
        shards=1,
        label_of=lambda number: 2 if number == 12 else 1,
    )


def _shown(examples):
    return sorted(int(np.argmax(example["label"])) for example in examples), {
        bytes(example["video_id"]) for example in examples
    }


def test_recordings_of_frequent_labels_take_the_places_that_rare_ones_leave(lopsided):
    labels, recordings = _shown(contact_sheet.choose_examples(lopsided, 9))
    assert labels == [1] * 8 + [2]
    assert len(recordings) == 9
    assert len(contact_sheet.choose_examples(lopsided, 100)) == 13


def test_the_search_for_rare_labels_ends(lopsided, monkeypatch):
    monkeypatch.setattr(contact_sheet, "_LOOKED_AT", 20)  # flute is the 25th example
    assert _shown(contact_sheet.choose_examples(lopsided, 9))[0] == [1] * 9


def test_the_examples_of_one_recording(lopsided):
    recording = {
        "video_id": _shown(contact_sheet.choose_examples(lopsided, 1))[1].pop().decode(),
        "shard": "train-00000-of-00001",
    }
    found = contact_sheet.segments_of(lopsided, recording, 24)
    assert [int(example["segment_index"]) for example in found] == [0, 1]
    assert len(contact_sheet.segments_of(lopsided, recording, 1)) == 1


@pytest.mark.parametrize(
    ("argv", "status", "message"),
    [
        ([], 2, "--data_dir is missing"),
        (["a", "b"], 2, "one dataset directory is expected"),
        (["/nowhere"], 1, "no dataset directory"),
        (["{data}", "--contact_sheet=/nowhere/x.png"], 1, "cannot write '/nowhere/x.png'"),
    ],
)
def test_wrong_use_is_one_line(dataset, capsys, argv, status, message):
    assert inspection.main(["avinst inspect", *(a.format(data=dataset.data_dir) for a in argv)]) == status
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


DAMAGED_RECORDS = [
    ("{", "Expecting"),
    ("\x00", "Expecting"),
    ("[]", "expected an object, found list"),
    ('{"rejects": []}', "no 'segments_of_video'"),
    ('{"segments_of_video": {"a": "two"}, "rejects": []}', "segments_of_video: expected"),
    ('{"segments_of_video": {"a": 2}, "rejects": [7]}', "rejects: expected"),
    ('{"segments_of_video": {"a": 0}, "rejects": [{"video_id": "a"}]}', "no 'segment'"),
]


@pytest.mark.parametrize(("content", "told"), DAMAGED_RECORDS)
def test_a_damaged_record_of_a_shard_is_one_line(tmp_path, capsys, content, told):
    dataset = write_dataset(tmp_path, recordings={"train": 2, "validation": 0, "test": 0}, shards=1)
    (tmp_path / "shards" / "train-00000-of-00001.json").write_text(content)
    assert inspection.main(["avinst inspect", str(tmp_path), "--video_id=train/000"]) == 1
    error = capsys.readouterr().err
    assert "train-00000-of-00001.json' is damaged (" in error
    assert told in error
    assert error.endswith("run the same avinst prepare again\n")
    assert error.count("\n") == 1
    with pytest.raises(UserError, match="is damaged"):
        recording_ids(dataset, "train")


@pytest.mark.parametrize("line", [b"{", b'{"stage": "open"}', b"7", b'{"reason": "\xff"}'])
def test_damaged_rejects_are_one_line(tmp_path, capsys, line):
    write_dataset(tmp_path, recordings={"train": 2, "validation": 0, "test": 0}, shards=1)
    (tmp_path / "rejects.jsonl").write_bytes(b'{"reason": "not_media"}\n' + line + b"\n")
    assert inspection.main(["avinst inspect", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "rejects.jsonl' is damaged (" in error
    assert error.count("\n") == 1
