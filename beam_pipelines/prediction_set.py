"""A directory of predictions: `predictions.json`, the names of its files, and how they are read again."""

import csv
import dataclasses
import io
import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from avinst import paths
from avinst.dataset import REJECTS_FILE
from avinst.errors import UserError
from avinst.json_values import check_types, read_json_object
from avinst.paths import StrPath
from avinst.spec import DatasetSpec
from beam_pipelines.prediction_parts import FEATURES, RECORDINGS, SEGMENTS, part_file
from beam_pipelines.prediction_text import FORMATS, PROBABILITY_PREFIX
from beam_pipelines.results import ResultsKind
from beam_pipelines.shard_record import PredictionsRecord

PREDICTIONS_FILE = "predictions.json"
SHARDS_PART = "predictions"
FORMAT_VERSION = 1
PREDICTIONS = ResultsKind(
    command="predict",
    flag="output_dir",
    what="set of predictions",
    record_type=PredictionsRecord,
    parts=(SHARDS_PART,),
    extensions=(
        *(f".{what}.{text_format}" for what in (RECORDINGS, SEGMENTS) for text_format in FORMATS),
        f".{FEATURES}.npz",
    ),
    finished_files=(
        PREDICTIONS_FILE,
        *(f"{what}.{text_format}" for what in (RECORDINGS, SEGMENTS) for text_format in FORMATS),
    ),
)


@dataclasses.dataclass(frozen=True)
class PredictionSet:
    """What `predictions.json` says.

    Attributes:
        output_dir: the directory; not stored, so that it can be moved.
        model_dir: the exported version directory that was asked.
        model_fingerprint: of its graph and weights.
        spec: what a segment is.
        labels: names of the probabilities, in order.
        text_format: csv or jsonl: of the recordings' and the segments' file.
        features: whether the shards hold features.
        rows: recordings that were asked about; those without predictions are in `rejects.jsonl`.
        recordings: recordings with predictions.
        segments: segments with predictions.
        rejects: number of lines in `rejects.jsonl`.
        shards: names of the shards, in order.
        fingerprint: sha256 of all that decides the predictions: model, spec, rows, format.
        versions: of the packages and libraries that made them, FFmpeg's among them.
    """

    output_dir: str
    model_dir: str
    model_fingerprint: str
    spec: DatasetSpec
    labels: tuple[str, ...]
    text_format: str
    features: bool
    rows: int
    recordings: int
    segments: int
    rejects: int
    shards: tuple[str, ...]
    fingerprint: str
    versions: Mapping[str, str]

    @property
    def recordings_file(self) -> str:
        """A row a recording, where the parts were joined."""
        return paths.join(self.output_dir, f"{RECORDINGS}.{self.text_format}")

    @property
    def segments_file(self) -> str:
        """A row a segment, where the parts were joined."""
        return paths.join(self.output_dir, f"{SEGMENTS}.{self.text_format}")

    @property
    def rejects_file(self) -> str:
        """What was not predicted, and why."""
        return paths.join(self.output_dir, REJECTS_FILE)

    def parts(self, what: str) -> list[str]:
        """The shards' files of recordings, segments or features, in order."""
        extension = "npz" if what == FEATURES else self.text_format
        return [paths.join(self.output_dir, part_file(name, what, extension)) for name in self.shards]

    def to_json(self) -> dict[str, Any]:
        """What is stored: everything but the directory."""
        values = dataclasses.asdict(self)
        del values["output_dir"]
        return {"format_version": FORMAT_VERSION, **values}


def load_predictions(output_dir: StrPath) -> PredictionSet:
    """Reads a finished set of predictions.

    Args:
        output_dir: the directory that `avinst predict --output_dir` or `predict_videos` wrote.

    Raises:
        UserError: there is none, it is unfinished, or of another version.
    """
    output_dir = os.fspath(output_dir)
    file = paths.join(output_dir, PREDICTIONS_FILE)
    if not paths.exists(file):
        raise UserError(f"no {PREDICTIONS_FILE} in {output_dir!r}: run the same avinst predict (again)")
    values = read_json_object(file, "predict anew, --overwrite")
    try:
        check_types(PredictionSet, values)
        if values.pop("format_version") != FORMAT_VERSION:
            raise ValueError("another format")
        values["spec"] = DatasetSpec.from_json(values["spec"])
        values["labels"], values["shards"] = tuple(values["labels"]), tuple(values["shards"])
        return PredictionSet(output_dir=output_dir, **values)
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{file!r} is not what this avinst writes ({error}); predict anew, --overwrite") from error


def recording_probabilities(predictions: PredictionSet) -> tuple[np.ndarray, np.ndarray]:
    """What a set of predictions says of each recording.

    Args:
        predictions: a finished set.

    Returns:
        The recordings' ids, str [n], and probabilities, float32 [n, labels], in the order of the ids.
    """
    found: dict[str, list[float]] = {}
    for part in predictions.parts(RECORDINGS):
        text = paths.read_text(part)
        if predictions.text_format == "csv":
            for row in csv.DictReader(io.StringIO(text, newline="")):
                found[row["video_id"]] = [float(row[PROBABILITY_PREFIX + label]) for label in predictions.labels]
        else:
            for content in filter(None, text.split("\n")):  # ids may hold what splitlines() takes for line ends
                values = json.loads(content)
                found[values["video_id"]] = [values["probabilities"][label] for label in predictions.labels]
    return np.array(list(found), np.str_), np.array(list(found.values()), np.float32)


def load_features(predictions: PredictionSet) -> dict[str, np.ndarray]:
    """The recordings' means over their segments, in the order of the ids.

    Returns:
        `video_id` str [n], `probabilities` float32 [n, labels] and, as far as the model has them,
        `audio_features` float32 [n, 1024] and `visual_features` [n, 2048].

    Raises:
        UserError: they were not written.
    """
    if not predictions.features:
        raise UserError(f"{predictions.output_dir!r} holds no features; predict with --features")
    parts = []
    for file in predictions.parts(FEATURES):
        with np.load(io.BytesIO(paths.read_bytes(file))) as arrays:
            parts.append(dict(arrays))
    filled = [part for part in parts if len(part["video_id"])]
    return {name: np.concatenate([part[name] for part in filled]) for name in filled[0]}
