"""Predictions as CSV and JSONL: what a line holds, by recording and by segment."""

import csv
import io
import json
from collections.abc import Mapping, Sequence

import numpy as np

from avinst.manifests.rows import LABEL_SEPARATOR

FORMATS = ("csv", "jsonl")
RECORDING_COLUMNS = ("video_id", "video_path", "segments")
SEGMENT_COLUMNS = ("video_id", "segment_index", "start_seconds")
LABEL_COLUMN = "label"
_TOP_COLUMNS = ("top_label", "top_probability")
PROBABILITY_PREFIX = "p_"  # no other column begins so, whatever a label is called

Values = Mapping[str, object]


def header(columns: Sequence[str], labels: Sequence[str]) -> str:
    """The first line of a CSV file: what a row is, its most probable label, and a column for each label."""
    return csv_line([*columns, *_TOP_COLUMNS, *(f"{PROBABILITY_PREFIX}{label}" for label in labels)])


def plain(labels: Sequence[str], probabilities: np.ndarray) -> dict[str, float]:
    """Label to probability in the labels' order, with the six digits that float32 is good for.

    Args:
        labels: names of the probabilities.
        probabilities: float32 [labels].
    """
    return {label: float(f"{value:.6g}") for label, value in zip(labels, probabilities, strict=True)}


def line(text_format: str, values: Values, labels: Sequence[str], probabilities: np.ndarray) -> str:
    """A row as text.

    Args:
        text_format: csv or jsonl.
        values: what the row is, in the order of the columns.
        labels: names of the probabilities.
        probabilities: float32 [labels].
    """
    by_label = plain(labels, probabilities)
    if text_format == "jsonl":
        return json.dumps({**values, "probabilities": by_label}, ensure_ascii=False) + "\n"
    rounded = list(by_label.values())
    top = int(np.argmax(probabilities))
    cells = [LABEL_SEPARATOR.join(value) if isinstance(value, tuple) else value for value in values.values()]
    return csv_line([*cells, labels[top], rounded[top], *rounded])


def csv_line(cells: Sequence[object]) -> str:
    """One line; cells that hold commas, quotes or line ends are quoted."""
    text = io.StringIO(newline="")
    # "\r\n" as terminator lets a cell that holds "\r" be quoted; what is written ends in "\n".
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().removesuffix("\r\n") + "\n"
