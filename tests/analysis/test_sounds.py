"""Where the sound of a shown segment comes from: its recording, or else its log-mel, and why."""

import dataclasses
import io

import av
import numpy as np
import pytest
from media_factory import tone, write_media

from analysis.galleries import Choice, Exhibit, LabelEvidence
from analysis.recordings import Recordings
from analysis.sound_files import mp3
from analysis.sounds import find_sounds
from avinst.errors import UserError
from avinst.log_mel import log_mel
from avinst.media.segments import decode_segments
from avinst.spec import DatasetSpec

SPEC = DatasetSpec(frame_size=32)


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    """A folder with one recording of 3 s, a/clip.MP4, and its segments."""
    root = tmp_path_factory.mktemp("videos")
    (root / "a").mkdir()
    # Tones: of noise an AAC decoder makes other noise when it begins elsewhere.
    sound = np.concatenate([tone(hz, 1.0) for hz in (300, 700, 1500)], axis=1)
    write_media(root / "a" / "clip.mp4", seconds=3.0, sound=sound)
    (root / "a" / "clip.mp4").rename(root / "a" / "clip.MP4")
    return root, list(decode_segments(str(root / "a" / "clip.MP4"), SPEC))


def exhibit_of(video_id, segment, maps=None, dead=()):
    choice = Choice(0, "correct", video_id, segment.index, 0.5, (), (0,))
    heard = log_mel(segment.waveform, SPEC).numpy()
    return Exhibit(choice, segment.start_seconds, {"log_mel": heard}, (LabelEvidence(0, maps or {}, dead),))


def test_the_segments_own_second_is_played(media):
    root, segments = media
    exhibits = [exhibit_of("a/clip", segment) for segment in segments]
    sounds = find_sounds(exhibits, SPEC, Recordings(str(root)))
    assert len(sounds) == 3
    for exhibit, segment in zip(exhibits, segments, strict=True):
        sound = sounds[exhibit.choice]
        assert not sound.resynthesised
        np.testing.assert_allclose(sound.waveform, segment.waveform, atol=5e-3)  # begun elsewhere; 1.3e-3 measured


def test_what_the_map_keeps_is_heard_beside_it(media):
    root, segments = media
    everywhere = np.ones((SPEC.log_mel_frames, SPEC.mel_bands), np.float32)
    first_half = everywhere.copy()
    first_half[SPEC.log_mel_frames // 2 :] = 0
    for maps, dead, kept in (
        ({"audio": everywhere}, (), "all"),
        ({"audio": first_half}, (), "half"),
        ({"audio": np.zeros_like(everywhere)}, ("audio",), "none"),
        ({"visual": np.ones((8, 8), np.float32)}, (), "none"),
    ):
        exhibit = exhibit_of("a/clip", segments[1], maps, dead)
        sound = find_sounds([exhibit], SPEC, Recordings(str(root)))[exhibit.choice]
        if kept == "none":
            assert sound.kept is None
            continue
        assert sound.kept.dtype == np.float32
        middle, edge = (
            len(sound.waveform) // 2,
            SPEC.window_samples,
        )  # a second alone has no neighbours at its ends
        np.testing.assert_allclose(
            sound.kept[edge : middle - edge], sound.waveform[edge : middle - edge], atol=1e-5
        )
        end = sound.waveform[middle + 2 * edge : -edge] if kept == "all" else 0
        np.testing.assert_allclose(sound.kept[middle + 2 * edge : -edge], end, atol=1e-5)


def test_what_is_not_found_or_not_the_same_is_resynthesised_and_says_why(media, tmp_path):
    root, segments = media
    known = exhibit_of("a/clip", segments[0])
    other = dataclasses.replace(known, inputs={"log_mel": known.inputs["log_mel"] - 20})
    missing = exhibit_of("a/gone", segments[0])
    leaving = exhibit_of(f"../{root.name}/a/clip", segments[0])
    for exhibit, reason in ((other, "another sound"), (missing, "no file"), (leaving, "no file")):
        sound = find_sounds([exhibit], SPEC, Recordings(str(root)))[exhibit.choice]
        assert sound.resynthesised
        assert reason in sound.reason
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "clip.mp4").write_bytes(b"no media")
    sound = find_sounds([known], SPEC, Recordings(str(tmp_path)))[known.choice]
    assert "could not be decoded" in sound.reason


def test_a_manifest_names_the_files_of_other_ids(media, tmp_path):
    root, segments = media
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("video_path,label,video_id\na/clip.MP4,flute,seven\n")
    exhibit = exhibit_of("seven", segments[1])
    recordings = Recordings(str(root), str(manifest))
    assert not find_sounds([exhibit], SPEC, recordings)[exhibit.choice].resynthesised
    assert recordings.candidates("a/clip") == []


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UserError, match="no directory"):
        Recordings(str(tmp_path / "nowhere"))


@pytest.mark.parametrize("rate_hz", [800, 22_050, 44_100])
def test_a_sound_as_mp3_keeps_its_pitch_and_length(rate_hz):
    hz = rate_hz / 8
    waveform = (0.5 * np.sin(2 * np.pi * hz * np.arange(rate_hz) / rate_hz)).astype(np.float32)
    content = mp3(waveform, rate_hz)
    assert len(content) < 12_000
    with av.open(io.BytesIO(content)) as container:
        rate = container.streams.audio[0].rate
        decoded = np.concatenate([f.to_ndarray().mean(axis=0) for f in container.decode(audio=0)])
    assert len(decoded) / rate == pytest.approx(1, abs=0.15)  # MP3 adds up to two of its frames
    spectrum = np.abs(np.fft.rfft(decoded))
    assert spectrum.argmax() * rate / len(decoded) == pytest.approx(hz, rel=0.02)
