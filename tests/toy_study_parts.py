"""A dataset of noise in memory for the toy models, and the settings of a quick study of it."""

import dataclasses

import numpy as np
from toy_models import FRAME_SIZE, LOG_MEL_SHAPE, batch_of

from analysis.correlations.correlation import CorrelationSettings
from analysis.study import StudySettings
from avinst.dataset import Dataset
from avinst.spec import DatasetSpec

# 24 windows of 64 samples at a hop of 32, as the toy models expect.
TOY_SPEC = DatasetSpec(
    sample_rate_hz=800,
    window_samples=64,
    hop_samples=32,
    mel_bands=LOG_MEL_SHAPE[1],
    mel_low_hz=20,
    mel_high_hz=400,
    frame_size=FRAME_SIZE,
)
SETTINGS = StudySettings(
    gradcam_per_label=2,
    batch_size=8,
    correlation=CorrelationSettings(top_audio=3, top_visual=4, permutations=200, resamples=50),
)


def toy_dataset(**changes):
    counts = {"train": 0, "validation": 60, "test": 60}
    dataset = Dataset(
        data_dir="toy",
        spec=TOY_SPEC,
        labels=("flute", "alto <sax>/b", "piano"),
        multi_label=False,
        shards=dict.fromkeys(counts, ()),
        recordings={split: count // 2 for split, count in counts.items()},
        segments=counts,
        label_segments={},
        rejects=0,
        log_mel_mean_db=-45.0,
        log_mel_std_db=20.0,
        fingerprint="f" * 64,
        versions={},
    )
    return dataclasses.replace(dataset, **changes)


def toy_batches(split, skip=0):
    """30 recordings of two segments, 12 segments a batch; recording i bears label i modulo 3."""
    offset = {"validation": 0, "test": 1000}[split]
    for start in range(skip // 2, 30, 6):
        recordings = [start + i for i in range(6) for _ in range(2)]
        batch = batch_of(
            [f"{split}/{number:02d}" for number in recordings],
            [(number % 3,) for number in recordings],
            offset + start,
        )
        yield {**batch, "segment_index": np.array([0, 1] * 6)}
