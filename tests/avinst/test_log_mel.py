import librosa
import numpy as np
import pytest
import tensorflow as tf

from avinst.log_mel import log_mel
from avinst.spec import DatasetSpec

SPEC = DatasetSpec()


def tone(hz, amplitude=0.5):
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(SPEC.segment_samples) / SPEC.sample_rate_hz)).astype(
        "f4"
    )


def band_centres_hz():
    """HTK: m = 2595 log10(1 + f / 700), equally spaced; the two ends are edges."""
    edges = 2595 * np.log10(1 + np.array([SPEC.mel_low_hz, SPEC.mel_high_hz]) / 700)
    return 700 * (10 ** (np.linspace(*edges, SPEC.mel_bands + 2) / 2595) - 1)[1:-1]


def test_equals_librosa_with_the_same_filters():
    rng = np.random.default_rng(0)
    waveform = (rng.normal(size=SPEC.segment_samples) * 0.1).astype("f4") + tone(880)
    filters = tf.signal.linear_to_mel_weight_matrix(96, 513, 22_050, 30.0, 11_025.0).numpy().T
    stft = librosa.stft(waveform, n_fft=1024, hop_length=220, window="hann", center=False)
    expected = 20 * np.log10(np.maximum(filters @ np.abs(stft), 1e-5)).T[:96]
    # dB; two FFT libraries in float32, 2.5e-5 measured
    np.testing.assert_allclose(log_mel(waveform, SPEC).numpy(), expected, atol=1e-3)


def test_filters_are_librosas_htk_filters():
    noise = np.random.default_rng(1).normal(size=SPEC.segment_samples).astype("f4")
    filters = librosa.filters.mel(sr=22_050, n_fft=1024, n_mels=96, fmin=30, fmax=11_025, htk=True, norm=None)
    stft = librosa.stft(noise, n_fft=1024, hop_length=220, window="hann", center=False)
    expected = 20 * np.log10(np.maximum(filters @ np.abs(stft), 1e-5)).T[:96]
    difference = np.abs(log_mel(noise, SPEC).numpy() - expected)
    # TensorFlow computes the triangles on the mel axis, librosa on the Hz axis: a few tenths of a dB in narrow
    # bands near 30 Hz, nothing elsewhere. librosa's default (Slaney) would be 18 dB away.
    assert np.median(difference) < 0.1


@pytest.mark.parametrize("hz", [110.0, 440.0, 1000.0, 5000.0])
def test_a_tone_peaks_in_its_mel_band(hz):
    values = log_mel(tone(hz), SPEC).numpy()
    centres = band_centres_hz()
    nearest = int(np.argmin(np.abs(centres - hz)))
    assert abs(int(values.mean(axis=0).argmax()) - nearest) <= 1


def test_twice_the_amplitude_is_six_decibels_more():
    quiet, loud = log_mel(np.stack([tone(440, 0.25), tone(440, 0.5)]), SPEC).numpy()
    peak = quiet > 0
    # 20 log10(2) = 6.0206 dB
    np.testing.assert_allclose((loud - quiet)[peak], 6.0206, atol=1e-3)


def test_silence_is_the_floor():
    np.testing.assert_allclose(log_mel(np.zeros(SPEC.segment_samples, "f4"), SPEC), SPEC.floor_db, atol=1e-4)


def test_a_neighbour_in_the_batch_changes_nothing():
    alone = log_mel(tone(440, 0.01)[None], SPEC).numpy()[0]
    beside_a_loud_one = log_mel(np.stack([tone(440, 0.01), tone(2000, 1.0)]), SPEC).numpy()[0]
    np.testing.assert_allclose(beside_a_loud_one, alone, atol=1e-4)  # dB; the matrix product's blocking only


def test_leading_axes_are_kept():
    waveforms = np.zeros((2, 3, SPEC.segment_samples), "f4")
    assert log_mel(waveforms, SPEC).shape == (2, 3, 96, 96)


def test_another_length_is_refused():
    with pytest.raises(ValueError, match="22049 samples, the spec wants 22050"):
        log_mel(np.zeros(22_049, "f4"), SPEC)


def test_graph_and_eager_agree():
    waveform = tone(440)[None]
    graph = tf.function(lambda value: log_mel(value, SPEC))
    np.testing.assert_allclose(graph(waveform), log_mel(waveform, SPEC), atol=1e-4)  # dB; kernel fusion only
