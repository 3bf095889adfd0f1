import numpy as np

from analysis.resynthesis import resynthesize, stft_magnitudes
from avinst.log_mel import log_mel
from avinst.spec import DatasetSpec

SPEC = DatasetSpec()


def tone(hz):
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(SPEC.segment_samples) / SPEC.sample_rate_hz)).astype(
        np.float32
    )


def test_a_tone_comes_back_at_its_pitch_and_level():
    waveforms = np.stack([tone(440), tone(2000)])
    made = resynthesize(log_mel(waveforms, SPEC).numpy(), SPEC)
    assert made.shape == waveforms.shape
    assert np.abs(made).max() <= 1
    middle = slice(SPEC.window_samples, -2 * SPEC.window_samples)  # the ends lie under half windows
    for hz, wave, original in zip((440, 2000), made, waveforms, strict=True):
        spectrum = np.abs(np.fft.rfft(wave))
        # Within the width of the mel band there: 60 Hz at 440, 130 Hz at 2000.
        assert abs(spectrum.argmax() * SPEC.sample_rate_hz / SPEC.segment_samples - hz) < 0.07 * hz + 30
        level_db = 20 * np.log10(np.std(wave[middle]) / np.std(original[middle]))
        assert abs(level_db) < 3  # a band is wider than the tone: its magnitudes are guessed


def test_the_log_mel_of_what_is_made_comes_near_the_given_one():
    noise = np.random.default_rng(0).normal(0, 0.1, (1, SPEC.segment_samples)).astype(np.float32)
    given = log_mel(noise, SPEC).numpy()
    again = log_mel(resynthesize(given, SPEC), SPEC).numpy()
    assert np.abs(again - given)[:, 5:-5].mean() < 3  # dB; unrelated noise of the same level is 7 dB apart


def test_silence_stays_silent_and_magnitudes_are_not_negative():
    silence = np.full((1, SPEC.log_mel_frames, SPEC.mel_bands), SPEC.floor_db, np.float32)
    assert not resynthesize(silence, SPEC).any()
    assert stft_magnitudes(silence + 50, SPEC).min() >= 0
    assert resynthesize(silence[:0], SPEC).shape == (0, SPEC.segment_samples)
