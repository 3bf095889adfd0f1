"""One recording of a dataset as arrays, and the ids of all of them."""

import dataclasses

import numpy as np

from avinst.contact_sheet import segments_of
from avinst.dataset import Dataset
from avinst.errors import UserError
from avinst.inspection import recording_values
from avinst.shard_contents import shard_contents


@dataclasses.dataclass(frozen=True)
class Recording:
    """All segments of a recording, in the order of time.

    Attributes:
        video_id: its id.
        split: train, validation or test.
        labels: names of the labels that it bears.
        start_seconds: float32 [segments], where each segment begins in the file.
        log_mel: float32 [segments, log_mel_frames, mel_bands], dB.
        frame: uint8 [segments, size, size, 3], RGB.
    """

    video_id: str
    split: str
    labels: tuple[str, ...]
    start_seconds: np.ndarray
    log_mel: np.ndarray
    frame: np.ndarray


def recording_ids(dataset: Dataset, split: str) -> list[str]:
    """The ids of the recordings of a split that gave at least one segment, sorted.

    Args:
        dataset: a finished dataset.
        split: train, validation or test.

    Raises:
        UserError: the split is unknown or has no examples, or a shard's record is damaged.
    """
    dataset.tfrecord_paths(split)
    ids = []
    for name in dataset.shards[split]:
        contents = shard_contents(dataset, name)
        ids += [video_id for video_id, segments in contents.segments_of_video.items() if segments]
    return sorted(ids)


def load_recording(dataset: Dataset, video_id: str) -> Recording:
    """Reads one recording, from the one file that holds it.

    Args:
        dataset: a finished dataset.
        video_id: the recording's id; `recording_ids` lists them.

    Raises:
        UserError: there is no such recording, or it gave no segment; the message names the nearest id.
    """
    values = recording_values(dataset, video_id)
    found = segments_of(dataset, values, values["segments"])
    if not found:
        raise UserError(f"{dataset.data_dir}: recording {video_id!r} gave no segment; see rejects.jsonl")
    found.sort(key=lambda example: int(example["segment_index"]))
    label = found[0]["label"]
    return Recording(
        video_id=video_id,
        split=values["split"],
        labels=tuple(dataset.labels[index] for index in np.flatnonzero(label)),
        start_seconds=np.array([example["segment_start_seconds"] for example in found], np.float32),
        log_mel=np.stack([example["log_mel"] for example in found]),
        frame=np.stack([example["frame"] for example in found]),
    )
