"""Sound as a small file in memory, as browsers play it."""

import base64
import io

import av
import numpy as np

# Of MP3; a sound of another rate is resampled to the next higher one.
_RATES_HZ = (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_BITS_PER_SECOND = 64_000


def mp3(waveform: np.ndarray, rate_hz: int) -> bytes:
    """The sound as an MP3 file, 8 kB a second: every browser plays it, whatever it was built with.

    Args:
        waveform: float32 [samples] in [-1, 1]; louder samples are clipped.
        rate_hz: samples a second.
    """
    buffer = io.BytesIO()
    target_hz = next((rate for rate in _RATES_HZ if rate >= rate_hz), _RATES_HZ[-1])
    frame = av.AudioFrame.from_ndarray(
        np.clip(waveform, -1.0, 1.0).astype(np.float32)[np.newaxis], format="fltp", layout="mono"
    )
    frame.sample_rate = rate_hz
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=target_hz)
    with av.open(buffer, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=target_hz, layout="mono")
        stream.bit_rate = _BITS_PER_SECOND
        for resampled in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(resampled))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def sound_uri(waveform: np.ndarray, rate_hz: int) -> str:
    """The sound as a URI that holds it."""
    return f"data:audio/mpeg;base64,{base64.b64encode(mp3(waveform, rate_hz)).decode('ascii')}"
