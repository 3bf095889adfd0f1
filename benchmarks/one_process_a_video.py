"""The usual way to make such a dataset, as a yardstick: one `ffmpeg` a video to files, then a second pass.

    python benchmarks/one_process_a_video.py OUTPUT VIDEO...

The second pass is as good as it can be: one process, log-mel in batches by one compiled graph.
"""

import subprocess
import sys
import wave
from pathlib import Path

from avinst.spec import DatasetSpec


def main(output: Path, videos: list[Path]) -> None:
    """Writes pictures, sounds and OUTPUT/examples.tfrecord."""
    spec = DatasetSpec()
    for video in videos:
        folder = output / video.stem
        folder.mkdir(parents=True)
        size = f"fps=1,scale={spec.frame_size}:{spec.frame_size}"
        command = ["ffmpeg", "-v", "error", "-i", video]
        command += ["-map", "0:v", "-vf", size, "-q:v", "2", folder / "%05d.jpg"]
        command += ["-map", "0:a", "-ac", "1", "-ar", str(spec.sample_rate_hz), folder / "sound.wav"]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    write_examples(output, videos, spec)


def write_examples(output: Path, videos: list[Path], spec: DatasetSpec) -> None:
    """The second pass."""
    from avinst.quiet import import_tensorflow_quietly

    import_tensorflow_quietly()
    import numpy as np
    import tensorflow as tf

    from avinst.schema import Example, encode_example
    from beam_pipelines.example_writer import log_mel_of

    with tf.io.TFRecordWriter(str(output / "examples.tfrecord")) as writer:
        for video in videos:
            with wave.open(str(output / video.stem / "sound.wav")) as file:
                sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
            pictures = sorted((output / video.stem).glob("*.jpg"))
            count = min(len(pictures), len(sound) // spec.segment_samples)
            waveforms = sound[: count * spec.segment_samples].reshape(count, -1)
            log_mels = log_mel_of(spec)(tf.constant(waveforms)).numpy().astype(np.float16)
            for index, (values, picture) in enumerate(zip(log_mels, pictures, strict=False)):
                example = Example(values, picture.read_bytes(), (0,), video.stem, index, float(index))
                writer.write(encode_example(example, spec))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
