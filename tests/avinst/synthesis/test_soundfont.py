"""The SoundFont reader against a file made by hand, and the General MIDI instruments' tuning."""

import struct

import numpy as np
import pytest

from avinst.errors import UserError
from avinst.synthesis.sound import ACCOMPANIMENTS, VOICES
from avinst.synthesis.soundfont import DRUM_BANK
from avinst.synthesis.soundfont_file import load_soundfont

RATE = 44_100
PERIOD = 100  # samples of the hand-made tone: 441 Hz
TONE_HZ = RATE / PERIOD


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _soundfont(path, instrument_zones, preset_generators=(), header_root_key=69):
    """Writes a file of one preset (program 5) and one looped sample: ten periods of a half-scale sine."""
    tone = (16_384 * np.sin(2 * np.pi * np.arange(10 * PERIOD) / PERIOD)).astype("<i2")
    zones = [[tuple(generator) for generator in zone] for zone in instrument_zones]
    starts = np.cumsum([0, *map(len, zones)])
    chunks = {
        b"phdr": struct.pack("<20sHHH12x", b"preset", 5, 0, 0) + struct.pack("<20sHHH12x", b"EOP", 0, 0, 1),
        b"pbag": struct.pack("<HHHH", 0, 0, len(preset_generators) + 1, 0),
        b"pgen": b"".join(struct.pack("<Hh", *g) for g in (*preset_generators, (41, 0))) + bytes(4),
        b"inst": struct.pack("<20sH", b"instrument", 0) + struct.pack("<20sH", b"EOI", len(zones)),
        b"ibag": b"".join(struct.pack("<HH", start, 0) for start in starts),
        b"igen": b"".join(struct.pack("<Hh", *g) for zone in zones for g in zone) + bytes(4),
        b"shdr": struct.pack("<20sIIIIIBbHH", b"tone", 0, len(tone), 200, 900, RATE, header_root_key, 0, 0, 1)
        + bytes(46),
    }
    pdta = b"pdta" + b"".join(_chunk(name, data) for name, data in chunks.items())
    sdta = b"sdta" + _chunk(b"smpl", tone.tobytes())
    path.write_bytes(_chunk(b"RIFF", b"sfbk" + _chunk(b"LIST", sdta) + _chunk(b"LIST", pdta)))
    return load_soundfont(str(path))


def _peak_hz(sound):
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 8 * len(sound)))
    return np.argmax(spectrum) * RATE / (8 * len(sound))


LOOPED, LOUD = (54, 1), (53, 0)


def test_the_root_key_plays_the_sample_as_it_is(tmp_path):
    sound = _soundfont(tmp_path / "a.sf2", [[LOUD]]).note(5, 69, 127, 0.02, RATE)
    expected = 0.5 * np.sin(2 * np.pi * np.arange(800) / PERIOD)
    # The attack takes 1 ms (44 samples); 16-bit samples are within 2^-15.
    np.testing.assert_allclose(sound[100:800], expected[100:800], atol=1e-4)


@pytest.mark.parametrize(
    ("generators", "pitch", "semitones"),
    [
        ([LOOPED, LOUD], 76, 7),
        ([(58, 60), LOOPED, LOUD], 69, 9),  # root key of the zone goes before the sample's
        ([(51, -2), (52, 50), LOOPED, LOUD], 69, -1.5),  # coarse and fine tune
        ([(56, 50), LOOPED, LOUD], 81, 6),  # half a semitone a key
    ],
)
def test_tuning(tmp_path, generators, pitch, semitones):
    sound = _soundfont(tmp_path / "a.sf2", [generators]).note(5, pitch, 127, 0.5, RATE)
    cents = 1200 * np.log2(_peak_hz(sound) / (TONE_HZ * 2 ** (semitones / 12)))
    assert abs(cents) < 3  # an FFT bin is 0.3 Hz: 1.1 cents


def test_a_loop_sounds_on_after_the_samples_end_without_a_seam(tmp_path):
    sound = _soundfont(tmp_path / "a.sf2", [[LOOPED, LOUD]]).note(5, 69, 127, 0.5, RATE)
    expected = 0.5 * np.sin(2 * np.pi * np.arange(20_000) / PERIOD)  # the sample alone ends at 1000
    np.testing.assert_allclose(sound[100:20_000], expected[100:20_000], atol=1e-4)


def test_a_sample_without_loop_ends(tmp_path):
    assert len(_soundfont(tmp_path / "a.sf2", [[LOUD]]).note(5, 69, 127, 0.5, RATE)) < 1000


