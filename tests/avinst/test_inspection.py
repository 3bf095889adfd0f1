import json

import numpy as np
import pytest
from dataset_factory import write_dataset
from PIL import Image

from avinst import inspection


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
