"""Sound made again from a log-mel spectrogram: what a listener can check where the recording is not at hand."""

import numpy as np
import tensorflow as tf

from avinst.spec import DatasetSpec

_MEL_ITERATIONS = 40
_PHASE_ITERATIONS = 48
# Perraudin, Balazs and Søndergaard, "A fast Griffin-Lim algorithm" (2013), recommend 0.99.
_MOMENTUM = 0.99
_SEGMENTS_AT_ONCE = 32
_TINY = 1e-12


def resynthesize(log_mels: np.ndarray, spec: DatasetSpec, seed: int = 0) -> np.ndarray:
    """Waveforms whose log-mel spectrograms come near the given ones.

    A log-mel spectrogram holds neither phase nor what lies between its bands: the magnitudes of the STFT are
    estimated first (`stft_magnitudes`), then a phase that is consistent with them (D. Griffin and J. Lim, "Signal
    estimation from modified short-time Fourier transform", 1984; the quicker iteration of Perraudin et al. 2013).

    Args:
        log_mels: float [segments, log_mel_frames, mel_bands], dB, as `avinst.log_mel` gives them.
        spec: sizes and rates.
        seed: of the first phase, random.

    Returns:
        float32 [segments, segment_samples] in [-1, 1]; equal input gives equal output.
    """
    parts = [
        _with_phase(stft_magnitudes(log_mels[start : start + _SEGMENTS_AT_ONCE], spec), spec, seed)
        for start in range(0, len(log_mels), _SEGMENTS_AT_ONCE)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, spec.segment_samples), np.float32)


def stft_magnitudes(log_mels: np.ndarray, spec: DatasetSpec) -> np.ndarray:
    """The magnitudes of the STFT, at least 0, whose mel bands come nearest to the given ones (least squares).

    By the multiplicative rule of D. Lee and H. Seung, "Algorithms for non-negative matrix factorization" (2000):
    no magnitude becomes negative, and none outside the mel bands becomes loud.

    Args:
        log_mels: float [segments, log_mel_frames, mel_bands], dB.
        spec: sizes and rates.

    Returns:
        float32 [segments, log_mel_frames, window_samples // 2 + 1].
    """
    filters = tf.signal.linear_to_mel_weight_matrix(
        spec.mel_bands, spec.window_samples // 2 + 1, spec.sample_rate_hz, spec.mel_low_hz, spec.mel_high_hz
    ).numpy()
    # What lies on the floor may be anything below it: silence stays silent.
    decibels = np.asarray(log_mels, np.float32)
    mel = np.where(decibels > spec.floor_db + 0.1, 10.0 ** (decibels / 20.0), 0.0).astype(np.float32)
    wanted = mel @ filters.T
    magnitudes = wanted / np.maximum(filters.sum(axis=1) ** 2, _TINY)
    for _ in range(_MEL_ITERATIONS):
        magnitudes *= wanted / np.maximum(magnitudes @ filters @ filters.T, _TINY)
    return np.asarray(magnitudes)


def _with_phase(magnitudes: np.ndarray, spec: DatasetSpec, seed: int) -> np.ndarray:
    bins = magnitudes.shape[-1]
    phase = np.random.default_rng(seed).uniform(-np.pi, np.pi, (magnitudes.shape[1], bins)).astype(np.float32)
    waveform = _griffin_lim(
        tf.constant(magnitudes), tf.constant(phase), spec.window_samples, spec.hop_samples
    ).numpy()
    # The last hop holds no whole window.
    missing = spec.segment_samples - waveform.shape[-1]
    return np.clip(np.pad(waveform, ((0, 0), (0, missing))), -1.0, 1.0)


def _griffin_lim(magnitudes: tf.Tensor, phase: tf.Tensor, window_samples: int, hop_samples: int) -> tf.Tensor:
    def back(spectrum: tf.Tensor) -> tf.Tensor:
        window = tf.signal.inverse_stft_window_fn(hop_samples, forward_window_fn=tf.signal.hann_window)
        return tf.signal.inverse_stft(spectrum, window_samples, hop_samples, window_samples, window_fn=window)

    def forth(waveform: tf.Tensor) -> tf.Tensor:
        return tf.signal.stft(waveform, window_samples, hop_samples, window_samples)

    @tf.function
    def step(spectrum: tf.Tensor, previous: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        consistent = forth(back(spectrum))
        ahead = consistent + tf.cast(_MOMENTUM, tf.complex64) * (consistent - previous)
        direction = ahead / tf.cast(tf.maximum(tf.abs(ahead), _TINY), tf.complex64)
        return tf.cast(magnitudes, tf.complex64) * direction, consistent

    spectrum = tf.cast(magnitudes, tf.complex64) * tf.exp(tf.complex(tf.zeros_like(phase), phase))
    previous = tf.zeros_like(spectrum)
    for _ in range(_PHASE_ITERATIONS):
        spectrum, previous = step(spectrum, previous)
    return back(spectrum)
