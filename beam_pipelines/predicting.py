"""Predictions for many videos: lays the shards out, runs the pipeline, adds up, joins the parts."""

import dataclasses
import json
import shutil
from collections.abc import Sequence

from avinst import paths
from avinst.dataset import SHARDS_FOLDER
from avinst.directory_lock import only_writer
from avinst.errors import UserError
from avinst.keyword_settings import check_choice, check_least
from avinst.manifests.rows import ManifestRow
from avinst.media.types import DecodeLimits
from beam_pipelines.accounting import records_of, versions_of, write_rejects
from beam_pipelines.beam_flags import check_workers_reach
from beam_pipelines.detector import FEATURES_SIGNATURE, Detector, shared_detector
from beam_pipelines.job import run_job
from beam_pipelines.layout import Shard, essence, lay_out_in_order, sha256_of, whole_fingerprint
from beam_pipelines.prediction_parts import RECORDINGS, SEGMENTS
from beam_pipelines.prediction_pipeline import add_predict
from beam_pipelines.prediction_set import (
    PREDICTIONS,
    PREDICTIONS_FILE,
    SHARDS_PART,
    PredictionSet,
    load_predictions,
)
from beam_pipelines.prediction_text import FORMATS
from beam_pipelines.prediction_work import PredictionWork
from beam_pipelines.results import all_done, clear, refuse_foreign, refuse_other
from beam_pipelines.runner import make_pipeline
from beam_pipelines.shard_record import PredictionsRecord

MOST_VIDEOS_PER_SHARD = 64
_FEWEST_SHARDS = 16


@dataclasses.dataclass(frozen=True)
class PredictConfig:
    """Which model is asked about which videos, and how the work is divided.

    Attributes:
        model_dir: an exported version directory.
        media_root: the folder that the rows' paths are relative to.
        output_dir: the directory of the predictions to be made.
        text_format: csv or jsonl.
        features: write the recordings' penultimate features too.
        join: also join the shards' parts to one file of recordings and one of segments.
        batch_size: segments that the model is given at once.
        videos_per_shard: recordings of a shard on average; 0: 64, fewer where there are under a thousand.
        workers: threads of the in-process runner, 0 for one per core.
        overwrite: replace finished predictions of another model or of other videos.
        limits: what one recording may cost.
    """

    model_dir: str
    media_root: str
    output_dir: str
    text_format: str = "csv"
    features: bool = False
    join: bool = True
    batch_size: int = 32
    videos_per_shard: int = 0
    workers: int = 0
    overwrite: bool = False
    limits: DecodeLimits = dataclasses.field(default_factory=DecodeLimits)

    def __post_init__(self) -> None:
        """Raises UserError for a format that is none, or a number that no job can be divided by."""
        check_choice("text_format", self.text_format, FORMATS)
        for name, least in (("batch_size", 1), ("videos_per_shard", 0), ("workers", 0)):
            check_least(name, getattr(self, name), least)


def predict_rows(
    config: PredictConfig, rows: Sequence[ManifestRow], beam_flags: Sequence[str] = ()
) -> PredictionSet:
    """Makes predictions, or finishes what was begun: shards done under the same fingerprint are kept.

    Args:
        config: what model, where to, how.
        rows: the recordings; their labels, where they have any, are repeated beside the predictions.
        beam_flags: flags for Beam.

    Returns:
        The finished set.

    Raises:
        UserError: bad model, folders or flags, another process at work in the directory, or no recording that
            could be used.
    """
    folders = {
        "--media_root": config.media_root,
        "--output_dir": config.output_dir,
        "--model_dir": config.model_dir,
    }
    check_workers_reach(beam_flags, folders)  # before anything is read
    model_dir = paths.absolute(config.model_dir)  # workers have working directories of their own
    detector = shared_detector(model_dir)
    if config.features and not detector.gives(FEATURES_SIGNATURE):
        raise UserError(f"{config.model_dir!r} has no signature {FEATURES_SIGNATURE!r}; export it again")
    work = PredictionWork(
        model_dir=model_dir,
        fingerprint=detector.fingerprint,
        media_root=paths.absolute(config.media_root),
        output_dir=paths.absolute(config.output_dir),
        limits=config.limits,
        batch_size=config.batch_size,
        text_format=config.text_format,
        labelled=any(row.labels for row in rows),
        features=config.features,
    )
    shards = _laid_out(config, rows, detector, work)
    if _is_finished(config, shards):
        return load_predictions(config.output_dir)
    _check_ours(config, shards, detector)
    pipeline = make_pipeline(beam_flags, config.workers, elements=len(shards))
    with only_writer(config.output_dir, PREDICTIONS.command, PREDICTIONS.flag):
        # Again: before the lock another job may have been at work here, and finished since.
        if _is_finished(config, shards):
            return load_predictions(config.output_dir)
        _check_ours(config, shards, detector)
        paths.make_directory(paths.join(config.output_dir, SHARDS_FOLDER))
        clear(PREDICTIONS, config.output_dir, shards, config.media_root, config.limits)
        run_job(
            pipeline, lambda source, plan: add_predict(source, plan, work), PREDICTIONS, config.output_dir, shards
        )
        return _finish(config, shards, detector)


