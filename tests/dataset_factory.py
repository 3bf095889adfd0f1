"""Makes small datasets of examples with learnable labels, without videos, for the tests of all folders."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from avinst.dataset import DATASET_FILE, SHARDS_FOLDER, Dataset, load_dataset, shard_name
from avinst.frames import encode_jpeg
from avinst.schema import Example, encode_example
from avinst.spec import DatasetSpec

LABELS = ("cello", "drum", "flute")
SPEC = DatasetSpec(frame_size=64)
SMALL_RECORDINGS = {"train": 24, "validation": 12, "test": 12}


class Cues(NamedTuple):
    """Indices of labels: what a recording bears, and what its sound and its picture make it seem to be."""

    labels: tuple[int, ...]
    sound: tuple[int, ...]
    picture: tuple[int, ...]


def write_dataset(
    data_dir: str | Path,
    *,
    labels: tuple[str, ...] = LABELS,
    recordings: dict[str, int] | None = None,
    segments_per_recording: int = 2,
    spec: DatasetSpec = SPEC,
    multi_label: bool = False,
    shards: int = 2,
    seed: int = 0,
    noise_db: float = 5.0,
    label_of: Callable[[int], int] | None = None,
    cues: Callable[[int], Cues] | None = None,
) -> Dataset:
    """Writes a finished dataset whose labels both sound and picture tell: a band of mels, a colour and a place.

    Recording i of a split bears label i modulo the number of labels (multi-label: the next one too for every
    second recording). Equal arguments give equal bytes.

    Args:
        data_dir: is made.
        labels: names, in order.
        recordings: split to number of recordings; SMALL_RECORDINGS by default.
        segments_per_recording: examples a recording.
        spec: sizes.
        multi_label: some recordings bear two labels.
        shards: files a split.
        seed: of the noise.
        noise_db: deviation of the noise on the log-mel, dB.
        label_of: the number of a recording to its label's, for other frequencies.
        cues: what recording i bears, sounds like and looks like, instead of the above.
    """
    folder = Path(data_dir)
    folder.mkdir(parents=True, exist_ok=True)
    recordings = SMALL_RECORDINGS if recordings is None else recordings
    generator = np.random.default_rng(seed)
    values: list[np.ndarray] = []
    shard_names: dict[str, list[str]] = {}
    label_segments: dict[str, dict[str, int]] = {}
    for split, count in recordings.items():
        shard_names[split] = [shard_name(split, number, shards) for number in range(shards)] if count else []
        label_segments[split] = dict.fromkeys(labels, 0)
        for number, name in enumerate(shard_names[split]):
            ids = [f"{split}/{recording:03d}" for recording in range(number, count, shards)]
            record = {"segments_of_video": dict.fromkeys(ids, segments_per_recording), "rejects": []}
            (folder / SHARDS_FOLDER).mkdir(exist_ok=True)
            (folder / SHARDS_FOLDER / f"{name}.json").write_text(json.dumps(record))  # of it what readers look at
            with tf.io.TFRecordWriter(str(folder / f"{name}.tfrecord")) as writer:
                for recording in range(number, count, shards):
                    indices = _label_indices(recording, len(labels), multi_label)
                    if label_of:
                        indices = (label_of(recording),)
                    sound = picture = indices
                    if cues:
                        indices, sound, picture = cues(recording)
                    for segment in range(segments_per_recording):
                        log_mel = _log_mel(sound, len(labels), spec, generator, noise_db)
                        frame = _frame(picture, len(labels), spec, generator)
                        example = Example(
                            log_mel=log_mel,
                            jpeg=encode_jpeg(frame, spec),
                            label_indices=indices,
                            video_id=f"{split}/{recording:03d}",
                            segment_index=segment,
                            segment_start_seconds=segment * spec.segment_seconds,
                        )
                        writer.write(encode_example(example, spec))
                        if split == "train":
                            values.append(log_mel)
                        for index in indices:
                            label_segments[split][labels[index]] += 1
    everything = np.stack(values) if values else np.zeros(1)
    dataset = Dataset(
        data_dir=str(folder),
        spec=spec,
        labels=labels,
        multi_label=multi_label,
        shards={split: tuple(names) for split, names in shard_names.items()},
        recordings=recordings,
        segments={split: count * segments_per_recording for split, count in recordings.items()},
        label_segments=label_segments,
        rejects=0,
        log_mel_mean_db=float(everything.mean()),
        log_mel_std_db=float(everything.std()) or 1.0,
        fingerprint=f"{spec.fingerprint()[:32]}-{'-'.join(labels)}-{seed}-{sorted(recordings.items())}",
        versions={"test": "1"},
    )
    (folder / DATASET_FILE).write_text(json.dumps(dataset.to_json()))
    return load_dataset(str(folder))


def _label_indices(recording: int, count: int, multi_label: bool) -> tuple[int, ...]:
    first = recording % count
    second = (first + 1) % count
    return tuple(sorted({first, second})) if multi_label and (recording // count) % 2 else (first,)


def _log_mel(
    indices: tuple[int, ...], count: int, spec: DatasetSpec, generator: np.random.Generator, noise_db: float
) -> np.ndarray:
    log_mel = generator.normal(-40.0, noise_db, (spec.log_mel_frames, spec.mel_bands))
    width = spec.mel_bands // (2 * count)
    for index in indices:
        low = index * spec.mel_bands // count
        log_mel[:, low : low + width] += 20.0
    return np.clip(log_mel, spec.floor_db, 60.0).astype(np.float32)


def _frame(indices: tuple[int, ...], count: int, spec: DatasetSpec, generator: np.random.Generator) -> np.ndarray:
    size = spec.frame_size
    frame = generator.integers(60, 120, (size, size, 3))
    side = size // 3
    for index in indices:
        top, left = generator.integers(0, size - side, 2)
        colour = 127 + 120 * np.cos(2 * np.pi * (index / count + np.arange(3) / 3))
        frame[top : top + side, left : left + side] = colour
    return frame.astype(np.uint8)