def test_the_global_zone_gives_defaults_and_the_preset_adds(tmp_path):
    font = _soundfont(tmp_path / "a.sf2", [[(51, 3), LOOPED], [LOUD]], preset_generators=[(51, 2)])
    assert _peak_hz(font.note(5, 69, 127, 0.5, RATE)) == pytest.approx(TONE_HZ * 2 ** (5 / 12), rel=2e-3)


def test_key_ranges_choose_the_zone(tmp_path):
    low_key, high_key = (43, 60 << 8 | 0), (43, 127 << 8 | 61)
    font = _soundfont(tmp_path / "a.sf2", [[low_key, (51, 12), LOOPED, LOUD], [high_key, LOOPED, LOUD]])
    assert _peak_hz(font.note(5, 69, 127, 0.5, RATE)) == pytest.approx(TONE_HZ, rel=2e-3)
    assert _peak_hz(font.note(5, 57, 127, 0.5, RATE)) == pytest.approx(TONE_HZ, rel=2e-3)  # an octave up again


def test_levels(tmp_path):
    font = _soundfont(tmp_path / "a.sf2", [[LOOPED, (48, 60), LOUD]])
    # 60 cB down, and half the velocity 20 log10(1/4) = -12 dB.
    loud, soft = (np.max(np.abs(font.note(5, 69, velocity, 0.2, RATE))) for velocity in (126, 63))
    assert loud == pytest.approx(0.5 * 10 ** (-6 / 20) * (126 / 127) ** 2, rel=1e-3)
    assert soft == pytest.approx(loud / 4, rel=1e-3)


def test_release_ends_the_note_where_the_key_goes_up(tmp_path):
    sound = _soundfont(tmp_path / "a.sf2", [[LOOPED, (38, 0), LOUD]]).note(5, 69, 127, 0.1, RATE)  # release 1 s
    before = np.max(np.abs(sound[4000:4400]))
    # 100 dB a second: 0.2 s after the key's going up the tone is 20 dB softer.
    after = np.max(np.abs(sound[round(0.3 * RATE) : round(0.3 * RATE) + 100]))
    assert 20 * np.log10(before / after) == pytest.approx(20, abs=0.5)  # half a period's fall


def test_an_unknown_preset_is_named(tmp_path):
    with pytest.raises(ValueError, match="program 99"):
        _soundfont(tmp_path / "a.sf2", [[LOUD]]).note(99, 69, 127, 0.1, RATE)


@pytest.mark.parametrize("content", [b"", b"no SoundFont at all", b"RIFF\0\0\0\0sfbk"])
def test_other_files_are_refused(tmp_path, content):
    file = tmp_path / "other.sf2"
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"other\.sf2"):
        load_soundfont(str(file))


def _lag_correlation(sound, lag):
    """Correlation of the sound with itself `lag` samples later; the lag may be a fraction."""
    shifted = np.interp(np.arange(len(sound) - 400 * 8) + lag, np.arange(len(sound)), sound)
    return np.corrcoef(sound[: len(shifted)], shifted)[0, 1]


@pytest.mark.parametrize("name", [name for name, voice in {**VOICES, **ACCOMPANIMENTS}.items() if not voice.drums])
def test_every_voice_is_in_tune_over_its_range(name):
    voice = {**VOICES, **ACCOMPANIMENTS}[name]
    for pitch in np.linspace(voice.lowest, voice.highest, 3).astype(int).tolist():
        sound = load_soundfont().note(voice.program, pitch, 100, 0.6, RATE)[2000:18_000].astype(np.float64)
        period = RATE / (440 * 2 ** ((pitch - 69) / 12))
        # Four periods: sensitive to 10 cents, and unmoved by the sub-octaves of organ and accordion.
        cents = np.arange(-300, 301, 10)
        best = cents[np.argmax([_lag_correlation(sound, 4 * period * 2 ** (-c / 1200)) for c in cents])]
        assert abs(best) <= 35, (name, pitch, best)  # vibrato and the accordion's second reed; 30 measured


def test_the_drum_kit_sounds():
    for drum in (36, 38, 42, 49):
        assert np.max(np.abs(load_soundfont().note(0, drum, 100, 0.2, RATE, bank=DRUM_BANK))) > 0.02


@pytest.mark.parametrize("name", [name for name, voice in {**VOICES, **ACCOMPANIMENTS}.items() if not voice.drums])
def test_every_key_of_every_voice_sounds(name):
    voice = {**VOICES, **ACCOMPANIMENTS}[name]
    for pitch in range(voice.lowest, voice.highest + 1):
        assert np.max(np.abs(load_soundfont().note(voice.program, pitch, 100, 0.05, 8000))) > 0.005, pitch
