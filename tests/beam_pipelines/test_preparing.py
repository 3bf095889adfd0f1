"""`prepare` on real files: what goes in comes out, as examples or as rejects, whatever happens on the way."""

import contextlib
import dataclasses
import hashlib
import json
import re
import shutil
from pathlib import Path

import av
import numpy as np
import pytest
import tensorflow as tf
from media_factory import clicks, flash_picture, write_media

from avinst import inspection
from avinst.dataset import load_dataset
from avinst.directory_lock import only_writer
from avinst.errors import UserError
from avinst.log_mel import log_mel
from avinst.media.types import DecodeLimits
from avinst.schema import parse_examples
from avinst.spec import DatasetSpec
from beam_pipelines import prepare as prepare_command
from beam_pipelines.accounting import versions_of
from beam_pipelines.dry_run import Estimate
from beam_pipelines.preparing import PrepareConfig, estimate_dataset, prepare_dataset
from beam_pipelines.shard_record import ExamplesRecord

SPEC = DatasetSpec(frame_size=32)
GOOD, SECONDS = 10, 2.2


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Ten good videos of two labels, a text file, an empty file, and a row without a file."""
    root = tmp_path_factory.mktemp("videos")
    rows = ["video_path,label,split"]
    for number in range(GOOD):
        label = ("drum", "flute")[number % 2]
        split = ("train", "train", "train", "validation", "test")[number // 2]
        (root / label).mkdir(exist_ok=True)
        write_media(
            root / label / f"{number}.mp4",
            seconds=SECONDS,
            picture=flash_picture([1.4], length=0.8),
            sound=clicks([1.4], SECONDS),
        )
        rows.append(f"{label}/{number}.mp4,{label},{split}")
    (root / "text.mp4").write_text("no video at all")
    (root / "empty.mp4").touch()
    rows += ["text.mp4,drum,train", "empty.mp4,flute,train", "missing.mp4,flute,test"]
    (root / "manifest.csv").write_text("\n".join(rows) + "\n")
    return root


def config(videos, data_dir, **changes):
    values = {"videos_per_shard": 3, "max_reject_rate": 0.5, **changes}
    return PrepareConfig(manifest=str(videos / "manifest.csv"), data_dir=str(data_dir), **values)


@pytest.fixture(scope="module")
def dataset(videos, tmp_path_factory):
    return prepare_dataset(config(videos, tmp_path_factory.mktemp("data") / "set"), SPEC)


def examples(dataset, split):
    records = tf.data.TFRecordDataset(dataset.tfrecord_paths(split)).batch(100)
    return next(iter(records.map(lambda batch: parse_examples(batch, dataset.spec, len(dataset.labels)))))


def digests(data_dir):
    return {
        str(file.relative_to(data_dir)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(Path(data_dir).rglob("*"))
        if file.is_file()
    }


def rejects_of(dataset):
    lines = (Path(dataset.data_dir) / "rejects.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_counts_in_are_counts_out(dataset):
    assert dataset.labels == ("drum", "flute")
    assert not dataset.multi_label
    assert dict(dataset.recordings) == {"train": 6, "validation": 2, "test": 2}
    assert dict(dataset.segments) == {"train": 12, "validation": 4, "test": 4}  # 2.2 s are two whole segments
    assert dataset.label_segments["train"] == {"drum": 6, "flute": 6}
    rejects = rejects_of(dataset)
    assert {(reject["video_id"], reject["stage"]) for reject in rejects} == {
        ("text", "open"),
        ("empty", "open"),
        ("missing", "find"),
    }
    assert dataset.rejects == 3
    assert all(reject["reason"] and reject["detail"] and reject["segment"] is None for reject in rejects)


def test_what_was_written_is_what_is_read(dataset):
    parsed = examples(dataset, "train")
    assert parsed["frame"].shape == (12, 32, 32, 3)
    assert {video.decode() for video in parsed["video_id"].numpy()} == {
        f"{label}/{number}"
        for label, number in [("drum", 0), ("flute", 1), ("drum", 2), ("flute", 3), ("drum", 4), ("flute", 5)]
    }
    for video, label in zip(parsed["video_id"].numpy(), parsed["label"].numpy(), strict=True):
        assert label[dataset.labels.index(video.decode().split("/")[0])] == 1


def test_the_dataset_tells_the_ffmpeg_that_decoded_it(dataset):
    stored = load_dataset(dataset.data_dir).versions
    codec = av.library_versions["libavcodec"]
    assert stored["libavcodec"] == ".".join(map(str, codec))
    assert {"av", "avinst", "libavformat", "libswresample", "libswscale"} <= set(stored)


def test_a_job_that_two_versions_made_tells_both(dataset, tmp_path):
    folder = tmp_path / "set"
    shutil.copytree(dataset.data_dir, folder)
    record = next(iter(sorted(folder.glob("shards/*.json"))))
    values = json.loads(record.read_text())
    here = values["versions"]["libavcodec"]
    record.write_text(json.dumps({**values, "versions": {**values["versions"], "libavcodec": "1.2.3"}}))
    records = [
        ExamplesRecord.from_json(json.loads(file.read_text())) for file in sorted(folder.glob("shards/*.json"))
    ]
    found = versions_of(records)
    assert found == {**dataset.versions, "libavcodec": f"1.2.3, {here}"}


def test_a_flash_and_a_click_meet_in_one_segment(dataset):
    parsed = examples(dataset, "train")
    for index, frame, values in zip(
        parsed["segment_index"].numpy(), parsed["frame"].numpy(), parsed["log_mel"].numpy(), strict=True
    ):
        second = index == 1  # flash and click at 1.4 s; the frame of segment 1 is the one at 1.5 s
        assert (frame.mean() > 128) == second
        assert (values.max() > -20) == second
        if second:
            # window k covers samples 220 k to 220 k + 1024: the click, sample 8820, is in windows 36 to 40
            assert 36 <= int(values.max(axis=1).argmax()) <= 40


def test_mean_and_deviation_are_those_of_the_training_split(dataset):
    values = examples(dataset, "train")["log_mel"].numpy().astype(np.float64)
    assert dataset.log_mel_mean_db == pytest.approx(values.mean(), abs=1e-9)
    assert dataset.log_mel_std_db == pytest.approx(values.std(), rel=1e-9)


def test_a_finished_dataset_is_left_alone(videos, dataset):
    before = {file: Path(dataset.data_dir, file).stat().st_mtime_ns for file in digests(dataset.data_dir)}
    assert prepare_dataset(config(videos, dataset.data_dir), SPEC) == load_dataset(dataset.data_dir)
    assert before == {file: Path(dataset.data_dir, file).stat().st_mtime_ns for file in digests(dataset.data_dir)}


def test_another_order_and_number_of_workers_give_the_same_bytes(videos, dataset, tmp_path):
    lines = (videos / "manifest.csv").read_text().splitlines()
    (tmp_path / "manifest.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    again = PrepareConfig(
        manifest=str(tmp_path / "manifest.csv"),
        media_root=str(videos),
        data_dir=str(tmp_path / "set"),
        videos_per_shard=3,
        max_reject_rate=0.5,
        workers=1,
    )
    prepare_dataset(again, SPEC)
    assert digests(tmp_path / "set") == digests(dataset.data_dir)


def test_an_interrupted_job_is_resumed(videos, dataset, tmp_path):
    data_dir = tmp_path / "set"
    prepare_dataset(config(videos, data_dir), SPEC)
    shards = sorted(data_dir.glob("*.tfrecord"))
    # As a crash leaves it: no dataset.json, one shard without record, one cut short, one temporary file.
    (data_dir / "dataset.json").unlink()
    (data_dir / "shards" / f"{shards[0].stem}.json").unlink()
    shards[1].write_bytes(shards[1].read_bytes()[:-1])
    (data_dir / ".tmp-1-00000000-train-00000-of-00003.tfrecord").write_text("half")
    (data_dir / "train-00007-of-00009.tfrecord").write_text("of another layout")
    (data_dir / "notes.txt").write_text("the user's own")
    kept = {shard: shard.stat().st_mtime_ns for shard in shards[2:]}
    prepare_dataset(config(videos, data_dir), SPEC)
    assert {shard: shard.stat().st_mtime_ns for shard in kept} == kept
    assert digests(data_dir) == {**digests(dataset.data_dir), "notes.txt": digests(data_dir)["notes.txt"]}


def test_another_spec_leaves_nothing_of_the_old_one(videos, dataset, tmp_path):
    prepare_dataset(config(videos, tmp_path / "set"), SPEC)
    again = config(videos, tmp_path / "set", videos_per_shard=100)
    before = digests(tmp_path / "set")
    with pytest.raises(UserError, match=r"made otherwise \(frame_size: 32 there, 48 now\); .*--overwrite"):
        prepare_dataset(again, DatasetSpec(frame_size=48))
    assert digests(tmp_path / "set") == before
    other = prepare_dataset(dataclasses.replace(again, overwrite=True), DatasetSpec(frame_size=48))
    assert examples(other, "test")["frame"].shape == (4, 48, 48, 3)
    assert {file.name for file in (tmp_path / "set").glob("*.tfrecord")} == {
        f"{split}-00000-of-00001.tfrecord" for split in ("train", "validation", "test")
    }


def test_mended_and_replaced_files_are_made_anew(videos, tmp_path):
    root = tmp_path / "videos"
    shutil.copytree(videos, root)
    first = prepare_dataset(config(root, tmp_path / "set"), SPEC)
    assert first.rejects == 3
    shutil.copy(root / "drum" / "0.mp4", root / "text.mp4")
    shutil.copy(root / "drum" / "2.mp4", root / "missing.mp4")
    mended = prepare_dataset(config(root, tmp_path / "set"), SPEC)
    assert mended.rejects == 1
    assert mended.segments["train"] == first.segments["train"] + 2
    write_media(root / "drum" / "0.mp4", seconds=1.2)
    assert prepare_dataset(config(root, tmp_path / "set"), SPEC).segments["train"] == mended.segments["train"] - 1


def test_other_limits_are_another_try_for_what_the_old_ones_cost(videos, dataset, tmp_path):
    root, data_dir = tmp_path / "videos", tmp_path / "set"
    shutil.copytree(videos, root)
    write_media(root / "drum" / "0.mp4", seconds=5 * SECONDS, sound=clicks([1.4], 5 * SECONDS))
    strict = config(root, data_dir, limits=DecodeLimits(max_duration_seconds=2 * SECONDS))
    assert [reject["reason"] for reject in rejects_of(prepare_dataset(strict, SPEC))].count("too_long") == 1
    written = {file: file.stat().st_mtime_ns for file in data_dir.glob("*.tfrecord")}
    mended = prepare_dataset(config(root, data_dir), SPEC)
    assert "too_long" not in [reject["reason"] for reject in rejects_of(mended)]
    assert len([file for file, time in written.items() if file.stat().st_mtime_ns != time]) == 1


def test_a_disk_that_is_not_there_costs_nothing_that_was_made(videos, tmp_path):
    root = tmp_path / "videos"
    shutil.copytree(videos, root)
    first = prepare_dataset(config(root, tmp_path / "set"), SPEC)
    before = digests(tmp_path / "set")
    for file in root.rglob("*.mp4"):
        file.unlink()
    assert prepare_dataset(config(root, tmp_path / "set"), SPEC) == first
    assert digests(tmp_path / "set") == before
    # Nor in a job that is not finished: only what is missing is tried.
    (tmp_path / "set" / "dataset.json").unlink()
    assert prepare_dataset(config(root, tmp_path / "set"), SPEC) == first
    assert digests(tmp_path / "set") == before


def test_a_wrong_media_root_is_no_lasting_harm(videos, tmp_path, capsys):
    (tmp_path / "wrong").mkdir()
    argv = [f"--manifest={videos}/manifest.csv", f"--data_dir={tmp_path}/set", "--frame_size=32"]
    (tmp_path / "set" / "shards").mkdir(parents=True)  # begun, so that videos may be gone by now
    assert prepare_command.main(["avinst prepare", *argv, f"--media_root={tmp_path}/wrong"]) == 1
    told = capsys.readouterr().err
    assert "13 of 13 recordings gave no example (not_found 13)" in told
    assert told.endswith("rejects.jsonl, is --media_root the folder of the videos?\n")
    assert prepare_command.main(["avinst prepare", *argv, "--max_reject_rate=0.5"]) == 0


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_forgotten_media_root_is_told_before_the_job(videos, tmp_path, dry_run):
    manifest = tmp_path / "manifest.csv"
    shutil.copy(videos / "manifest.csv", manifest)
    spec = PrepareConfig(manifest=str(manifest), data_dir=str(tmp_path / "set"))
    make = estimate_dataset if dry_run else prepare_dataset
    with pytest.raises(UserError) as raised:
        make(spec, SPEC)
    assert str(raised.value).startswith(
        f"none of the 13 videos of {manifest} is below '{tmp_path}': no '{tmp_path}/drum/0.mp4'; "
        "is --media_root missing?"
    )
    (tmp_path / "wrong").mkdir()
    with pytest.raises(UserError, match=r"/wrong/drum/0.mp4'; is this the folder of the videos\?"):
        make(dataclasses.replace(spec, media_root=str(tmp_path / "wrong")), SPEC)
    assert not (tmp_path / "set").exists()


def test_a_second_job_leaves_the_first_one_alone(videos, tmp_path):
    data_dir = tmp_path / "set"
    half_done = data_dir / ".tmp-1-00000000-train-00000-of-00003.tfrecord"
    with only_writer(str(data_dir), "prepare", "data_dir"):
        (data_dir / "shards").mkdir()
        half_done.write_text("half")
        with pytest.raises(UserError, match="another avinst prepare is at work in"):
            prepare_dataset(config(videos, data_dir), SPEC)
    assert {file.name for file in data_dir.iterdir()} == {half_done.name, "shards"}


@pytest.fixture
def finished_by_another_job(dataset, monkeypatch):
    """Another job finishes just before this one takes the lock."""

    @contextlib.contextmanager
    def late(directory, command, flag):
        shutil.copytree(dataset.data_dir, directory)
        with only_writer(directory, command, flag):
            yield

    monkeypatch.setattr("beam_pipelines.preparing.only_writer", late)
    monkeypatch.setattr("beam_pipelines.preparing.clear", lambda *_: pytest.fail("took away what is finished"))


def test_what_another_job_finished_before_the_lock_is_left_alone(
    videos, dataset, tmp_path, finished_by_another_job
):
    there = prepare_dataset(config(videos, tmp_path / "set"), SPEC)
    assert dataclasses.replace(there, data_dir=dataset.data_dir) == dataset
    assert digests(tmp_path / "set") == digests(dataset.data_dir)
    with pytest.raises(UserError, match=r"made otherwise \(frame_size: 32 there, 48 now\)"):
        prepare_dataset(config(videos, tmp_path / "other"), DatasetSpec(frame_size=48))
    assert digests(tmp_path / "other") == digests(dataset.data_dir)


def test_somebody_elses_tfrecords_are_not_touched(videos, tmp_path):
    (tmp_path / "train-00000-of-00010.tfrecord").write_text("precious")
    with pytest.raises(UserError, match="that avinst did not make"):
        prepare_dataset(config(videos, tmp_path), SPEC)
    assert (tmp_path / "train-00000-of-00010.tfrecord").read_text() == "precious"


def test_spans_of_one_file_stay_in_one_split(videos, tmp_path):
    rows = [f"drum/{n}.mp4,drum,v{n}-{start},{start},{start + 1}" for n in (0, 2, 4, 6, 8) for start in (0, 1)]
    (tmp_path / "m.csv").write_text(
        "video_path,label,video_id,start_seconds,end_seconds\n" + "\n".join(rows) + "\n"
    )
    spans = PrepareConfig(manifest=str(tmp_path / "m.csv"), media_root=str(videos), data_dir=str(tmp_path / "set"))
    prepare_dataset(spans, SPEC)
    split_of = {}
    for file in (tmp_path / "set" / "shards").glob("*.json"):
        for video in json.loads(file.read_text())["segments_of_video"]:
            split_of.setdefault(video.split("-")[0], set()).add(file.name.split("-")[0])
    assert len(split_of) == 5
    assert all(len(splits) == 1 for splits in split_of.values())


def test_too_many_rejects_fail_the_job_and_keep_the_shards(videos, tmp_path):
    with pytest.raises(
        UserError, match=r"3 of 13 recordings gave no example .*not_found 1.*--max_reject_rate=0.2"
    ):
        prepare_dataset(config(videos, tmp_path / "set", max_reject_rate=0.2), SPEC)
    assert list((tmp_path / "set").glob("*.tfrecord"))
    with pytest.raises(UserError, match="unfinished; run the same avinst prepare again"):
        load_dataset(str(tmp_path / "set"))
    assert prepare_dataset(config(videos, tmp_path / "set"), SPEC).rejects == 3


def test_a_lower_reject_rate_is_held_against_a_finished_dataset_too(videos, dataset):
    before = digests(dataset.data_dir)
    with pytest.raises(UserError, match=r"3 of 13 recordings gave no example \(.*not_found 1.*_rate=0\.2 allows"):
        prepare_dataset(config(videos, dataset.data_dir, max_reject_rate=0.2), SPEC)
    assert digests(dataset.data_dir) == before
    assert prepare_dataset(config(videos, dataset.data_dir, max_reject_rate=0.24), SPEC) == dataset


def test_one_recording_can_be_inspected(dataset, tmp_path, capsys):
    argv = ["avinst inspect", dataset.data_dir, "--video_id=flute/7", f"--contact_sheet={tmp_path}/sheet.png"]
    assert inspection.main(argv) == 0
    captured = capsys.readouterr()
    assert "split      validation, shard validation-0000" in captured.out
    assert "segments   2" in captured.out
    assert "2 examples" in captured.err
    assert inspection.main(["avinst inspect", dataset.data_dir, "--video_id=text"]) == 0
    assert "reject     not_media, " in capsys.readouterr().out
    assert inspection.main(["avinst inspect", dataset.data_dir, "--video_id=flut/7"]) == 1
    assert "did you mean 'flute/7'?" in capsys.readouterr().err


def test_a_dry_run_estimates_and_writes_nothing(videos, tmp_path, capsys):
    argv = [f"--manifest={videos}/manifest.csv", f"--data_dir={tmp_path}/set", "--frame_size=32", "--dry_run"]
    assert prepare_command.main(["avinst prepare", *argv]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    # The sample is 12 of the 13 rows: 9 or 10 good ones of 2 segments each, 2 or 3 without any.
    sampled, segments, rejects = map(int, re.findall(r"\d+", lines["sample"])[:3])
    assert sampled == 12
    assert segments == 2 * (12 - rejects)
    assert lines["segments"] == f"segments   about {round(segments * 13 / 12)}"
    assert lines["videos"].startswith("videos     13 in ")
    assert lines["missing"] == "missing    1 of 13 videos are not there: 'missing.mp4'"
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize(
    ("stored", "seconds", "size", "cpu"),
    [(1_300_000, 4.2, "1.3 MB", "4.2 s"), (2_340_000_000, 9000.0, "2.34 GB", "2.50 hours")],
)
def test_a_dry_run_tells_small_and_large_jobs_in_their_units(stored, seconds, size, cpu):
    text = Estimate(12, 1, 12, 36, stored, seconds, (), (), 1).text()
    assert f"size       about {size}\n" in text
    assert f"CPU        about {cpu}\n" in text


def test_a_dry_run_refuses_what_the_run_would_refuse(videos, dataset, tmp_path, capsys):
    argv = ["avinst prepare", f"--manifest={videos}/manifest.csv", "--dry_run"]
    assert prepare_command.main([*argv, f"--data_dir={dataset.data_dir}"]) == 1
    assert "holds a finished dataset made otherwise (frame_size: 32 there, 299 now)" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert prepare_command.main([*argv, f"--data_dir={tmp_path}/file"]) == 1
    assert "is a file; choose another directory" in capsys.readouterr().err


def test_recordings_of_which_every_segment_was_lost_are_counted_by_its_reason(tmp_path):
    write_media(tmp_path / "a.mp4", seconds=0.2, sound=clicks([0.5], SECONDS))
    (tmp_path / "manifest.csv").write_text("video_path,label\na.mp4,x\n")
    with pytest.raises(UserError, match=r"1 of 1 recordings gave no example \(no_picture 1\)"):
        prepare_dataset(config(tmp_path, tmp_path / "set"), SPEC)


def test_a_job_that_fails_is_one_line_and_a_file(videos, tmp_path, capsys):
    data_dir = tmp_path / "set"
    (data_dir / "train-00000-of-00001.tfrecord").mkdir(parents=True)  # cannot be replaced by a file
    (data_dir / "train-00000-of-00001.tfrecord" / "x").touch()
    (data_dir / "shards").mkdir()
    argv = [f"--manifest={videos}/manifest.csv", f"--data_dir={data_dir}", "--videos_per_shard=100"]
    assert prepare_command.main(["avinst prepare", *argv, "--max_reject_rate=1"]) == 1
    noise, _, error = capsys.readouterr().err.strip().rpartition("\n")
    assert "Traceback" not in noise
    assert "the job failed: " in error
    assert "directory" in error
    assert "Traceback" in (data_dir / "failure.txt").read_text()
    assert "Traceback" not in error


def test_the_stored_log_mel_is_the_one_definition(videos, dataset):
    from avinst.media.decoder import Decoder

    parsed = examples(dataset, "validation")
    with Decoder() as decoder:
        for position, video in enumerate(parsed["video_id"].numpy()):
            segments = list(decoder.decode(str(videos / f"{video.decode()}.mp4"), SPEC))
            waveform = segments[int(parsed["segment_index"][position])].waveform
            # float16 keeps 11 bits: values up to 128 dB are off by 0.031 dB at most
            np.testing.assert_allclose(parsed["log_mel"][position], log_mel(waveform, SPEC), atol=0.032)


@pytest.mark.parametrize(
    ("argv", "status", "message"),
    [
        (["--data_dir=x"], 2, "--manifest is missing"),
        (["--manifest=none.csv", "--data_dir=x", "--media_root=/nowhere"], 1, "no media folder '/nowhere'"),
        (["--manifest=none.csv", "--data_dir=x"], 1, "no manifest at 'none.csv'"),
        (["--manifest=m.csv", "--data_dir=x", "--shares=1,2"], 2, "expected three numbers"),
        (["--manifest=m.csv", "--data_dir=x", "--shares=1,2,3"], 2, "together 1"),
        (["--manifest=m.csv", "--data_dir=x", "--frame_size=3"], 2, "frame_size must be 32 to 2048"),
        (["--manifest=m.csv", "--data_dir=x", "--segment_seconds=0.01"], 2, "must hold at least one window"),
        (["--manifest=m.csv", "--data_dir=x", "--frame_sise=32"], 2, "unknown flag --frame_sise"),
        (["--manifest=m.csv", "--data_dir=m.csv"], 1, "cannot make the directory"),
    ],
)
def test_wrong_use_is_one_line(tmp_path, monkeypatch, capsys, argv, status, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.csv").write_text("video_path,label\na.mp4,x\n")
    (tmp_path / "a.mp4").touch()
    assert prepare_command.main(["avinst prepare", *argv]) == status
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_folder_without_any_usable_video(tmp_path, capsys):
    (tmp_path / "m.csv").write_text("video_path,label\na.mp4,x\n")
    (tmp_path / "a.mp4").write_text("text")
    argv = ["avinst prepare", f"--manifest={tmp_path}/m.csv", f"--data_dir={tmp_path}/set", "--max_reject_rate=1"]
    assert prepare_command.main(argv) == 1
    assert "1 of 1 recordings gave no example (not_media 1)" in capsys.readouterr().err
