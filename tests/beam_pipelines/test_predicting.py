"""`predict` over many videos: what is written, what is kept, what is refused."""

import contextlib
import csv
import dataclasses
import json
import math
import os
import re
import shutil
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
from known_detector import LABELS, save_known
from media_factory import tone, write_media
from prepare_jobs import digests, start_module, wait_until, write_videos

from avinst.directory_lock import only_writer
from avinst.errors import UserError
from avinst.media.decoder import Decoder
from beam_pipelines import detector as detectors
from beam_pipelines import predict as predict_command
from beam_pipelines.detector import load_detector
from beam_pipelines.predicting import PredictConfig, predict_rows
from beam_pipelines.prediction import predict_video
from beam_pipelines.prediction_set import load_features, load_predictions, recording_probabilities
from beam_pipelines.rows_to_predict import rows_of_manifest, rows_of_videos

PAGE = Path(__file__).parents[2] / "docs" / "predict.md"
LENGTHS = (1.2, 3.2, 2.2, 1.2, 4.2)


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    return save_known(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Five good videos, of other lengths and loudnesses, and two files that are none."""
    folder = tmp_path_factory.mktemp("videos")
    (folder / "a,b").mkdir()
    for number, seconds in enumerate(LENGTHS):
        write_media(
            folder / "a,b" / f"{number}.mp4",
            seconds=seconds,
            sound=tone(220.0, seconds) * (0.2 + 0.15 * number),
            picture=lambda _, at, number=number: np.full((48, 64, 3), 40 + 30 * number + 10 * int(at), np.uint8),
        )
    (folder / "text.mp4").write_text("no video at all")
    lines = [f'"a,b/{number}.mp4",{LABELS[number % 2]}' for number in range(len(LENGTHS))]
    (folder / "manifest.csv").write_text(
        "\n".join(["video_path,label", *lines, "text.mp4,loud", "missing.mp4,bright"])
    )
    return folder


def predicted(model_dir, videos, output_dir, **changes):
    rows, media_root = rows_of_manifest(str(videos / "manifest.csv"), str(videos))
    config = PredictConfig(model_dir, media_root, str(output_dir), **{"videos_per_shard": 3, **changes})
    return predict_rows(config, rows)


def lines_of(file):
    with Path(file).open(newline="", encoding="utf-8") as text:
        return list(csv.DictReader(text))


def json_lines(file):
    return [json.loads(line) for line in Path(file).read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def whole(model_dir, videos, tmp_path_factory):
    return predicted(model_dir, videos, tmp_path_factory.mktemp("whole") / "out", batch_size=4)


def test_every_video_is_what_it_is_by_itself(whole, model_dir, videos):
    ids, probabilities = recording_probabilities(whole)
    assert list(ids) == [f"a,b/{number}" for number in range(len(LENGTHS))]
    segments = lines_of(whole.segments_file)
    detector = load_detector(model_dir)
    with Decoder() as decoder:
        for number in range(len(LENGTHS)):
            alone = predict_video(detector, str(videos / "a,b" / f"{number}.mp4"), decoder)
            # Six digits are written.
            np.testing.assert_allclose(probabilities[number], alone.probabilities, rtol=1e-5)
            mine = [row for row in segments if row["video_id"] == f"a,b/{number}"]
            assert [float(row["start_seconds"]) for row in mine] == list(alone.start_seconds)
            assert [int(row["segment_index"]) for row in mine] == list(range(math.floor(LENGTHS[number])))
            written = [[float(row[f"p_{label}"]) for label in LABELS] for row in mine]
            np.testing.assert_allclose(written, alone.segment_probabilities, rtol=1e-5)


def test_recordings_tell_label_and_the_most_probable_one(whole):
    rows = lines_of(whole.recordings_file)
    assert list(rows[0]) == [
        *("video_id", "video_path", "segments", "label"),
        *("top_label", "top_probability", "p_loud", "p_bright"),
    ]
    assert [row["label"] for row in rows] == ["loud", "bright", "loud", "bright", "loud"]
    assert [int(row["segments"]) for row in rows] == [math.floor(seconds) for seconds in LENGTHS]
    for row in rows:
        best = max(LABELS, key=lambda label: float(row[f"p_{label}"]))
        assert (row["top_label"], row["top_probability"]) == (best, row[f"p_{best}"])


def test_counts_in_are_counts_out(whole):
    assert (whole.rows, whole.recordings, whole.segments, whole.rejects) == (7, 5, 11, 2)
    assert not list(Path(whole.output_dir).rglob("plan-*"))  # it is for the workers alone
    rejects = json_lines(whole.rejects_file)
    assert {(reject["video_id"], reject["reason"]) for reject in rejects} == {
        ("text", "not_media"),
        ("missing", "not_found"),
    }


def test_batches_are_filled_across_videos(model_dir, videos, tmp_path, monkeypatch):
    """Eleven segments of five videos in one shard: batches of 4, 4 and 3, not one a video."""
    sizes = []
    outputs = detectors.Detector.outputs

    def noted(self, waveforms, jpegs, signature):
        sizes.append(len(waveforms))
        return outputs(self, waveforms, jpegs, signature)

    monkeypatch.setattr(detectors.Detector, "outputs", noted)
    predicted(model_dir, videos, tmp_path / "out", videos_per_shard=7, batch_size=4)
    assert sizes == [4, 4, 3]


def test_jsonl_says_what_csv_says(whole, model_dir, videos, tmp_path):
    lines = predicted(model_dir, videos, tmp_path / "out", text_format="jsonl", batch_size=4)
    for mine, csv_ones in zip(recording_probabilities(lines), recording_probabilities(whole), strict=True):
        np.testing.assert_array_equal(mine, csv_ones)
    first = json_lines(lines.recordings_file)[0]
    assert (first["video_path"], first["segments"], first["label"]) == ("a,b/0.mp4", 1, ["loud"])
    assert [row["segment_index"] for row in json_lines(lines.segments_file)][:4] == [0, 0, 1, 2]


def test_features_are_means_over_a_recordings_segments(whole, model_dir, videos, tmp_path, monkeypatch):
    """Read as docs/predict.md says."""
    with pytest.raises(UserError, match="holds no features; predict with --features"):
        load_features(whole)
    predicted(model_dir, videos, tmp_path / "PREDICTIONS", features=True)
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    found = {}
    exec(block, found)
    features = found["features"]
    ids, probabilities = recording_probabilities(whole)
    assert list(features["video_id"]) == list(ids)
    np.testing.assert_allclose(features["probabilities"], probabilities, rtol=1e-5)
    np.testing.assert_allclose(features["audio_features"], 2 * features["probabilities"], rtol=1e-6)


def test_parts_alone_where_they_are_not_to_be_joined(whole, model_dir, videos, tmp_path):
    parts = predicted(model_dir, videos, tmp_path / "out", join=False)
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert names == {"predictions.json", "rejects.jsonl", "shards"}
    np.testing.assert_array_equal(recording_probabilities(parts)[0], recording_probabilities(whole)[0])
    joined = predicted(model_dir, videos, tmp_path / "out")  # of the same parts
    assert lines_of(joined.recordings_file) == [
        row for file in parts.parts("recordings") for row in lines_of(file)
    ]


def test_done_shards_are_kept_and_damaged_ones_made_anew(whole, model_dir, videos, tmp_path, monkeypatch):
    output_dir = tmp_path / "out"
    predictions = predicted(model_dir, videos, output_dir, batch_size=4)
    before = digests(output_dir)
    asked = []
    monkeypatch.setattr(
        "beam_pipelines.prediction_writer.segments_of", lambda row, *_: asked.append(row.video_id) or iter(())
    )
    assert predicted(model_dir, videos, output_dir, batch_size=4) == predictions
    assert asked == []
    monkeypatch.undo()
    (output_dir / "predictions.json").unlink()
    (output_dir / "shards" / "predictions-00001-of-00003.segments.csv").write_text("cut off")
    (output_dir / "shards" / ".tmp-1-0a0b0c0d-x").write_text("left by a kill")
    (output_dir / "shards" / "plan-0123456789abcdef.bin").write_text("of other rows, killed too")
    predicted(model_dir, videos, output_dir, batch_size=4)
    assert digests(output_dir) == before


@pytest.mark.slow
@pytest.mark.parametrize("after_shards", [1, 10])
def test_killed_at_any_moment_it_ends_with_the_same_files(model_dir, tmp_path, after_shards):
    manifest = write_videos(tmp_path / "videos", 24, seconds=2.2)
    rows, media_root = rows_of_manifest(str(manifest), "")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    config = PredictConfig(model_dir, media_root, str(whole), videos_per_shard=1, features=True)
    predict_rows(config, rows)
    flags = [f"--model_dir={model_dir}", f"--manifest={manifest}", "--videos_per_shard=1", "--features"]
    process = start_module("beam_pipelines.predict", *flags, f"--output_dir={killed}")

    def records():
        return list(killed.glob("shards/[!.]*.json"))

    try:
        assert wait_until(lambda: len(records()) >= after_shards or process.poll() is not None, poll_seconds=0.002)
        os.killpg(process.pid, signal.SIGKILL)
    finally:
        process.communicate()
    assert not (killed / "predictions.json").exists()
    done = {file: file.stat().st_mtime_ns for file in records()}
    predict_rows(dataclasses.replace(config, output_dir=str(killed)), rows)
    assert digests(killed) == digests(whole)
    assert {file: file.stat().st_mtime_ns for file in done} == done


def test_a_video_that_was_mended_is_predicted(model_dir, videos, tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    (folder / "a.mp4").write_bytes((videos / "a,b" / "0.mp4").read_bytes())
    (folder / "b.mp4").write_text("not yet")
    rows, root = rows_of_videos([str(folder)])
    config = PredictConfig(model_dir, root, str(tmp_path / "out"))
    assert predict_rows(config, rows).recordings == 1
    (folder / "b.mp4").write_bytes((videos / "a,b" / "1.mp4").read_bytes())
    assert predict_rows(config, rows).recordings == 2


def test_another_model_is_refused_unless_told_to(model_dir, videos, tmp_path):
    before = predicted(model_dir, videos, tmp_path / "out")
    louder = save_known(tmp_path / "louder", gain=1.5)
    with pytest.raises(UserError, match=r"made otherwise \(model: .* there, .* now\); give another --output_dir"):
        predicted(louder, videos, tmp_path / "out")
    _, quiet = recording_probabilities(load_predictions(before.output_dir))
    _, loud = recording_probabilities(predicted(louder, videos, tmp_path / "out", overwrite=True))
    np.testing.assert_allclose(loud[:, 0], 1.5 * quiet[:, 0], rtol=1e-4)


def test_what_another_job_finished_before_the_lock_is_left_alone(whole, model_dir, videos, tmp_path, monkeypatch):
    @contextlib.contextmanager
    def late(directory, command, flag):
        shutil.copytree(whole.output_dir, directory)
        with only_writer(directory, command, flag):
            yield

    monkeypatch.setattr("beam_pipelines.predicting.only_writer", late)
    monkeypatch.setattr("beam_pipelines.predicting.clear", lambda *_: pytest.fail("took away what is finished"))
    there = predicted(model_dir, videos, tmp_path / "out")
    assert dataclasses.replace(there, output_dir=whole.output_dir) == whole
    with pytest.raises(UserError, match="made otherwise"):
        predicted(save_known(tmp_path / "louder", gain=1.5), videos, tmp_path / "other")
    assert digests(tmp_path / "other") == digests(tmp_path / "out") == digests(whole.output_dir)


def test_files_that_are_not_ours_are_not_replaced(model_dir, videos, tmp_path):
    (tmp_path / "recordings.csv").write_text("mine")
    with pytest.raises(UserError, match=r"holds 'recordings\.csv' that avinst did not make"):
        predicted(model_dir, videos, tmp_path)
    assert (tmp_path / "recordings.csv").read_text() == "mine"


def test_a_dataset_is_not_written_into(model_dir, videos, tmp_path):
    """Its rejects would be lost, and it is somebody's."""
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards" / "train-00000-of-00001.json").write_text("{}")
    (tmp_path / "rejects.jsonl").write_text("{}\n")
    with pytest.raises(UserError, match=r"holds 'shards/train-00000-of-00001\.json', it is no set of predictions"):
        predicted(model_dir, videos, tmp_path)
    (tmp_path / "dataset.json").write_text("{}")
    with pytest.raises(
        UserError, match=r"holds 'dataset\.json', it is no set of predictions; give another --output_"
    ):
        predicted(model_dir, videos, tmp_path, overwrite=True)
    assert (tmp_path / "rejects.jsonl").read_text() == "{}\n"


def test_a_folder_called_shards_makes_no_set_of_predictions(model_dir, videos, tmp_path):
    (tmp_path / "shards").mkdir()
    (tmp_path / "recordings.csv").write_text("mine")
    with pytest.raises(UserError, match=r"holds 'recordings\.csv' that avinst did not make"):
        predicted(model_dir, videos, tmp_path)


def test_another_export_of_the_same_weights_is_the_same_model(model_dir, videos, tmp_path):
    before = predicted(model_dir, videos, tmp_path / "out")
    again = save_known(tmp_path / "again")
    assert predicted(again, videos, tmp_path / "out") == before
    assert load_detector(save_known(tmp_path / "other", gain=1.25)).fingerprint != load_detector(again).fingerprint


def test_without_join_what_was_joined_stays(model_dir, videos, tmp_path):
    predicted(model_dir, videos, tmp_path / "out")
    predicted(model_dir, videos, tmp_path / "out", join=False)
    assert (tmp_path / "out" / "recordings.csv").exists()


def test_a_file_that_is_not_there_does_not_keep_the_others_back(model_dir, videos, tmp_path):
    rows, root = rows_of_videos([str(videos / "a,b" / "1.mp4"), str(videos / "a,b" / "none.mp4")])
    found = predict_rows(PredictConfig(model_dir, root, str(tmp_path / "out")), rows)
    assert (found.recordings, found.rejects) == (1, 1)


def test_a_file_whose_name_is_no_text_is_told_and_keeps_no_other_back(model_dir, videos, tmp_path, capsys):
    folder = tmp_path / "videos"
    folder.mkdir()
    for name in ("a.mp4", "b\udcff.mp4"):
        (folder / name).write_bytes((videos / "a,b" / "0.mp4").read_bytes())
    argv = ["avinst predict", f"--model_dir={model_dir}", f"--output_dir={tmp_path}/out"]
    assert predict_command.main([*argv, str(folder)]) == 0
    captured = capsys.readouterr()
    assert "out: 1 of 1 recordings predicted, 1 segments, 0 rejects" in captured.out
    told = r"the name of 'b\udcff.mp4' is not UTF-8 text; rename the file"
    assert captured.err.splitlines()[0] == f"left out: 1 file; {told}"
    assert predict_command.main([*argv, str(folder / "b\udcff.mp4")]) == 1
    assert capsys.readouterr().err.endswith(f"{told}\n")


def test_nothing_usable_is_an_error_that_says_why(model_dir, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.mp4").write_text("no video")
    rows, root = rows_of_videos([str(tmp_path / "in")])
    with pytest.raises(UserError, match=r"none of 1 recordings could be used \(the first: not_media, "):
        predict_rows(PredictConfig(model_dir, root, str(tmp_path / "out")), rows)


def test_threads_of_a_process_share_one_model(model_dir, monkeypatch):
    loaded = []
    load = detectors.load_detector
    monkeypatch.setattr(detectors, "load_detector", lambda folder: loaded.append(folder) or load(folder))
    monkeypatch.setattr(detectors, "_shared", None)
    fingerprint = load(model_dir).fingerprint
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(detectors.shared_detector(model_dir, fingerprint)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loaded == [model_dir]
    assert len({id(one) for one in found}) == 1
    with pytest.raises(UserError, match="was replaced since the job began"):
        detectors.shared_detector(model_dir, "another")


def test_a_model_that_was_exported_anew_is_loaded_anew(tmp_path):
    before = detectors.shared_detector(save_known(tmp_path / "model"))
    assert detectors.shared_detector(str(tmp_path / "model")) is before
    after = detectors.shared_detector(save_known(tmp_path / "model", gain=1.5))
    assert after.fingerprint != before.fingerprint


def test_the_command_takes_folders_files_and_manifests_without_labels(model_dir, videos, tmp_path, capsys):
    def run(*argv):
        return predict_command.main(["avinst predict", f"--model_dir={model_dir}", *map(str, argv)])

    assert run(videos, f"--output_dir={tmp_path}/folder") == 0
    output = capsys.readouterr().out
    assert f"{tmp_path}/folder: 5 of 6 recordings predicted, 11 segments, 1 rejects" in output
    files = [videos / "a,b" / "3.mp4", videos / "a,b" / "1.mp4"]
    assert run(*files, f"--output_dir={tmp_path}/files", "--format=jsonl") == 0
    assert [row["video_id"] for row in json_lines(tmp_path / "files" / "recordings.jsonl")] == ["1", "3"]
    (tmp_path / "m.csv").write_text('video_path\n"a,b/0.mp4"\n')
    assert run(f"--manifest={tmp_path}/m.csv", f"--media_root={videos}", f"--output_dir={tmp_path}/m") == 0
    assert "label" not in lines_of(tmp_path / "m" / "recordings.csv")[0]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--manifest=m.csv"], "--manifest is for predictions that are written; give --output_dir"),
        (["--features", "a.mp4"], "--features is for predictions that are written"),
        (["--nojoin", "a.mp4"], "--nojoin is for predictions that are written"),
        (["--media_root=v", "a.mp4"], "--media_root is for predictions that are written"),
        (["--manifest=m.csv", "a.mp4", "--output_dir=o"], "give either videos or --manifest"),
        (["--output_dir=o", "--format=table", "a.mp4"], "--format=table is for the terminal"),
        (["--output_dir=o", "--figure=a.png", "a.mp4"], "--figure shows one video"),
        (["--output_dir=o", "--media_root=.", "a.mp4"], "--media_root is for the paths of a --manifest"),
        (["--figure=a.png", "a.mp4", "b.mp4"], "--figure shows one video, 2 are given"),
        (["--json", "--format=csv", "a.mp4"], "--json and --format=csv; give one of them"),
        (["--ouput_dir=o", "a.mp4"], "unknown flag --ouput_dir; did you mean --output_dir?"),
        (["--wall_seconds_per_media_second=0", "a.mp4"], "second=0.0: expected more than 0"),
        (["--runner=DataflowRunner", "a.mp4"], "--runner=DataflowRunner is for jobs that write to --output_dir"),
    ],
)
def test_wrong_flags_are_one_line(argv, message, capsys):
    assert predict_command.main(["avinst predict", "--model_dir=m", *argv]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
