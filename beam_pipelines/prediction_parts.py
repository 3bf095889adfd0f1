"""The files of one shard of predictions: recordings and segments as text, features as arrays."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, Self, TextIO

import numpy as np

from avinst import paths
from avinst.dataset import SHARDS_FOLDER
from avinst.manifests.rows import ManifestRow
from avinst.media.types import Segment
from beam_pipelines import prediction_text
from beam_pipelines.prediction_text import LABEL_COLUMN, RECORDING_COLUMNS, SEGMENT_COLUMNS

RECORDINGS, SEGMENTS, FEATURES = "recordings", "segments", "features"


def part_file(name: str, what: str, extension: str) -> str:
    """A shard's file relative to the output directory: `shards/predictions-00003-of-00016.recordings.csv`."""
    return f"{SHARDS_FOLDER}/{name}.{what}.{extension}"


class PartWriter:
    """Takes the segments of a shard in order and writes its files, each whole or not at all.

    Use it in a `with` block, with `finish` as its last call; the files appear at its end.
    """

    def __init__(
        self,
        output_dir: str,
        name: str,
        labels: Sequence[str],
        text_format: str,
        *,
        labelled: bool,
        features: bool,
    ) -> None:
        self._output_dir, self._labels, self._format, self._labelled = output_dir, labels, text_format, labelled
        self.files = [part_file(name, what, text_format) for what in (RECORDINGS, SEGMENTS)]
        self._features_file = part_file(name, FEATURES, "npz") if features else ""
        self._stack = contextlib.ExitStack()
        self._row: ManifestRow | None = None
        self._sums: dict[str, np.ndarray] = {}
        self._count = 0
        self._means: dict[str, list[np.ndarray]] = {}
        self._video_ids: list[str] = []

    def __enter__(self) -> Self:
        try:
            self._recordings, self._segments = map(self._open, self.files)
        except BaseException:
            self._stack.close()
            raise
        if self._format == "csv":
            extra = [LABEL_COLUMN] if self._labelled else []
            self._recordings.write(prediction_text.header([*RECORDING_COLUMNS, *extra], self._labels))
            self._segments.write(prediction_text.header(SEGMENT_COLUMNS, self._labels))
        return self

    def __exit__(self, *exception: Any) -> None:
        self._stack.__exit__(*exception)

    def finish(self) -> None:
        """No segment follows."""
        self._end_recording()
        if self._features_file:
            self._write_features()

    def _open(self, file: str) -> TextIO:
        local = self._stack.enter_context(paths.writing_locally(paths.join(self._output_dir, file)))
        return self._stack.enter_context(open(local, "w", encoding="utf-8", newline=""))  # noqa: PTH123

    def add(self, row: ManifestRow, segment: Segment, outputs: Mapping[str, np.ndarray]) -> None:
        """The next segment, with what the model gives for it: `probabilities`, float32 [labels], and features."""
        if row is not self._row:
            self._end_recording()
            self._row = row
        values = {
            "video_id": row.video_id,
            "segment_index": segment.index,
            "start_seconds": round(float(segment.start_seconds), 6),
        }
        self._segments.write(prediction_text.line(self._format, values, self._labels, outputs["probabilities"]))
        for name, output in outputs.items():
            before = self._sums.get(name)
            self._sums[name] = output.astype(np.float64) if before is None else before + output
        self._count += 1

    def _end_recording(self) -> None:
        """Of a recording, the means over its segments."""
        if self._row is None:
            return
        row = self._row
        means = {name: (total / self._count).astype(np.float32) for name, total in self._sums.items()}
        values: dict[str, object] = {
            "video_id": row.video_id,
            "video_path": row.video_path,
            "segments": self._count,
        }
        if self._labelled:
            values[LABEL_COLUMN] = row.labels
        self._recordings.write(prediction_text.line(self._format, values, self._labels, means["probabilities"]))
        if self._features_file:
            self._video_ids.append(row.video_id)
            for name, mean in means.items():
                self._means.setdefault(name, []).append(mean)
        self._row, self._sums, self._count = None, {}, 0

    def _write_features(self) -> None:
        # TensorFlow gives the outputs in another order in each process.
        arrays = {name: np.stack(self._means[name]) for name in sorted(self._means)}
        target = paths.join(self._output_dir, self._features_file)
        with paths.writing_locally(target) as local, open(local, "wb") as file:  # noqa: PTH123
            np.savez(file, **{"video_id": np.array(self._video_ids, np.str_), **arrays})  # type: ignore[arg-type]
        self.files.append(self._features_file)
