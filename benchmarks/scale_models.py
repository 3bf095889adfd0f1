"""CPU time of an example in training and in inference, for each scheme at its defaults, on made-up batches.

    python benchmarks/scale_models.py --frame_size=299

CPU seconds of all threads, not wall time: other work on the machine disturbs them less.
"""

import argparse
import dataclasses
import time
from collections.abc import Callable
from typing import Any

from scale_record import record

from avinst.quiet import import_tensorflow_quietly

import_tensorflow_quietly()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from fitting import compiled  # noqa: E402

from avinst.dataset import Dataset  # noqa: E402
from avinst.manifests.rows import SPLITS  # noqa: E402
from avinst.spec import DatasetSpec  # noqa: E402
from trainer.config import TrainConfig  # noqa: E402

SCHEMES = ("audio", "visual", "joint")
LABELS, STEPS = 12, 4


def made_up(frame_size: int) -> Dataset:
    """What a model is built for; there are no files."""
    none = dict.fromkeys(SPLITS, 0)
    labels = tuple(f"instrument{number:02d}" for number in range(LABELS))
    return Dataset(
        data_dir="",
        spec=DatasetSpec(frame_size=frame_size),
        labels=labels,
        multi_label=False,
        shards=dict.fromkeys(SPLITS, ()),
        recordings=none,
        segments=none,
        label_segments={split: dict.fromkeys(labels, 0) for split in SPLITS},
        rejects=0,
        log_mel_mean_db=-40.0,
        log_mel_std_db=20.0,
        fingerprint="",
        versions={},
    )


def batch_of(dataset: Dataset, config: TrainConfig) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """A batch of noise, as the input pipeline gives it."""
    generator = np.random.default_rng(0)
    spec, size = dataset.spec, config.batch_size
    sound = generator.normal(-40, 20, (size, spec.log_mel_frames, spec.mel_bands)).astype(np.float32)
    frames = generator.uniform(0, 255, (size, spec.frame_size, spec.frame_size, 3)).astype(np.float32)
    inputs = {"audio": ("log_mel",), "visual": ("frame",)}.get(config.scheme, ("log_mel", "frame"))
    features = {"log_mel": tf.constant(sound), "frame": tf.constant(frames)}
    labels = tf.one_hot(generator.integers(0, LABELS, size), LABELS)
    return {name: features[name] for name in inputs}, labels


def cpu_seconds(work: Callable[[], Any], examples: int) -> tuple[float, float]:
    """CPU seconds and wall seconds an example, of some turns after the first, which traces."""
    work()
    began, wall = time.process_time(), time.monotonic()
    for _ in range(STEPS):
        work()
    return (time.process_time() - began) / (STEPS * examples), (time.monotonic() - wall) / (STEPS * examples)


def measured(scheme: str, frame_size: int) -> dict[str, float]:
    """Training and inference of one scheme."""
    config = dataclasses.replace(TrainConfig(), scheme=scheme)
    dataset = made_up(frame_size)
    model = compiled(config, dataset)
    features, labels = batch_of(dataset, config)
    infer = tf.function(lambda batch: model(batch, training=False))
    training = cpu_seconds(lambda: model.train_on_batch(features, labels), config.batch_size)
    inference = cpu_seconds(lambda: np.asarray(infer(features)), config.batch_size)
    return {
        "training_cpu_seconds": training[0],
        "training_examples_per_second": 1 / training[1],
        "inference_cpu_seconds": inference[0],
        "inference_examples_per_second": 1 / inference[1],
        "million_weights": model.count_params() / 1e6,
    }


def main() -> None:
    """Measures all schemes at one frame size and records them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frame_size", type=int, required=True)
    arguments = parser.parse_args()
    schemes = {scheme: measured(scheme, arguments.frame_size) for scheme in SCHEMES}
    record(f"models_{arguments.frame_size}", {"batch_size": TrainConfig().batch_size, "schemes": schemes})


if __name__ == "__main__":
    main()
