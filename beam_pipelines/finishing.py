"""The end of `prepare`: adds the shards' records up, checks that nothing is lost, writes `dataset.json`."""

import collections
import json
import math
from collections.abc import Sequence

from avinst import paths
from avinst.dataset import DATASET_FILE, REJECTS_FILE, Dataset
from avinst.errors import UserError
from avinst.manifests.rows import SPLITS
from avinst.spec import DatasetSpec
from beam_pipelines.accounting import records_of, versions_of, write_rejects
from beam_pipelines.layout import Shard, whole_fingerprint
from beam_pipelines.shard_record import ExamplesRecord, Reject


def finish_dataset(
    data_dir: str, shards: Sequence[Shard], spec: DatasetSpec, labels: Sequence[str], max_reject_rate: float
) -> Dataset:
    """Writes `rejects.jsonl` and then `dataset.json`, the sign that the dataset is whole.

    Args:
        data_dir: the dataset directory.
        shards: all shards of the layout.
        spec: the dataset's spec.
        labels: its label names.
        max_reject_rate: largest share of recordings that may give no example at all.

    Raises:
        UserError: a shard is not there, a recording is unaccounted for, or too many gave no example. The shards
            stay, so that the next run makes only what is missing.
    """
    records = records_of(ExamplesRecord, "prepare", data_dir, shards)
    rejects = [reject for record in records for reject in record.rejects]
    write_rejects(data_dir, rejects)
    _check_reject_rate(data_dir, records, rejects, max_reject_rate)
    dataset = _summary(data_dir, shards, records, spec, labels, len(rejects))
    paths.write_text(
        paths.join(data_dir, DATASET_FILE), json.dumps(dataset.to_json(), indent=1, ensure_ascii=False) + "\n"
    )
    return dataset


def check_finished(dataset: Dataset, shards: Sequence[Shard], max_reject_rate: float) -> None:
    """Holds a finished dataset against a rate that may be another than that of the job which made it.

    Args:
        dataset: as it is.
        shards: all shards of its layout.
        max_reject_rate: as of `finish_dataset`.

    Raises:
        UserError: too many recordings gave no example. The dataset stays as it is.
    """
    rows = sum(len(shard.rows) for shard in shards)
    if _is_bearable(rows - sum(dataset.recordings.values()), rows, max_reject_rate):
        return  # known without the records, which may be many
    records = records_of(ExamplesRecord, "prepare", dataset.data_dir, shards)
    rejects = [reject for record in records for reject in record.rejects]
    _check_reject_rate(dataset.data_dir, records, rejects, max_reject_rate)


def _is_bearable(empty: int, rows: int, max_reject_rate: float) -> bool:
    return empty <= max_reject_rate * rows and empty < rows


def _check_reject_rate(
    data_dir: str, records: Sequence[ExamplesRecord], rejects: Sequence[Reject], max_reject_rate: float
) -> None:
    counts = [segments for record in records for segments in record.segments_of_video.values()]
    empty = counts.count(0)
    if _is_bearable(empty, len(counts), max_reject_rate):
        return
    given = {video for record in records for video, segments in record.segments_of_video.items() if segments}
    # One reason a recording: that of the whole of it (told last), else of its last segment.
    reason_of = {reject.video_id: reject.reason for reject in rejects if reject.video_id not in given}
    reasons = collections.Counter(reason_of.values())
    listed = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
    advice = "mend the files or raise the rate"
    if reasons.keys() == {"not_found"} and empty == len(counts):
        advice = "is --media_root the folder of the videos?"
    raise UserError(
        f"{empty} of {len(counts)} recordings gave no example ({listed}), more than --max_reject_rate="
        f"{max_reject_rate:g} allows; see {paths.join(data_dir, REJECTS_FILE)}, {advice}"
    )


def _summary(
    data_dir: str,
    shards: Sequence[Shard],
    records: Sequence[ExamplesRecord],
    spec: DatasetSpec,
    labels: Sequence[str],
    rejects: int,
) -> Dataset:
    of_split = {split: [record for record in records if record.split == split] for split in SPLITS}
    # A set without a training split (inference only) is normalised by what there is.
    mean, deviation = _moments(of_split["train"] or records)
    return Dataset(
        data_dir=data_dir,
        spec=spec,
        labels=tuple(labels),
        multi_label=any(len(row.labels) > 1 for shard in shards for row in shard.rows),
        shards={split: tuple(record.name for record in group) for split, group in of_split.items()},
        recordings={
            split: sum(segments > 0 for record in group for segments in record.segments_of_video.values())
            for split, group in of_split.items()
        },
        segments={
            split: sum(sum(record.segments_of_video.values()) for record in group)
            for split, group in of_split.items()
        },
        label_segments={
            split: {name: sum(record.label_segments[name] for record in group) for name in labels}
            for split, group in of_split.items()
        },
        rejects=rejects,
        log_mel_mean_db=mean,
        log_mel_std_db=deviation,
        fingerprint=whole_fingerprint(shards),
        versions=versions_of(records),
    )


def _moments(records: Sequence[ExamplesRecord]) -> tuple[float, float]:
    """Mean and standard deviation in dB; (0, 1) where there is no value, 1 for constant values."""
    count = sum(record.log_mel_count for record in records)
    if not count:
        return 0.0, 1.0
    mean = math.fsum(record.log_mel_sum_db for record in records) / count
    square_mean = math.fsum(record.log_mel_square_sum for record in records) / count
    return mean, math.sqrt(max(square_mean - mean * mean, 0.0)) or 1.0
