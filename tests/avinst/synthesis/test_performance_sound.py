"""Phrases are what is heard, and the melody stands over the background by the SNR that was asked for."""

import dataclasses
import itertools

import numpy as np
import pytest

from avinst.synthesis.sound import (
    ACCOMPANIMENTS,
    SAMPLE_RATE_HZ,
    VOICES,
    Note,
    colored_noise,
    mix_at_snr,
    play,
    power_db,
    random_performance,
    random_phrase,
    render_phrase,
)
from avinst.synthesis.soundfont_file import load_soundfont


@pytest.mark.parametrize("snr_db", [-10.0, 0.0, 12.5])
def test_mix_at_snr_is_exact(snr_db):
    rng = np.random.default_rng(1)
    melody, background = rng.normal(0, [[0.1], [0.7]], (2, 10_000)).astype(np.float32)
    scaled = mix_at_snr(melody, background, snr_db) - melody
    assert power_db(melody) - power_db(scaled) == pytest.approx(snr_db, abs=1e-3)  # dB; float32 rounding
    assert np.corrcoef(scaled, background)[0, 1] > 0.9999


def test_power_of_a_sine_is_3_db_below_its_amplitude_squared():
    sine = np.sin(2 * np.pi * np.arange(1000) / 100).astype(np.float32)
    assert power_db(sine) == pytest.approx(-3.0103, abs=1e-3)


@pytest.mark.parametrize("snr_db", [-6.0, 6.0])
def test_a_played_performance_has_its_snr_and_its_peak(snr_db):
    performance = random_performance("violin", 2.0, np.random.default_rng(3))
    performance = dataclasses.replace(performance, snr_db=snr_db, accompaniment_over_noise_db=-60.0, peak=0.5)
    mixed = play(performance, load_soundfont())
    melody = render_phrase(performance.notes, VOICES["violin"], 2.0, load_soundfont())
    assert np.max(np.abs(mixed)) == pytest.approx(0.5, rel=1e-5)
    # The background is all but noise, so that what is left of the mix after regression on the melody is noise.
    gain = np.dot(mixed, melody) / np.dot(melody, melody)
    measured_db = power_db(gain * melody) - power_db(mixed - gain * melody)
    assert measured_db == pytest.approx(snr_db, abs=0.5)  # chance correlation of melody and noise


@pytest.mark.parametrize("instrument", ["flute", "harp", "trumpet"])
def test_the_loudest_pitch_class_is_the_phrases(instrument):
    voice = VOICES[instrument]
    notes = [Note(0.05, 0.5, 69, 100), Note(0.65, 0.5, 74, 100), Note(1.25, 0.5, 71, 100)]
    sound = render_phrase(notes, voice, 2.0, load_soundfont())
    assert sound.shape == (2 * SAMPLE_RATE_HZ,)
    for note in notes:
        first = round((note.start_seconds + 0.1) * SAMPLE_RATE_HZ)
        part = sound[first : first + 16_384] * np.hanning(16_384)
        power = np.abs(np.fft.rfft(part)) ** 2
        hz = np.fft.rfftfreq(16_384, 1 / SAMPLE_RATE_HZ)

        def harmonic_power(pitch, power=power, hz=hz):
            fundamental = 440 * 2 ** ((pitch - 69) / 12)
            return sum(power[np.abs(hz - k * fundamental) < 8].sum() for k in (1, 2, 3))

        assert max(range(66, 78), key=harmonic_power) == note.pitch


def test_a_note_begins_when_the_phrase_says():
    sound = render_phrase([Note(0.5, 0.4, 76, 110)], VOICES["xylophone"], 1.0, load_soundfont())
    onset = np.flatnonzero(np.abs(sound) > 0.05 * np.max(np.abs(sound)))[0] / SAMPLE_RATE_HZ
    assert onset == pytest.approx(0.5, abs=0.02)  # the sample's own attack


@pytest.mark.parametrize("name", [*VOICES, *ACCOMPANIMENTS])
def test_phrases_stay_in_range_in_one_major_scale_and_in_time(name):
    voice = {**VOICES, **ACCOMPANIMENTS}[name]
    major_scales = [{(tonic + step) % 12 for step in (0, 2, 4, 5, 7, 9, 11)} for tonic in range(12)]
    for seed in range(20):
        notes = random_phrase(voice, 2.0, np.random.default_rng(seed))
        assert 0 <= notes[0].start_seconds < 0.1
        assert all(later.start_seconds > note.start_seconds for note, later in itertools.pairwise(notes))
        assert max(note.start_seconds + note.seconds for note in notes) <= 2.0 + 1e-9
        if not voice.drums:
            assert all(voice.lowest <= note.pitch <= voice.highest for note in notes)
            assert any({note.pitch % 12 for note in notes} <= scale for scale in major_scales)


def test_no_labelled_instrument_accompanies():
    labelled = {voice.program for voice in VOICES.values() if not voice.drums}
    assert not labelled & {voice.program for voice in ACCOMPANIMENTS.values()}
    assert not any(voice.drums for voice in ACCOMPANIMENTS.values())


def test_noise_falls_by_at_most_6_db_an_octave():
    for seed in range(10):
        power = np.abs(np.fft.rfft(colored_noise(2**16, np.random.default_rng(seed)))) ** 2
        octaves_db = [10 * np.log10(power[2**k : 2 ** (k + 1)].mean()) for k in range(10, 15)]
        slope = np.polyfit(range(5), octaves_db, 1)[0]
        assert -6.3 < slope < 0.3  # the estimate's scatter


def test_a_performance_depends_on_its_seed_alone():
    def sound(seed):
        return play(random_performance("piano", 1.0, np.random.default_rng(seed)), load_soundfont())

    np.testing.assert_array_equal(sound(1), sound(1))
    assert not np.array_equal(sound(1), sound(2))
