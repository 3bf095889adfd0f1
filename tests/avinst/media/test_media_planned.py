"""Planned decoding gives, bit for bit, the frames that decoding everything gives."""

import io
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from media_factory import read_number, tone, write_media
from PIL import Image

from avinst.media import frames as media_frames
from avinst.media.pictures import Pictures
from avinst.media.segments import Loss, Segment, decode_segments
from avinst.spec import DatasetSpec

SPEC = DatasetSpec(frame_size=96)

X264 = {"preset": "veryfast"}
FILES: dict[str, dict[str, object]] = {
    "plain.mp4": {"video_options": {**X264, "g": "250"}},
    "short_groups.mp4": {"video_options": {**X264, "g": "12"}},
    "b_pyramid.mkv": {"video_options": {"bf": "5", "b-pyramid": "normal", "refs": "6", "g": "40"}},
    "open_groups.mp4": {"video_options": {"x264-params": "open-gop=1:keyint=15:min-keyint=2:bframes=3:b-adapt=0"}},
    "open_groups.ts": {"video_options": {"x264-params": "open-gop=1:keyint=9:min-keyint=2:bframes=3:b-adapt=0"}},
    "open_groups_hevc.mkv": {
        "video_codec": "libx265",
        "video_options": {"x265-params": "open-gop=1:keyint=15:min-keyint=5:bframes=4:log-level=none:pools=1"},
    },
    "intra_refresh.mp4": {"video_options": {"x264-params": "intra-refresh=1:keyint=20"}},
    "intra_refresh.ts": {"video_options": {"x264-params": "intra-refresh=1:keyint=20"}},
    "start_offset.ts": {"video_start": 100.0, "audio_start": 100.0, "video_options": {"bf": "3", "g": "30"}},
    "mpeg4.avi": {"video_codec": "mpeg4", "audio_codec": "libmp3lame", "time_base": Fraction(1, 25)},
    "mpeg4_b.avi": {
        "video_codec": "mpeg4",
        "audio_codec": "libmp3lame",
        "time_base": Fraction(1, 25),
        "video_options": {"bf": "2", "g": "20"},
    },
    "motion_jpeg.avi": {
        "video_codec": "mjpeg",
        "audio_codec": "pcm_s16le",
        "time_base": Fraction(1, 25),
        "pixel_format": "yuvj420p",
    },
    "mpeg2.mpg": {
        "video_codec": "mpeg2video",
        "audio_codec": "mp2",
        "time_base": Fraction(1, 25),
        "video_options": {"bf": "2", "g": "12"},
    },
    "vp9.webm": {
        "video_codec": "libvpx-vp9",
        "audio_codec": "libopus",
        "rate": 48_000,
        "video_options": {"deadline": "realtime", "cpu-used": "8", "g": "30"},
    },
    "hidden_frames_vp8.webm": {
        "video_codec": "libvpx",
        "audio_codec": "libopus",
        "rate": 48_000,
        "video_options": {"auto-alt-ref": "1", "lag-in-frames": "16", "b": "200k", "g": "60", "cpu-used": "4"},
    },
    "variable_rate.mp4": {
        # Jitter, and two pauses of 0.7 s in which a frame stands still.
        "frame_times": [
            round(0.04 * number + 0.015 * math.sin(number), 4) + (number // 30) * 0.7 for number in range(90)
        ],
        "sound": tone(440.0, 4.96),
        "video_options": {"bf": "3", "g": "25"},
    },
    "ten_bit.mkv": {"pixel_format": "yuv420p10le", "video_options": {"g": "30"}},
    "one_a_second.mp4": {"fps": Fraction(1), "time_base": Fraction(1, 1000)},
    "two_hundred_a_second.mp4": {"fps": Fraction(200), "seconds": 2.0},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("planned")


def plain_decode(path: str, middles: list[float]) -> list[bytes]:
    """The definition, by the plainest means: all frames decoded and kept, the last one not after each middle."""
    with av.open(path) as container:
        zero = container.start_time / 1e6
        frames = [(frame.time - zero, frame) for frame in container.decode(video=0)]
    shown = [[frame for time, frame in frames if time <= middle + 1e-6][-1] for middle in middles]
    render = media_frames.renderer(SPEC, None)
    return [render(frame) for frame in shown]


@pytest.fixture
def no_second_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan itself must hold: falling back to the full decode would hide that it does not."""

    def fail(self: Pictures) -> None:
        raise AssertionError("the plan did not hold")

    monkeypatch.setattr(Pictures, "_start_over", fail)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.usefixtures("no_second_try")
def test_planned_frames_equal_those_of_the_full_decode(folder: Path, name: str) -> None:
    path = write_media(folder / name, **{"seconds": 4.0, **FILES[name]})
    # From 0.06 s on, the middles fall on frames that are sent after a keyframe and shown before it (open groups).
    for start in (0.0, 0.06):
        planned = list(decode_segments(path, SPEC, start))
        full = list(decode_segments(path, SPEC, start, planned=False))
        assert all(isinstance(part, Segment) for part in planned)
        assert len(planned) >= 1
        assert [part.jpeg for part in planned] == [part.jpeg for part in full]
        assert [part.waveform.tobytes() for part in planned] == [part.waveform.tobytes() for part in full]
        assert [part.jpeg for part in planned] == plain_decode(
            path, [part.start_seconds + 0.5 for part in planned]
        )


def test_frame_of_a_segment_is_the_last_one_not_after_its_middle(tmp_path: Path) -> None:
    # 30 a second: frame 15 begins exactly at 0.5 s, frame 45 at 1.5 s.
    path = write_media(tmp_path / "exact.mp4", fps=Fraction(30), video_options={"crf": "10"})
    assert [shown_number(part) for part in decode_segments(path, SPEC)] == [15, 45, 75]
    # 25 a second: 0.5 s lies within frame 12 (0.48 to 0.52 s).
    path = write_media(tmp_path / "between.mp4", fps=Fraction(25), video_options={"crf": "10"})
    assert [shown_number(part) for part in decode_segments(path, SPEC)] == [12, 37, 62]
    # The frame of 0.3 s stands until 2.6 s.
    path = write_media(
        tmp_path / "held.mkv",
        frame_times=[0.0, 0.3, 2.6, 2.9],
        video_options={"crf": "10"},
        sound=tone(440.0, 3.0),
    )
    assert [shown_number(part) for part in decode_segments(path, SPEC)] == [1, 1, 1]


def test_most_of_a_group_is_never_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Groups of 12 frames, 0.48 s long, so that every other one holds no middle; b-frames that nothing refers to.
    path = write_media(tmp_path / "a.mp4", video_options={"g": "12", "bf": "2", "b-pyramid": "none"}, seconds=8.0)
    fed: list[str] = []
    decode = media_frames._decode

    def counted(codec: Any, packet: Any) -> list[Any]:
        fed.append(codec.skip_frame if packet else "flush")
        return decode(codec, packet)

    monkeypatch.setattr(media_frames, "_decode", counted)
    assert len(list(decode_segments(path, SPEC))) == 8
    packets = [skip for skip in fed if skip != "flush"]
    assert packets.count("DEFAULT") == 8
    assert len(packets) < 200 / 2


def shown_number(part: Segment | Loss) -> int:
    assert isinstance(part, Segment)
    return read_number(np.asarray(Image.open(io.BytesIO(part.jpeg))))
