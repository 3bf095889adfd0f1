"""The decoded segments of one video, kept on disk until it is known for which label they are to be explained."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from avinst.log_mel import log_mel
from avinst.media.types import Segment
from avinst.schema import decode_jpegs
from avinst.spec import DatasetSpec


class KeptSegments:
    """Takes segments in order of time; gives them back as a model's inputs.

    Attributes:
        numbers: of the segments taken, rising; where numbers are missing, the video could not be used.
    """

    def __init__(self, spec: DatasetSpec, folder: str) -> None:
        """Prepares to keep segments in three files of a folder that is there and holds none of them."""
        self.numbers: list[int] = []
        self._spec, self._folder = spec, Path(folder)
        self._jpeg_bytes: list[int] = []
        self._log_mel: Any = tf.function(lambda waveform: log_mel(waveform, spec), reduce_retracing=True)

    def add(self, segments: list[Segment]) -> dict[str, Any]:
        """Keeps segments; returns them as `batches` does."""
        waveform = np.stack([segment.waveform for segment in segments])
        spectrogram = self._log_mel(waveform).numpy().astype(np.float16)  # as a dataset's examples have it
        self._append("log_mel", spectrogram)
        self._append("waveform", waveform.astype(np.float32))
        jpegs = [segment.jpeg for segment in segments]
        with (self._folder / "jpeg").open("ab") as file:
            file.writelines(jpegs)
        self._jpeg_bytes.extend(map(len, jpegs))
        self.numbers.extend(segment.index for segment in segments)
        return self._batch(spectrogram, jpegs)

    def batches(self, size: int) -> Iterator[dict[str, Any]]:
        """Model inputs: `log_mel` float32 [n, frames, mels] dB, `frame` uint8 [n, frame_size, frame_size, 3]."""
        spectrogram = self.log_mel()
        with (self._folder / "jpeg").open("rb") as file:
            for first in range(0, len(self.numbers), size):
                jpegs = [file.read(count) for count in self._jpeg_bytes[first : first + size]]
                yield self._batch(spectrogram[first : first + size], jpegs)

    def log_mel(self) -> np.ndarray:
        """float16 [segments taken, frames, mels], dB; read from the disk as needed."""
        return self._stored("log_mel", np.float16, (self._spec.log_mel_frames, self._spec.mel_bands))

    def waveform(self) -> np.ndarray:
        """float32 [segments taken, segment_samples]; read from the disk as needed."""
        return self._stored("waveform", np.float32, (self._spec.segment_samples,))

    def _append(self, name: str, values: np.ndarray) -> None:
        with (self._folder / name).open("ab") as file:
            file.write(values.tobytes())

    def _stored(self, name: str, kind: Any, shape: tuple[int, ...]) -> np.ndarray:
        return np.memmap(self._folder / name, kind, "r", shape=(len(self.numbers), *shape))

    def _batch(self, spectrogram: np.ndarray, jpegs: list[bytes]) -> dict[str, Any]:
        return {
            "log_mel": tf.constant(spectrogram.astype(np.float32)),
            "frame": decode_jpegs(tf.constant(jpegs), self._spec),
        }
