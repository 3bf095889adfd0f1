"""Rendered performances are real videos, the same every time, and a run that was stopped goes on."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from avinst.errors import UserError
from avinst.synthesis import performances
from avinst.synthesis.performances import (
    DRAWN_FILE,
    REGIONS_FILE,
    Settings,
    render_performances,
    scene_of,
)
from avinst.synthesis.sound import SAMPLE_RATE_HZ, VOICES, play
from avinst.synthesis.soundfont_file import load_soundfont
from avinst.synthesis.truth import regions_csv

SMALL = {"instruments": 2, "videos_per_instrument": 2, "seconds": 1.5, "size": 96, "seed": 4}
VIDEOS = ["violin/violin_000.mp4", "violin/violin_001.mp4", "flute/flute_000.mp4", "flute/flute_001.mp4"]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    folder = tmp_path_factory.mktemp("performances")
    assert render_performances(str(folder), **SMALL, workers=2) == VIDEOS
    return folder


def _bytes(folder):
    return {name: Path(folder, name).read_bytes() for name in [*VIDEOS, DRAWN_FILE, REGIONS_FILE]}


def test_a_video_is_h264_and_aac_of_the_length_and_size_asked_for(rendered):
    for name in VIDEOS:
        with av.open(str(rendered / name)) as container:
            video, audio = container.streams.video[0], container.streams.audio[0]
            assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
            assert (video.width, video.height) == (128, 96)
            assert (audio.rate, audio.layout.name) == (44_100, "mono")
            assert container.duration / av.time_base == pytest.approx(1.5, abs=0.03)  # one AAC frame
            times = [frame.time for frame in container.decode(video=0)]
        np.testing.assert_allclose(times, np.arange(15) / 10, atol=1e-6)


def test_picture_and_sound_are_those_of_the_scene_at_their_times(rendered):
    scene = scene_of(Settings(**SMALL), "violin", 1)
    with av.open(str(rendered / VIDEOS[1])) as container:
        for index, frame in enumerate(container.decode(video=0)):
            drawn = scene.frame(index / 10).astype(float)
            loss = np.mean(np.abs(frame.to_ndarray(format="rgb24") - drawn))
            assert loss < 8  # of 255: H.264 at CRF 20 with halved colour resolution; 3 to 5 measured
    played = play(scene.performance, load_soundfont())
    decoded = np.zeros(len(played) + 8192)
    with av.open(str(rendered / VIDEOS[1])) as container:
        for block in container.decode(audio=0):
            first = round(block.time * SAMPLE_RATE_HZ)
            samples = block.to_ndarray()[0]
            if first >= 0:
                decoded[first : first + len(samples)] = samples
    # In time to the sample, else violin and noise would not correlate; AAC at 96 kbit/s leaves some difference.
    assert np.corrcoef(decoded[: len(played)], played)[0, 1] > 0.95


def test_one_process_writes_the_same_bytes_as_two(rendered, tmp_path):
    render_performances(str(tmp_path), **SMALL, workers=1)
    assert _bytes(tmp_path) == _bytes(rendered)


def test_another_seed_gives_other_videos(rendered, tmp_path):
    render_performances(str(tmp_path), **{**SMALL, "seed": 5, "videos_per_instrument": 1}, workers=1)
    assert (tmp_path / VIDEOS[0]).read_bytes() != (rendered / VIDEOS[0]).read_bytes()


def test_two_videos_of_an_instrument_differ(rendered):
    assert (rendered / VIDEOS[0]).read_bytes() != (rendered / VIDEOS[1]).read_bytes()


def test_the_first_videos_stay_the_same_when_more_are_asked_for():
    few, many = Settings(**SMALL), Settings(**{**SMALL, "videos_per_instrument": 9, "instruments": 8})
    assert scene_of(few, "flute", 1) == scene_of(many, "flute", 1)


def test_a_stopped_run_goes_on_and_ends_as_if_it_had_not_stopped(rendered, monkeypatch):
    before = _bytes(rendered)
    (rendered / VIDEOS[2]).unlink()
    (rendered / DRAWN_FILE).unlink()
    leftover = rendered / "flute" / ".tmp-1-flute_000.mp4"
    leftover.write_bytes(b"half a video")
    written = []
    write_mp4 = performances.write_mp4
    monkeypatch.setattr(
        performances, "write_mp4", lambda path, *rest: (written.append(path), write_mp4(path, *rest))
    )
    render_performances(str(rendered), **SMALL, workers=1)
    assert [Path(path).name.endswith("flute_000.mp4") for path in written] == [True]
    assert not leftover.exists()
    assert _bytes(rendered) == before


def test_an_unfinished_video_never_bears_its_name(tmp_path, monkeypatch):
    def dies(path, *_):
        Path(path).write_bytes(b"half a video")
        raise KeyboardInterrupt

    monkeypatch.setattr(performances, "write_mp4", dies)
    with pytest.raises(KeyboardInterrupt):
        render_performances(str(tmp_path), **SMALL, workers=1)
    assert not list(tmp_path.rglob("*.mp4"))


def test_a_full_disk_is_one_line(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(performances, "write_mp4", full)
    with pytest.raises(UserError, match=r"violin_000\.mp4.*No space left"):
        render_performances(str(tmp_path), **SMALL, workers=1)


def test_progress_counts_new_videos_and_skips_old_ones(tmp_path):
    class Counter:
        def __init__(self):
            self.new, self.old = 0, 0

        def advance(self):
            self.new += 1

        def skip(self, count):
            self.old += count

    counter = Counter()
    settings = {**SMALL, "seconds": 1.0, "size": 48}
    render_performances(str(tmp_path), **settings, workers=1, progress=counter)
    assert (counter.new, counter.old) == (4, 0)
    (tmp_path / VIDEOS[3]).unlink()
    render_performances(str(tmp_path), **settings, workers=1, progress=counter)
    assert (counter.new, counter.old) == (5, 3)


def test_what_is_drawn_where(rendered):
    drawn = json.loads((rendered / DRAWN_FILE).read_text())
    assert list(drawn) == [name.removesuffix(".mp4") for name in VIDEOS]
    truth = drawn["flute/flute_001"]
    scene = scene_of(Settings(**SMALL), "flute", 1)
    assert truth["label"] == "flute"
    assert truth["frames_per_second"] == 10
    np.testing.assert_allclose(truth["boxes"], [scene.box(i / 10) for i in range(15)], atol=5e-5)  # four digits
    assert [note[2] for note in truth["notes"]] == [note.pitch for note in scene.performance.notes]


def test_regions_are_where_the_instrument_is_in_the_frame_of_each_second(rendered):
    lines = (rendered / REGIONS_FILE).read_text().splitlines()
    assert lines[0] == "video_id,seconds,left,top,right,bottom"
    assert [line.split(",")[0] for line in lines[1:]] == [name.removesuffix(".mp4") for name in VIDEOS]
    # 1.5 s hold one whole second; the frame at its middle is the one of 0.5 s.
    box = scene_of(Settings(**SMALL), "flute", 1).box(0.5)
    found = next(line for line in lines if line.startswith("flute/flute_001")).split(",")[1:]
    np.testing.assert_allclose([float(cell) for cell in found], [0.5, *box], atol=5e-5)  # four digits
    of_three_seconds = {"frames_per_second": 10, "boxes": [[0, 0, i / 100, 1] for i in range(1, 31)]}
    rows = regions_csv({"a": of_three_seconds}).splitlines()[1:]
    assert rows == ["a,0.5,0,0,0.06,1", "a,1.5,0,0,0.16,1", "a,2.5,0,0,0.26,1"]


def test_what_is_written_beside_the_videos_does_not_disturb_a_manifest(rendered, tmp_path):
    from avinst.cli import main

    manifest = tmp_path / "manifest.csv"
    assert (
        main(["avinst", "manifest", "--format=folders", f"--media_root={rendered}", f"--output={manifest}"]) == 0
    )
    rows = manifest.read_text().splitlines()[1:]
    assert sorted(row.partition(",")[0] for row in rows) == sorted(VIDEOS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"instruments": 1}, "2 to 10"),
        ({"instruments": 11}, "2 to 10"),
        ({"videos_per_instrument": 0}, "videos_per_instrument"),
        ({"seconds": 0.5}, "seconds"),
        ({"size": 97}, "even"),
        ({"seed": -1}, "seed"),
    ],
)
def test_settings_out_of_range_are_named_and_nothing_is_written(tmp_path, change, message):
    with pytest.raises(UserError, match=message):
        render_performances(str(tmp_path / "new"), **{**SMALL, **change})
    assert not (tmp_path / "new").exists()
    assert len(VOICES) == 10


def test_a_folder_of_other_settings_is_left_alone(rendered):
    before = _bytes(rendered)
    with pytest.raises(UserError, match="other settings"):
        render_performances(str(rendered), **{**SMALL, "seed": 5})
    assert _bytes(rendered) == before


def test_a_folder_of_other_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("two years")
    with pytest.raises(UserError, match="other files"):
        render_performances(str(tmp_path), **SMALL)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_file_in_the_place_of_the_folder(tmp_path, place):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file"):
        render_performances(str(tmp_path / place), **SMALL)


def test_a_damaged_settings_file_is_named(tmp_path):
    (tmp_path / performances.SETTINGS_FILE).write_text("{")
    with pytest.raises(UserError, match="damaged"):
        render_performances(str(tmp_path), **SMALL)


def test_rendering_imports_no_heavy_package():
    code = (
        "import json, sys; import avinst.synthesis.performances; "
        "print(json.dumps([name for name in ('tensorflow', 'keras', 'apache_beam', 'pretty_midi', 'matplotlib') "
        "if name in sys.modules]))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(result.stdout) == []


def test_a_script_without_a_guard_is_told_of_it(tmp_path):
    """The processes import the script, which would start processes of its own."""
    script = tmp_path / "script.py"
    script.write_text(
        "import avinst\n"
        "try:\n"
        "    avinst.render_performances('videos', instruments=2, videos_per_instrument=1)\n"
        "except avinst.UserError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "a script calls this outside of `if __name__ == '__main__':`" in done.stdout
