import os

import pytest

from avinst.manifests.rows import ManifestRow
from beam_pipelines.shard_record import ExamplesRecord, Reject, media_changed

ROW = ManifestRow("a.mp4", ("drum",), "a")


def record(size, *rejects):
    return ExamplesRecord("train-00000-of-00001", "f", {"a": 0}, {"a": size}, rejects, {}, {}, 0, {}, 0, 0.0, 0.0)


def reject(reason, segment=None):
    return Reject("a", "a.mp4", segment, "open", reason, "")


@pytest.fixture
def media_root(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"12345")
    return str(tmp_path)


@pytest.mark.parametrize(("size", "changed"), [(5, False), (4, True), (-1, True)])
def test_another_size_is_a_change(media_root, size, changed):
    assert media_changed(record(size), [ROW], media_root) == changed


def test_a_file_that_is_gone_has_not_changed(tmp_path):
    assert not media_changed(record(5), [ROW], str(tmp_path))


def test_a_file_that_could_not_be_opened_is_tried_again_once_it_may_be_read(media_root, monkeypatch):
    shard = record(5, reject("unreadable"))
    monkeypatch.setattr(os, "access", lambda path, mode: not (path.endswith("a.mp4") and mode == os.R_OK))
    assert not media_changed(shard, [ROW], media_root)
    monkeypatch.undo()
    assert media_changed(shard, [ROW], media_root)
    assert not media_changed(record(5, reject("damaged", 3)), [ROW], media_root)


@pytest.mark.parametrize(
    ("rejects", "changed"), [((), False), ((reject("damaged", 3),), True), ((reject("empty"),), True)]
)
def test_on_a_cloud_file_system_recordings_with_rejects_are_looked_at(monkeypatch, rejects, changed):
    monkeypatch.setattr("beam_pipelines.shard_record.paths.size", lambda path: 7)
    assert media_changed(record(5, *rejects), [ROW], "gs://bucket/videos") == changed
