"""The sound that a map keeps: ones keep all of it, a band keeps its tone and drops the other."""

import wave

import numpy as np
import pytest
from toy_study_parts import TOY_SPEC

from analysis.explained.evidence_sound import evidence_sound, write_wav
from analysis.maps.gradcam_figures import mel_band_position
from avinst.spec import DatasetSpec

SPEC = DatasetSpec()
COUNT = 18  # more than one group
CENTRES = (np.array([47.5]), np.arange(96))  # one row in time, a column for each mel band


def noise(spec, count=COUNT):
    return np.random.default_rng(1).uniform(-1, 1, (count, spec.segment_samples)).astype(np.float32)


def masked(waveform, maps, rows=None, spec=SPEC, centres=CENTRES):
    rows = np.arange(len(waveform)) if rows is None else rows
    return np.concatenate(list(evidence_sound(waveform, maps.astype(np.float32), centres, rows, spec)))


@pytest.mark.parametrize("spec", [SPEC, TOY_SPEC, DatasetSpec(window_samples=1001, segment_seconds=0.3)])
def test_a_map_of_ones_gives_the_sound_back(spec):
    waveform = noise(spec)
    centres = (np.arange(3.0), np.arange(5.0))
    kept = masked(waveform, np.ones((COUNT, 3, 5)), spec=spec, centres=centres)
    np.testing.assert_allclose(kept, waveform.ravel(), atol=1e-6)  # float32 rounding; 1.2e-7 measured


def test_a_map_of_zeros_gives_silence():
    assert (masked(noise(SPEC), np.zeros((COUNT, 1, 96))) == 0).all()


def power_db(sound, hz):
    """Power of a tone in the middle of a sound, relative to a sine of amplitude 1."""
    middle = sound[SPEC.sample_rate_hz : -SPEC.sample_rate_hz] * np.hanning(len(sound) - 2 * SPEC.sample_rate_hz)
    time = np.arange(len(middle)) / SPEC.sample_rate_hz
    amplitude = 2 * abs(np.exp(-2j * np.pi * hz * time) @ middle) / np.hanning(len(middle)).sum()
    return 20 * np.log10(amplitude + 1e-12)


def test_a_band_keeps_its_tone_and_drops_the_other():
    time = np.arange(4 * SPEC.sample_rate_hz) / SPEC.sample_rate_hz
    sound = 0.4 * np.sin(2 * np.pi * 500 * time) + 0.4 * np.sin(2 * np.pi * 3000 * time)
    maps = np.zeros((4, 1, 96))
    band = round(float(mel_band_position(np.array(500.0), SPEC)))
    maps[:, :, band - 4 : band + 5] = 1
    kept = masked(sound.reshape(4, -1).astype(np.float32), maps)
    assert abs(power_db(kept, 500) - power_db(sound, 500)) < 0.1
    assert power_db(kept, 3000) < power_db(sound, 3000) - 60


def test_a_segment_without_evidence_falls_silent_between_others():
    maps = np.ones((4, 1, 96))
    maps[1] = 0
    waveform = noise(SPEC, 4)
    kept = masked(waveform, maps).reshape(4, -1)
    window = SPEC.window_samples
    assert (kept[1, window:-window] == 0).all()
    np.testing.assert_allclose(kept[3], waveform[3], atol=1e-6)


def test_a_segment_that_could_not_be_decoded_is_silent_and_later_ones_stay_in_their_place():
    waveform = noise(SPEC, 2)
    kept = masked(waveform, np.ones((2, 1, 96)), rows=np.array([0, -1, 1])).reshape(3, -1)
    window = SPEC.window_samples
    np.testing.assert_allclose(kept[1], 0, atol=1e-12)  # rounding of the transform
    # Windows whose middle lies where nothing is known are silent: the sound before fades out towards it.
    assert np.abs(kept[0, -20:]).max() < 0.85 * np.abs(waveform[0, -20:]).max()
    np.testing.assert_allclose(kept[2, window:], waveform[1, window:], atol=1e-6)


def test_the_gain_follows_the_map_in_time():
    """A map of two rows, 0 then 1: the gain rises along the segment as between the rows' centres."""
    centres = (np.array([20.0, 75.0]), np.array([0.0]))
    kept = masked(np.ones((2, SPEC.segment_samples)), np.array([[[0.0], [1.0]]] * 2), centres=centres)
    window, hop = SPEC.window_samples, SPEC.hop_samples
    for segment in kept.reshape(2, -1):
        at_frame = segment[window // 2 + np.arange(96) * hop]
        assert (at_frame[5:18] < 0.03).all()
        assert (at_frame[78:90] > 0.97).all()
        np.testing.assert_allclose(
            at_frame[30:66], (np.arange(30, 66) - 20) / 55, atol=0.02
        )  # smoothed by windows


@pytest.mark.parametrize("samples", [0, 900, 2500, 4000])
def test_the_file_is_as_long_as_it_should_be(tmp_path, samples):
    path = str(tmp_path / "kept.wav")
    write_wav(path, iter([np.full(1000, 0.5, np.float32), np.full(1000, -2.0, np.float32)]), 1000, samples)
    with wave.open(path) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (1000, 1, samples)
        values = np.frombuffer(file.readframes(samples), "<i2")
    expected = np.concatenate([np.full(1000, 16384), np.full(1000, -32767), np.zeros(2000, int)])[:samples]
    np.testing.assert_array_equal(values, expected)
