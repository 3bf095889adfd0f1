import pytest

from avinst import DatasetSpec, DecodeLimits, UserError
from beam_pipelines import PrepareConfig, plain_calls, predict_videos, predicting, prepare_videos


def test_settings_of_a_dataset_go_where_they_belong(monkeypatch):
    given = []
    monkeypatch.setattr(plain_calls, "prepare_dataset", lambda *arguments: given.append(arguments))
    prepare_videos("m.csv", "DATA", media_root="VIDEOS", frame_size=96, workers=1, min_wall_seconds=5.0)
    limits = DecodeLimits(min_wall_seconds=5.0)
    config = PrepareConfig("m.csv", "DATA", "VIDEOS", workers=1, limits=limits)
    assert given == [(config, DatasetSpec(frame_size=96), ())]


def test_shares_are_three_numbers_or_named(monkeypatch):
    given = []
    monkeypatch.setattr(plain_calls, "prepare_dataset", lambda config, *_: given.append(config.shares))
    named = {"train": 0.5, "validation": 0.1, "test": 0.4}
    for shares in ((0.5, 0.1, 0.4), named):
        prepare_videos("m.csv", "DATA", shares=shares)
    assert given == [named, named]


@pytest.mark.parametrize("shares", [(0.5, 0.5), 0.5, ("a", "b", "c")])
def test_other_shares_are_refused(shares):
    with pytest.raises(UserError) as error:
        prepare_videos("m.csv", "DATA", shares=shares)
    assert str(error.value) == f"shares={shares!r}; expected three numbers such as (0.7, 0.15, 0.15)"


@pytest.mark.parametrize("videos", ["folder", "manifest", "files"])
def test_videos_are_a_folder_a_manifest_or_files(videos, tmp_path, monkeypatch):
    (tmp_path / "a.mp4").touch()
    (tmp_path / "manifest.csv").write_text("video_path,label\na.mp4,\n")
    of_kind = {
        "folder": str(tmp_path),
        "manifest": str(tmp_path / "manifest.csv"),
        "files": [str(tmp_path / "a.mp4")],
    }
    given = []
    monkeypatch.setattr(predicting, "predict_rows", lambda *arguments: given.append(arguments))
    predict_videos("MODEL", of_kind[videos], "OUT", text_format="jsonl", beam_flags=["--runner=x"])
    ((config, rows, beam_flags),) = given
    assert (config.model_dir, config.output_dir, config.text_format) == ("MODEL", "OUT", "jsonl")
    assert config.media_root == str(tmp_path)
    assert [row.video_path for row in rows] == ["a.mp4"]
    assert beam_flags == ["--runner=x"]


def test_a_setting_that_is_not_there_is_told_with_the_nearest():
    with pytest.raises(UserError, match=r"^no setting 'frame_sise'; did you mean 'frame_size'\?$"):
        prepare_videos("m.csv", "DATA", frame_sise=96)
    with pytest.raises(UserError, match=r"^no setting 'worker'; did you mean 'workers'\?$"):
        predict_videos("MODEL", ["a.mp4"], "OUT", worker=1)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"videos_per_shard": 0}, "videos_per_shard=0: expected at least 1"),
        ({"workers": -1}, "workers=-1: expected at least 0"),
        ({"max_reject_rate": 1.5}, "max_reject_rate=1.5: expected 0 to 1"),
        ({"max_reject_rate": float("nan")}, "max_reject_rate=nan: expected 0 to 1"),
    ],
)
def test_what_the_flags_of_prepare_refuse_the_call_refuses_too(setting, told):
    with pytest.raises(UserError) as error:
        prepare_videos("m.csv", "DATA", **setting)
    assert str(error.value) == told


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"text_format": "json"}, "text_format='json': expected one of csv, jsonl; did you mean 'jsonl'?"),
        ({"batch_size": 0}, "batch_size=0: expected at least 1"),
        ({"videos_per_shard": -1}, "videos_per_shard=-1: expected at least 0"),
        ({"workers": -1}, "workers=-1: expected at least 0"),
        ({"videos": []}, "no video given; give a folder of video files, or the files"),
    ],
)
def test_what_the_flags_of_predict_refuse_the_call_refuses_too(tmp_path, setting, told):
    with pytest.raises(UserError) as error:
        predict_videos("MODEL", **{"videos": [str(tmp_path / "a.mp4")], "output_dir": "OUT", **setting})
    assert str(error.value) == told
