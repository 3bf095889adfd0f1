import json

import pytest

from avinst.errors import UserError
from avinst.saved_model import read_assets
from avinst.spec import DatasetSpec

SPEC = DatasetSpec(frame_size=64)


def write_model(folder, facts=None):
    (folder / "assets").mkdir(parents=True)
    (folder / "saved_model.pb").touch()
    (folder / "assets" / "labels.txt").write_text("cello\nhang | drum\n")
    (folder / "assets" / "dataset_spec.json").write_text(json.dumps(SPEC.to_json()))
    if facts is not None:
        (folder / "assets" / "model.json").write_text(facts)
    return str(folder)


def test_what_an_export_says_of_itself(tmp_path):
    found = read_assets(write_model(tmp_path / "1", '{"multi_label": true, "scheme": "joint"}'))
    assert (found.labels, found.spec, found.multi_label) == (("cello", "hang | drum"), SPEC, True)
    assert found.facts == {"multi_label": True, "scheme": "joint"}


def test_an_older_export_leaves_open_whether_labels_are_decided_apart(tmp_path):
    found = read_assets(write_model(tmp_path / "1"))
    assert (found.labels, found.multi_label, found.facts) == (("cello", "hang | drum"), None, {})


def test_what_is_no_export_is_told(tmp_path):
    with pytest.raises(UserError, match="no SavedModel in"):
        read_assets(str(tmp_path))
    (tmp_path / "saved_model.pb").touch()
    with pytest.raises(UserError, match=r"lacks assets/dataset_spec.json or assets/labels.txt; export it with"):
        read_assets(str(tmp_path))
    with pytest.raises(UserError, match=r"model.json' is damaged .*; export .* again"):
        read_assets(write_model(tmp_path / "1", '{"multi_label": '))
