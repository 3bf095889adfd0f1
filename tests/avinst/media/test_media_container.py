"""Two streams of one file, read at different paces."""

import contextlib
from fractions import Fraction

import pytest
from media_factory import tone, write_media

from avinst.media import waiting as media_waiting
from avinst.media.container import MediaFile
from avinst.media.types import DecodeLimits

CODECS = {"avi": {"video_codec": "mpeg4", "audio_codec": "pcm_s16le", "time_base": Fraction(1, 25)}}


def stamps(file, kinds):
    return {kind: [packet.pts for packet in file.read(kind)[1]] for kind in kinds}


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "avi"])
@pytest.mark.parametrize("start", [0.0, 2.0])
def test_a_stream_that_is_left_far_behind_is_read_by_itself(tmp_path, monkeypatch, suffix, start):
    recipe = {"seconds": 4.0, "sound": tone(440.0, 4.0), "video_options": {"g": "10"}, **CODECS.get(suffix, {})}
    path = write_media(tmp_path / f"a.{suffix}", **recipe)
    with contextlib.closing(MediaFile(path, DecodeLimits(), start)) as file:
        wanted = stamps(file, ("video", "audio"))
        assert len(file._opened) == 1
    assert min(map(len, wanted.values())) > 20
    monkeypatch.setattr(media_waiting, "HELD_BYTES", 1000)
    for kinds in (("video", "audio"), ("audio", "video")):
        with contextlib.closing(MediaFile(path, DecodeLimits(), start)) as file:
            assert stamps(file, kinds) == wanted
            assert len(file._opened) == 2
