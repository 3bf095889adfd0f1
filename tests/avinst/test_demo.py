import json

import pytest

from avinst import demo
from avinst.errors import UserError


def metrics(value):
    hit = {"value": value, "low": value - 0.1, "high": value + 0.1}
    level = {"hit_at_1": hit, "per_label": {"a": {}, "b": {}, "c": {}, "d": {}}}
    return {"test": {"segment": level, "recording": level}}


def test_the_table_takes_each_scheme_from_its_own_file(tmp_path):
    values = {"ind/stages/audio": 0.5, "ind/stages/visual": 0.6, "ind": 0.7, "joint": 0.8}
    for folder, value in values.items():
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "metrics.json").write_text(json.dumps(metrics(value)))
    table = demo.results_table({"independent": str(tmp_path / "ind"), "joint": str(tmp_path / "joint")})
    rows = {line.split()[0]: line.split()[1] for line in table.splitlines()[2:]}
    assert rows == {"audio": "0.500", "visual": "0.600", "independent": "0.700", "joint": "0.800"}
    assert "4 instruments, chance 0.250" in table


def test_a_step_that_fails_ends_the_demo(capsys):
    with pytest.raises(UserError, match="avinst inspect failed"):
        demo._run(["inspect", "--data_dir=/nowhere"])
    assert "no dataset directory '/nowhere'" in capsys.readouterr().err


def test_a_folder_with_other_files_is_refused(tmp_path, capsys):
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "mine.txt").touch()
    assert demo.main(["avinst demo", "--fast", f"--output_dir={tmp_path}"]) == 1
    assert "holds other files" in capsys.readouterr().err
