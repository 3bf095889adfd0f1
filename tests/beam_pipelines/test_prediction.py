"""`predict` with a SavedModel whose answers are known: the loudness and the brightness of a segment."""

import csv
import errno
import io
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from known_detector import Known, save_known
from media_factory import tone, write_media
from PIL import Image

from avinst.errors import UserError
from avinst.media.decoder import Decoder
from avinst.media.types import Segment
from beam_pipelines import predict as predict_command
from beam_pipelines.detector import load_detector
from beam_pipelines.exports import newest_export
from beam_pipelines.prediction import Prediction, predict_video
from beam_pipelines.prediction_figure import Thumbnails
from beam_pipelines.prediction_print import printed

SECONDS = 3.1


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    (folder / "config.json").write_text("{}")
    (folder / "export").mkdir()
    save_known(folder / "export" / "2", with_picture=False)
    save_known(folder / "export" / "10")
    return folder


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """Quiet and white, then loud and black from 1.2 s on."""
    sound = tone(440, SECONDS)
    sound[:, : round(1.2 * 44_100)] *= 0.4
    return write_media(
        tmp_path_factory.mktemp("video") / "-a b.mp4",
        seconds=SECONDS,
        picture=lambda _, seconds: np.full((64, 96, 3), 235 if seconds < 1.2 else 16, np.uint8),
        sound=sound,
    )


def test_every_segment_is_what_the_model_says(run_dir, video):
    with Decoder() as decoder:
        prediction = predict_video(load_detector(str(run_dir / "export" / "10")), video, decoder)
    np.testing.assert_array_equal(prediction.start_seconds, [0, 1, 2])
    # The loud part begins 0.2 s into segment 1: 0.2 * 0.2 + 0.8 * 0.5 = 0.44. AAC keeps the level of a tone within
    # a few percent.
    np.testing.assert_allclose(
        prediction.segment_probabilities, [[0.2, 235 / 255], [0.44, 16 / 255], [0.5, 16 / 255]], atol=0.02
    )
    np.testing.assert_allclose(prediction.probabilities, prediction.segment_probabilities.mean(axis=0))
    assert [label for label, _ in prediction.ranked()] == ["loud", "bright"]


def test_a_detector_of_one_modality(run_dir, video):
    with Decoder() as decoder:
        prediction = predict_video(load_detector(str(run_dir / "export" / "2")), video, decoder)
    assert prediction.segment_probabilities.shape == (3, 2)


def test_the_newest_version_is_the_largest_number(run_dir):
    assert newest_export(str(run_dir)).endswith("/10")


