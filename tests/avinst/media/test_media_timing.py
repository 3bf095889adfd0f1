"""A flash and a click at one moment meet in one segment, and sound lies where its time stamps say."""

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from media_factory import clicks, flash_picture, tone, write_media
from PIL import Image

from avinst.media.segments import Segment, decode_segments
from avinst.spec import DatasetSpec

SPEC = DatasetSpec(frame_size=64)
MOMENT = 2.4  # the flash lasts from here for 0.3 s, over the middle of segment 2

CASES: dict[str, dict[str, object]] = {
    "plain.mp4": {},
    "stereo_48000.mp4": {"rate": 48_000, "layout": "stereo"},
    "plain.mkv": {},
    "opus.webm": {
        "video_codec": "libvpx",
        "audio_codec": "libopus",
        "rate": 48_000,
        "video_options": {"deadline": "realtime", "cpu-used": "8"},
    },
    "pcm.avi": {"video_codec": "mpeg4", "audio_codec": "pcm_s16le", "time_base": Fraction(1, 25)},
    "audio_late.mp4": {"audio_start": 0.7},
    "audio_late.mkv": {"audio_start": 1.3},
    "video_late.mp4": {"video_start": 0.48},
    "video_late.ts": {"video_start": 0.48},
    "start_offset.ts": {"video_start": 1000.0, "audio_start": 1000.0},
    "start_offset.mkv": {"video_start": 7.0, "audio_start": 7.0},
    "variable_rate.mp4": {
        "frame_times": [
            *(0.04 * number for number in range(30)),
            *(1.9, 2.3, 2.4, 2.43, 2.48, 2.72),
            *(2.9 + number / 50 for number in range(50)),
        ],
    },
}


def shows_flash(segment: Segment) -> bool:
    return bool(np.asarray(Image.open(io.BytesIO(segment.jpeg))).mean() > 128)


def click_seconds(waveform: np.ndarray) -> float:
    """Where the click is: the middle of what is louder than half of the loudest."""
    loud = np.flatnonzero(np.abs(waveform) > np.abs(waveform).max() / 2)
    return float(loud.mean()) / SPEC.sample_rate_hz


def write_clapper(path: Path, moments: list[float], seconds: float = 4.0, **recipe: object) -> str:
    """Flashes and clicks at the same presentation times, whatever the streams' own starts are."""
    video_start = float(recipe.get("video_start", 0.0))  # type: ignore[arg-type]
    audio_start = float(recipe.get("audio_start", 0.0))  # type: ignore[arg-type]
    begin = min(video_start, audio_start)
    rate = int(recipe.get("rate", 44_100))  # type: ignore[call-overload]
    channels = 2 if recipe.get("layout") == "stereo" else 1
    flashes = [begin + moment - video_start for moment in moments]
    sound = clicks(
        [begin + moment - audio_start for moment in moments], seconds + begin - audio_start, rate, channels
    )
    return write_media(
        path,
        seconds=seconds + begin - video_start,
        picture=flash_picture(flashes, length=0.3),
        sound=sound,
        **recipe,
    )


def media_time(path: str, moment: float, recipe: dict[str, object]) -> float:
    """Where a presentation time lies in the media's own time.

    A muxer may move both streams by the same amount (an AAC encoder's lead-in must not be negative in a TS), and
    the container's start time is the earliest of any stream.
    """
    video_start = float(recipe.get("video_start", 0.0))  # type: ignore[arg-type]
    begin = min(video_start, float(recipe.get("audio_start", 0.0)))  # type: ignore[arg-type]
    with av.open(path) as container:
        moved = next(iter(container.decode(video=0))).time - video_start
        return moment + begin + moved - container.start_time / 1e6


@pytest.mark.parametrize("name", CASES)
def test_flash_and_click_meet(tmp_path: Path, name: str) -> None:
    path = write_clapper(tmp_path / name, [MOMENT], **CASES[name])
    parts = [part for part in decode_segments(path, SPEC) if isinstance(part, Segment)]
    assert [part.index for part in parts if shows_flash(part)] == [2]
    heard = [part for part in parts if np.abs(part.waveform).max() > 0.3]
    assert [part.index for part in heard] == [2]
    # The click is one millisecond long; mp4 rounds a stream's late start to a millisecond, mkv every stamp.
    expected = media_time(path, MOMENT, CASES[name]) + 0.0005
    assert heard[0].start_seconds + click_seconds(heard[0].waveform) == pytest.approx(expected, abs=0.001)


def test_they_meet_after_any_time_and_wherever_reading_begins(tmp_path: Path) -> None:
    moments = [0.4, 30.4, 59.4, 60.4, 89.4]
    path = write_clapper(
        tmp_path / "long.mp4", moments, seconds=91.0, fps=Fraction(10), video_options={"g": "100"}
    )
    parts = list(decode_segments(path, SPEC))
    assert len(parts) == 91
    assert [part.index for part in parts if shows_flash(part)] == [0, 30, 59, 60, 89]
    heard = [part for part in parts if np.abs(part.waveform).max() > 0.3]
    assert [part.index for part in heard] == [0, 30, 59, 60, 89]
    # No drift: the click at 89 s is as exact as the first (a sample takes 0.045 ms).
    assert [click_seconds(part.waveform) for part in heard] == pytest.approx([0.4005] * 5, abs=0.0001)
    # Entered in the middle, by a seek, at a time that is not a whole second.
    late = list(decode_segments(path, SPEC, start_seconds=59.25, end_seconds=62.25))
    assert [part.start_seconds for part in late] == [59.25, 60.25, 61.25]
    heard = [part for part in late if np.abs(part.waveform).max() > 0.3]
    assert [part.index for part in heard] == [0, 1]
    assert click_seconds(heard[0].waveform) == pytest.approx(0.4005 - 0.25, abs=0.0001)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "avi"])