def _laid_out(
    config: PredictConfig, rows: Sequence[ManifestRow], detector: Detector, work: PredictionWork
) -> list[Shard]:
    a_shard = config.videos_per_shard or min(MOST_VIDEOS_PER_SHARD, -(-len(rows) // _FEWEST_SHARDS))
    made_with = {
        "model": detector.fingerprint,
        "spec": detector.spec.to_json(),
        "format": work.text_format,
        "labelled": work.labelled,
        "features": work.features,
    }

    def fingerprint(ordered: Sequence[ManifestRow]) -> str:
        return sha256_of({**made_with, "rows": [essence(row) for row in ordered]})

    return lay_out_in_order(rows, SHARDS_PART, a_shard, fingerprint)


def _is_finished(config: PredictConfig, shards: Sequence[Shard]) -> bool:
    if not paths.exists(paths.join(config.output_dir, PREDICTIONS_FILE)):
        return False
    try:
        there = load_predictions(config.output_dir)
    except UserError:
        return False
    joined = paths.exists(there.recordings_file) and paths.exists(there.segments_file)
    same = there.fingerprint == whole_fingerprint(shards) and (joined or not config.join)
    return same and all_done(PREDICTIONS, config.output_dir, shards, config.media_root, config.limits)


def _check_ours(config: PredictConfig, shards: Sequence[Shard], detector: Detector) -> None:
    """Nothing that somebody may still want is deleted unasked."""
    refuse_foreign(PREDICTIONS, config.output_dir)
    if config.overwrite or not paths.exists(paths.join(config.output_dir, PREDICTIONS_FILE)):
        return
    there = load_predictions(config.output_dir)
    if there.fingerprint != whole_fingerprint(shards):
        refuse_other(
            PREDICTIONS,
            config.output_dir,
            {
                "model": there.model_fingerprint,
                "format": there.text_format,
                "features": there.features,
                "videos": there.rows,
                "shards": len(there.shards),
            },
            {
                "model": detector.fingerprint,
                "format": config.text_format,
                "features": config.features,
                "videos": sum(len(shard.rows) for shard in shards),
                "shards": len(shards),
            },
            "of other videos",
        )


def _finish(config: PredictConfig, shards: Sequence[Shard], detector: Detector) -> PredictionSet:
    """Joins the parts, writes `rejects.jsonl` and then `predictions.json`, the sign that all is there."""
    records = records_of(PredictionsRecord, PREDICTIONS.command, config.output_dir, shards)
    rejects = [reject for record in records for reject in record.rejects]
    write_rejects(config.output_dir, rejects)
    counts = [segments for record in records for segments in record.segments_of_video.values()]
    predictions = PredictionSet(
        output_dir=config.output_dir,
        model_dir=detector.model_dir,
        model_fingerprint=detector.fingerprint,
        spec=detector.spec,
        labels=detector.labels,
        text_format=config.text_format,
        features=config.features,
        rows=len(counts),
        recordings=len(counts) - counts.count(0),
        segments=sum(counts),
        rejects=len(rejects),
        shards=tuple(shard.name for shard in shards),
        fingerprint=whole_fingerprint(shards),
        versions=versions_of(records),
    )
    if not predictions.recordings:
        raise UserError(
            f"none of {len(counts)} recordings could be used (the first: {rejects[0].reason}, "
            f"{rejects[0].detail}); see {predictions.rejects_file}, mend the files or give another --media_root"
        )
    if config.join:
        _join(predictions.parts(RECORDINGS), predictions.recordings_file)
        _join(predictions.parts(SEGMENTS), predictions.segments_file)
    text = json.dumps(predictions.to_json(), indent=1, ensure_ascii=False) + "\n"
    paths.write_text(paths.join(config.output_dir, PREDICTIONS_FILE), text)
    return predictions


def _join(parts: Sequence[str], target: str) -> None:
    """One file of many; of CSV with the first one's header."""
    with paths.writing_locally(target) as local, open(local, "wb") as joined:  # noqa: PTH123
        for number, part in enumerate(parts):
            with paths.local_copy(part) as file, open(file, "rb") as source:  # noqa: PTH123
                if number and target.endswith(".csv"):
                    source.readline()  # labels hold no line ends, so that a header is one line
                shutil.copyfileobj(source, joined)
