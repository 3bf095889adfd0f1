"""Log-mel, the one definition: used by Beam when a dataset is made and inside every exported graph."""

import warnings

import tensorflow as tf

from avinst.spec import DatasetSpec

with warnings.catch_warnings():
    # tensorflow-io's native kernels do not load beside current TensorFlow; the functions used here need none.
    warnings.filterwarnings("ignore", message=r"unable to load libtensorflow_io_plugins\.so")
    warnings.filterwarnings("ignore", message=r"file system plugins are not loaded")
    import tensorflow_io as tfio


def log_mel(waveform: tf.Tensor, spec: DatasetSpec) -> tf.Tensor:
    """The log-mel spectrogram of each waveform: 20 log10(max(mel bands of |STFT|, log_floor)).

    Every value depends on its own segment alone: no normalisation by the loudest value of a clip or batch.
    The mel filters follow the HTK formula, m = 2595 log10(1 + f / 700), with peaks of 1.

    Args:
        waveform: float32 [..., segment_samples] in [-1, 1], mono at `spec.sample_rate_hz`.
        spec: sizes and rates.

    Returns:
        float32 [..., log_mel_frames, mel_bands], dB; `spec.floor_db` for digital silence.

    Raises:
        ValueError: the last axis is not `spec.segment_samples` long.
    """
    waveform = tf.convert_to_tensor(waveform, tf.float32)
    if waveform.shape[-1] != spec.segment_samples:
        raise ValueError(f"waveform has {waveform.shape[-1]} samples, the spec wants {spec.segment_samples}")
    magnitude = tfio.audio.spectrogram(
        waveform, nfft=spec.window_samples, window=spec.window_samples, stride=spec.hop_samples
    )
    # tfio pads the end with zeros; only windows that lie wholly inside the segment are kept.
    magnitude = magnitude[..., : spec.log_mel_frames, :]
    mel = tfio.audio.melscale(
        magnitude, rate=spec.sample_rate_hz, mels=spec.mel_bands, fmin=spec.mel_low_hz, fmax=spec.mel_high_hz
    )
    return 20.0 / tf.math.log(10.0) * tf.math.log(tf.maximum(mel, spec.log_floor))