def test_a_part_of_a_file_equals_that_part_of_the_whole(tmp_path: Path, suffix: str) -> None:
    # In Matroska, which rounds to milliseconds, 1024 samples last 32 ms exactly at this rate.
    rate = 32_000
    sound = np.random.default_rng(1).uniform(-0.5, 0.5, (1, 40 * rate)).astype(np.float32)
    audio = {"audio_codec": "pcm_s16le"} if suffix in ("mkv", "avi") else {"audio_codec": "mp2"}
    codec = {"video_codec": "mpeg4", "time_base": Fraction(1, 10)} if suffix == "avi" else {}
    path = write_media(
        tmp_path / f"a.{suffix}", seconds=40.0, fps=Fraction(10), rate=rate, sound=sound, **audio, **codec
    )
    whole = [part for part in decode_segments(path, SPEC) if isinstance(part, Segment)]
    for start in (3, 25):
        part = [part for part in decode_segments(path, SPEC, start, start + 4) if isinstance(part, Segment)]
        assert [segment.jpeg for segment in part] == [segment.jpeg for segment in whole[start : start + 4]]
        # The MP2 decoder shapes its rounding noise (16 bit, 3e-5) by what came before.
        for mine, its in zip(part, whole[start : start + 4], strict=True):
            np.testing.assert_allclose(mine.waveform, its.waveform, atol=1e-4)


def test_a_tone_comes_out_as_the_same_tone(tmp_path: Path) -> None:
    """Level, pitch, phase and sign survive mixing and resampling, without delay."""
    sound = tone(1000.0, 5.0, 48_000, channels=2, level=0.4)
    path = write_media(
        tmp_path / "a.mkv", audio_codec="flac", rate=48_000, layout="stereo", sound=sound, seconds=5.0
    )
    parts = list(decode_segments(path, SPEC))
    assert len(parts) == 5
    for part in parts[1:4]:  # the resampler's filter rings where the tone begins and ends
        assert isinstance(part, Segment)
        times = part.start_seconds + np.arange(SPEC.segment_samples) / SPEC.sample_rate_hz
        # 16 bit steps are 3e-5; the resampler's pass band is flat to 0.1 %.
        np.testing.assert_allclose(part.waveform, 0.4 * np.sin(2 * np.pi * 1000.0 * times), atol=5e-4)


@pytest.mark.parametrize(
    ("layout", "levels", "expected"),
    [
        ("mono", [0.8], 0.8),
        ("stereo", [0.8, 0.8], 0.8),
        ("stereo", [0.8, 0.0], 0.4),
        ("stereo", [0.8, -0.8], 0.0),
        # Front left and right, centre, low, back left and right: sqrt(1/2) twice, 1, 0, 1/2 twice, over the sum.
        ("5.1", [0.0, 0.0, 0.8, 0.0, 0.0, 0.0], 0.8 / (2 * 0.5**0.5 + 2)),
        ("5.1", [0.8] * 6, 0.8),
    ],
)
def test_channels_are_mixed_with_weights_that_cannot_clip(
    tmp_path: Path, layout: str, levels: list[float], expected: float
) -> None:
    sound = np.concatenate([tone(441.0, 2.0, level=1.0) * level for level in levels])
    path = write_media(tmp_path / "a.mkv", seconds=2.0, audio_codec="flac", layout=layout, sound=sound)
    part = next(iter(decode_segments(path, SPEC)))
    assert isinstance(part, Segment)
    assert np.abs(part.waveform).max() == pytest.approx(expected, abs=0.002)  # peaks fall between samples


def test_a_gap_in_the_sound_stays_where_it_is(tmp_path: Path) -> None:
    """Lost packets leave silence; what follows does not move up."""
    whole = write_clapper(tmp_path / "whole.mkv", [0.4, 2.4], audio_codec="libmp3lame")
    path = str(tmp_path / "gap.mkv")
    with av.open(whole) as source, av.open(path, "w") as target:
        streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            is_sound = packet.stream.type == "audio"
            if packet.size and not (is_sound and 1.1 < packet.pts * packet.time_base < 1.4):
                packet.stream = streams[packet.stream_index]
                target.mux(packet)
    heard = [part for part in decode_segments(path, SPEC) if np.abs(part.waveform).max() > 0.3]
    assert [part.index for part in heard] == [0, 2]
    assert click_seconds(heard[1].waveform) == pytest.approx(0.4005, abs=0.001)


def test_segments_of_no_whole_number_of_samples_do_not_drift(tmp_path: Path) -> None:
    """0.335 s take 7386.75 samples: read as 7387, with one sample shared by three of four neighbours."""
    spec = DatasetSpec(frame_size=64, segment_seconds=0.335)
    path = write_clapper(tmp_path / "a.mkv", [19.9], seconds=20.5, audio_codec="pcm_s16le")
    heard = [part for part in decode_segments(path, spec) if np.abs(part.waveform).max() > 0.3]
    assert [part.index for part in heard] == [59]
    # The middle of the click of a millisecond; without the shared samples it would come 2 ms early.
    assert click_seconds(heard[0].waveform) == pytest.approx(19.9005 - 59 * 0.335, abs=0.0001)