def test_table_and_json(run_dir, video, capsys):
    assert predict_command.main(["avinst predict", f"--run_dir={run_dir}", "--", video]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == video
    assert [line.split()[0] for line in lines[2:]] == ["loud", "bright"]
    assert predict_command.main(["avinst predict", f"--run_dir={run_dir}", video, "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert list(values["probabilities"]) == ["loud", "bright"]
    assert [segment["start_seconds"] for segment in values["segments"]] == [0, 1, 2]
    assert values["losses"] == []


def test_csv_has_the_recording_and_then_its_segments(run_dir, video, capsys):
    assert predict_command.main(["avinst predict", f"--run_dir={run_dir}", "--format=csv", "--", video]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["level"], row["start_seconds"]) for row in rows] == [
        ("recording", ""),
        ("segment", "0"),
        ("segment", "1"),
        ("segment", "2"),
    ]
    segments = [float(row["p_loud"]) for row in rows[1:]]
    assert float(rows[0]["p_loud"]) == pytest.approx(np.mean(segments), rel=1e-4)
    assert rows[1]["top_label"] == "bright"


def test_the_table_of_a_long_video_fits_a_terminal():
    starts = np.arange(100.0)
    long = Prediction("a.mp4", ("x", "y"), starts, np.column_stack([starts / 100, 1 - starts / 100]), (), 1.0)
    lines = printed("table", long).splitlines()
    assert max(map(len, lines)) < 120
    # 100 segments in 12 columns: 9 at a time, their means.
    assert lines[1].split()[2:6] == ["0", "s", "9", "s"]
    assert lines[2].split()[:4] == ["y", "0.505", "0.960", "0.870"]
    assert "mean of 9 segments" in lines[-1]


def test_thumbnails_of_any_length_lie_at_even_distances():
    for count in (1, 3, 10, 54, 5000):
        thumbnails = Thumbnails()
        for first in range(0, count, 32):
            thumbnails.add([Segment(n, float(n), None, b"%d" % n) for n in range(first, min(first + 32, count))])
        chosen = thumbnails.chosen()
        assert len(chosen) == min(count, 10)
        assert all(jpeg == b"%d" % seconds for seconds, jpeg in chosen)
        wanted = (np.arange(len(chosen)) + 0.5) * count / len(chosen)
        assert np.abs([seconds + 0.5 for seconds, _ in chosen] - wanted).max() <= max(1.0, count / 40)


def test_the_figure_shows_frames_and_probabilities(run_dir, video, tmp_path, capsys):
    argv = ["avinst predict", f"--run_dir={run_dir}", f"--figure={tmp_path}/f.png", "--", video]
    assert predict_command.main(argv) == 0
    assert f"figure: {tmp_path}/f.png\n" in capsys.readouterr().err
    pixels = np.asarray(Image.open(tmp_path / "f.png").convert("RGB")).astype(int)
    assert pixels.shape == (550, 1210, 3)
    # The video is white and then black: above the axes there is much black in the middle, none at the left.
    frames = pixels[40:130].max(axis=2) < 40
    assert frames[:, 150:350].mean() < 0.01
    assert frames[:, 450:600].mean() > 0.3
    for colour in ((0, 114, 178), (213, 94, 0)):  # of the two labels' lines
        assert (np.abs(pixels[150:] - colour).max(axis=2) < 8).sum() > 300


@pytest.mark.parametrize(
    ("argv", "status", "message"),
    [
        (["--run_dir={run}"], 2, "no video given"),
        (["{video}"], 2, "give either --run_dir or --model_dir"),
        (["--run_dir={run}", "--model_dir=x", "{video}"], 2, "give either --run_dir or --model_dir"),
        (["--run_dir=/nowhere", "{video}"], 1, "no run directory"),
        (["--run_dir={empty}", "{video}"], 1, "is no run: it has no config.json"),
        (["--run_dir={trained}", "{video}"], 1, "was not exported yet; run avinst export"),
        (["--model_dir={empty}", "{video}"], 1, "no SavedModel"),
        (["--run_dir={run}", "/nowhere.mp4"], 1, "no video file '/nowhere.mp4'"),
        (["--run_dir={run}", "{text}"], 1, "not_media"),
    ],
)
def test_wrong_use_is_one_line(run_dir, video, tmp_path, capsys, argv, status, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "trained").mkdir()
    (tmp_path / "trained" / "config.json").write_text("{}")
    (tmp_path / "text.mp4").write_text("no video")
    names = {
        "trained": tmp_path / "trained",
        "run": run_dir,
        "video": video,
        "empty": tmp_path / "empty",
        "text": tmp_path / "text.mp4",
    }
    assert predict_command.main(["avinst predict", *(word.format(**names) for word in argv)]) == status
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_bad_video_does_not_keep_the_others_back(run_dir, video, tmp_path, capsys):
    (tmp_path / "text.mp4").write_text("no video")
    argv = ["avinst predict", f"--run_dir={run_dir}", "--json", str(tmp_path / "text.mp4"), video]
    assert predict_command.main(argv) == 1
    captured = capsys.readouterr()
    assert [json.loads(line)["video_path"] for line in captured.out.splitlines()] == [video]
    assert "text.mp4" in captured.err


def test_a_folder_that_may_not_be_entered_costs_its_own_videos_only(run_dir, video, tmp_path, monkeypatch, capsys):
    stat = Path.stat

    def refuse(path, **options):  # a folder's mode stops no test that runs as root
        if "closed" in path.parts:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", refuse)
    other = str(shutil.copy(video, tmp_path / "c.mp4"))
    argv = ["avinst predict", f"--run_dir={run_dir}", "--json", "--", video, "closed/b.mp4", "clsed/b.mp4", other]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "closed").mkdir()
    assert predict_command.main(argv) == 1
    captured = capsys.readouterr()
    assert [json.loads(line)["video_path"] for line in captured.out.splitlines()] == [video, other]
    told = "'closed/b.mp4' cannot be looked at: Permission denied; check path and permissions"
    assert captured.err.endswith(f"{told}; no video file 'clsed/b.mp4'\n")


def test_on_a_terminal_a_name_that_is_no_text_costs_its_own_video_only(run_dir, video, tmp_path, capsys):
    odd = tmp_path / "odd\udcff.mp4"
    shutil.copy(video, odd)
    assert predict_command.main(["avinst predict", f"--run_dir={run_dir}", "--json", str(odd), video]) == 1
    captured = capsys.readouterr()
    assert [json.loads(line)["video_path"] for line in captured.out.splitlines()] == [video]
    assert captured.err.endswith("odd\\udcff.mp4' is not UTF-8 text; rename the file\n")


def test_labels_and_outputs_must_agree(run_dir, tmp_path):
    shutil.copytree(run_dir / "export" / "10", tmp_path / "m")
    (tmp_path / "m" / "assets" / "labels.txt").write_text("loud\n")
    with pytest.raises(UserError, match=r"1 names in assets/labels\.txt, 2 outputs"):
        load_detector(str(tmp_path / "m"))


def test_a_damaged_model(run_dir, tmp_path):
    shutil.copytree(run_dir / "export" / "10", tmp_path / "m")
    (tmp_path / "m" / "saved_model.pb").write_bytes(b"garbage")
    with pytest.raises(UserError, match="cannot load the SavedModel"):
        load_detector(str(tmp_path / "m"))


def test_weights_that_were_cut_off(run_dir, tmp_path):
    shutil.copytree(run_dir / "export" / "10", tmp_path / "m")
    (file,) = (tmp_path / "m" / "variables").glob("variables.data*")
    file.write_bytes(file.read_bytes()[:2])
    with pytest.raises(UserError, match=r"cannot load the SavedModel .*; export it again"):
        load_detector(str(tmp_path / "m"))


def test_a_model_of_another_kind(tmp_path):
    module = Known(with_picture=True, gain=1.0)
    tf.saved_model.save(module, str(tmp_path / "m"), signatures={"serving_default": module.serve})
    with pytest.raises(UserError, match="lacks assets/dataset_spec"):
        load_detector(str(tmp_path / "m"))
