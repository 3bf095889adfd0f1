"""`avinst explain` as it is typed: what it writes, and what it says of each mistake."""

import wave

import av
import numpy as np
import pytest
from media_factory import tone, write_media
from toy_models import toy_model
from toy_study_parts import toy_dataset

from analysis import explain
from analysis.explained import explaining
from analysis.explained import video as explained_video
from avinst import paths
from avinst.media.decoder import Decoder
from avinst.media.types import DecodeLimits
from trainer.config import TrainConfig
from trainer.run import MODEL_FILE, open_run


def make_run(folder, modalities=("audio", "visual"), **dataset):
    scheme = "joint" if len(modalities) == 2 else modalities[0]
    open_run(str(folder), TrainConfig(scheme=scheme), toy_dataset(**dataset))
    toy_model(modalities).save(folder / MODEL_FILE)
    return str(folder)


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs") / "joint")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    return write_media(path, seconds=2.4, fps=10, sound=tone(200, 2.4))


def run(*arguments):
    return explain.main(["avinst explain", *map(str, arguments)])


def test_the_video_comes_again_with_its_sound_and_the_kept_sound_beside_it(run_dir, clip, tmp_path, capsys):
    output, kept = tmp_path / "-explained.mp4", tmp_path / "kept.wav"
    assert run(f"--run_dir={run_dir}", clip, f"--output={output}", f"--listen={kept}", "--label=piano") == 0
    told = capsys.readouterr().out
    assert "evidence for piano" in told
    assert "24 frames" in told
    assert "sound copied (aac)" in told
    with av.open(str(output)) as new:
        times = [frame.time for frame in new.decode(video=0)]
    np.testing.assert_allclose(times, np.arange(24) / 10, atol=1e-6)
    sounds = []
    for path in (clip, str(output)):
        with av.open(path) as file:
            sounds.append(np.concatenate([frame.to_ndarray() for frame in file.decode(audio=0)], axis=1))
    np.testing.assert_array_equal(*sounds)
    with wave.open(str(kept)) as file:
        assert file.getnframes() / file.getframerate() == pytest.approx(sounds[0].shape[1] / 44_100, abs=0.03)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["-explained.mp4", "kept.wav"]


@pytest.mark.parametrize("modality", ["audio", "visual"])
def test_runs_of_one_modality(modality, clip, tmp_path, capsys):
    run_dir = make_run(tmp_path / "run", (modality,), multi_label=True)
    output = tmp_path / "explained.mp4"
    arguments = [f"--run_dir={run_dir}", clip, f"--output={output}", "--start_seconds=1", "--end_seconds=2"]
    assert run(*arguments) == 0
    assert "10 frames, 1.00 s" in capsys.readouterr().out
    if modality == "visual":
        assert run(*arguments, f"--listen={tmp_path / 'kept.wav'}", "--overwrite") == 1
        assert "hears nothing" in capsys.readouterr().err


def test_mistakes_are_told_in_one_line(run_dir, clip, tmp_path, capsys):
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    short = write_media(tmp_path / "short.mp4", seconds=0.4, sound=tone(200, 0.4))
    silent = write_media(tmp_path / "silent.mp4", seconds=1.2, fps=10, no_sound=True)
    blind = write_media(tmp_path / "blind.mp4", no_picture=True, seconds=1.2)
    there = tmp_path / "there.mp4"
    there.write_bytes(b"mine")
    link = tmp_path / "link.mp4"
    link.symlink_to(clip)
    new, of_run = f"--output={tmp_path / 'new.mp4'}", f"--run_dir={run_dir}"
    cases = [
        ([of_run, clip], 2, "--output is missing"),
        ([new, clip], 2, "--run_dir is missing"),
        ([of_run, new], 2, "one video is expected, found none"),
        ([of_run, new, clip, clip], 2, "one video is expected"),
        ([of_run, clip, f"--output={tmp_path / 'new.avi'}"], 2, "ends with .mp4"),
        ([of_run, clip, new, "--listen=kept.mp3"], 2, "ends with .wav"),
        ([of_run, clip, new, "--start_seconds=2", "--end_seconds=2"], 2, "more than --start_seconds"),
        ([of_run, new, tmp_path / "none.mp4"], 1, "no video file"),
        ([of_run, new, tmp_path], 1, "no video file"),
        ([of_run, link, f"--output={clip}"], 1, "is the video itself"),
        ([of_run, clip, f"--output={there}"], 1, "there already"),
        ([of_run, clip, f"--output={tmp_path / 'no' / 'new.mp4'}"], 1, "there is no directory"),
        ([f"--run_dir={tmp_path / 'none'}", clip, new], 1, "no run directory"),
        ([f"--run_dir={tmp_path}", clip, new], 1, "no run; give the --run_dir"),
        ([of_run, clip, new, "--label=violin"], 1, "no label 'violin'; expected one of flute"),
        ([of_run, text, new], 1, "not_media"),
        ([of_run, short, new], 1, "too_short"),
        ([of_run, silent, new], 1, "no_audio_stream"),
        ([of_run, blind, new], 1, "no_video_stream"),
        ([of_run, clip, new, "--start_seconds=30"], 1, "gives no segment"),
    ]
    for arguments, status, told in cases:
        assert run(*arguments) == status, arguments
        lines = capsys.readouterr().err.strip().splitlines()
        lines = [line for line in lines if not line.startswith("predicting")]
        assert len(lines) == 1, (arguments, lines)
        assert told in lines[0], (arguments, lines)
    assert there.read_bytes() == b"mine"
    assert not (tmp_path / "new.mp4").exists()


def test_a_remote_file_that_is_too_large_is_not_fetched(run_dir, clip, tmp_path, capsys, monkeypatch):
    remote = "ram://explain/clip.mp4"  # TensorFlow's file system in memory stands for a cloud one
    paths.make_directory("ram://explain")
    paths.write_bytes(remote, paths.read_bytes(clip))
    monkeypatch.setattr(explaining, "Decoder", lambda: Decoder(DecodeLimits(max_file_bytes=1000)))
    fetched = []
    monkeypatch.setattr(paths, "local_copy", fetched.append)
    assert run(f"--run_dir={run_dir}", remote, f"--output={tmp_path / 'x.mp4'}") == 1
    error = capsys.readouterr().err
    assert "cannot be drawn: too_large" in error
    assert "1.0 kB are allowed" in error
    assert fetched == []


def test_a_crash_while_drawing_leaves_no_file(run_dir, clip, tmp_path, capsys, monkeypatch):
    (tmp_path / "crashing_child.py").write_text(
        "import os\nfrom analysis.explained import child as explained_child, writing as explained_writing\n"
        "explained_writing._Drawing.finish = lambda self: os._exit(3)\n"
        "import sys\nexplained_child.main(sys.argv)\n"
    )
    monkeypatch.setattr(explained_video, "CHILD_MODULE", "crashing_child")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{explain.__file__.rpartition('/analysis/')[0]}")
    folder = tmp_path / "out"
    folder.mkdir()
    assert run(f"--run_dir={run_dir}", clip, f"--output={folder / 'new.mp4'}") == 1
    assert "cannot be drawn: crashed: the decoder process ended with exit status 3" in capsys.readouterr().err
    assert list(folder.iterdir()) == []
