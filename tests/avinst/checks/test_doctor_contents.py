import json
import shutil

import pytest
from dataset_factory import write_dataset

from avinst.checks import contents as doctor_contents
from avinst.checks.finding import Plans
from avinst.dataset import load_dataset
from avinst.inspection import describe


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data") / "set", segments_per_recording=1)


def one(findings):
    (finding,) = findings
    return finding


def test_a_dataset(dataset, tmp_path):
    assert doctor_contents.check_dataset(Plans()) == []
    assert one(doctor_contents.check_dataset(Plans(data_dir=dataset.data_dir))).state == "ok"
    copy = shutil.copytree(dataset.data_dir, tmp_path / "copy")
    shard = dataset.shards["train"][0]
    (copy / f"{shard}.tfrecord").unlink()
    finding = one(doctor_contents.check_dataset(Plans(data_dir=str(copy))))
    assert (
        finding.state,
        f"1 of its files are missing or damaged: {shard}.tfrecord is missing;" in finding.text,
    ) == ("wrong", True)
    values = dataset.to_json()
    (copy / "dataset.json").write_text(json.dumps({**values, "format_version": 2}))
    assert "dataset format 2" in one(doctor_contents.check_dataset(Plans(data_dir=str(copy)))).text
    finding = one(doctor_contents.check_dataset(Plans(data_dir=f"{tmp_path}/cpoy")))
    assert f"did you mean '{tmp_path}/copy'?" in finding.text


def test_a_file_that_was_cut_off(dataset, tmp_path):
    copy = shutil.copytree(dataset.data_dir, tmp_path / "copy")
    shard = dataset.shards["validation"][0]
    file, record = copy / f"{shard}.tfrecord", copy / "shards" / f"{shard}.json"
    size = file.stat().st_size
    record.write_text(json.dumps({"tfrecord_bytes": size}))
    assert one(doctor_contents.check_dataset(Plans(data_dir=str(copy)))).state == "ok"
    file.write_bytes(file.read_bytes()[:1000])
    finding = one(doctor_contents.check_dataset(Plans(data_dir=str(copy))))
    assert finding.state == "wrong"
    assert (
        f"1 of its files are missing or damaged: {shard}.tfrecord has 1000 bytes instead of {size};"
        in finding.text
    )
    assert f"  {shard}.tfrecord has 1000 bytes instead of {size}" in describe(load_dataset(str(copy))).splitlines()
    record.write_text("{")  # then its size is not known
    assert one(doctor_contents.check_dataset(Plans(data_dir=str(copy)))).state == "ok"


def test_a_dataset_without_a_split(dataset, tmp_path):
    copy = shutil.copytree(dataset.data_dir, tmp_path / "copy")
    values = dataset.to_json()
    values["segments"] = {**values["segments"], "validation": 0}
    (copy / "dataset.json").write_text(json.dumps(values))
    finding = one(doctor_contents.check_dataset(Plans(data_dir=str(copy))))
    assert (finding.state, "no examples in validation" in finding.text) == ("note", True)


def test_a_run(dataset, tmp_path):
    def text():
        return one(doctor_contents.check_run(Plans(run_dir=str(tmp_path / "run")))).text

    assert doctor_contents.check_run(Plans()) == []
    assert "no run directory" in text()
    (tmp_path / "run").mkdir()
    assert "no config.json" in text()
    (tmp_path / "run" / "config.json").write_text("{")
    assert "unfinished" in text()
    (tmp_path / "run" / "model.keras").touch()
    assert "is damaged" in text()
    (tmp_path / "run" / "config.json").write_text(json.dumps({"data_dir": f"{tmp_path}/gone"}))
    assert f"its dataset is no longer at {tmp_path}/gone" in text()
    (tmp_path / "run" / "config.json").write_text(json.dumps({"data_dir": dataset.data_dir}))
    assert text().endswith(f"finished, trained on {dataset.data_dir}")
