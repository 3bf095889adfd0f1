"""A prediction as text for the terminal or a pipe: a table, CSV or JSONL."""

import json
from collections.abc import Sequence

from beam_pipelines import prediction_text
from beam_pipelines.prediction import Prediction

# CSV has one kind of row: the recording's has no time, its segments' follow.
_TABLE_COLUMNS = 12  # as many as a terminal of 120 characters holds
_COLUMNS = ("video_path", "level", "start_seconds")


def heading(text_format: str, labels: Sequence[str]) -> str:
    """What stands above all videos."""
    return prediction_text.header(_COLUMNS, labels) if text_format == "csv" else ""


def printed(text_format: str, prediction: Prediction) -> str:
    """One video as table, csv or jsonl, line end included."""
    if text_format == "table":
        return _table(prediction) + "\n"
    if text_format == "jsonl":
        return json.dumps(prediction.to_json(), ensure_ascii=False) + "\n"
    rows = [(prediction.video_path, "recording", "")]
    rows += [(prediction.video_path, "segment", f"{start:.6g}") for start in prediction.start_seconds]
    probabilities = [prediction.probabilities, *prediction.segment_probabilities]
    return "".join(
        prediction_text.line("csv", dict(zip(_COLUMNS, row, strict=True)), prediction.labels, values)
        for row, values in zip(rows, probabilities, strict=True)
    )


def _table(prediction: Prediction) -> str:
    """Labels by rank, with the recording's and its segments' probabilities; of a long video, means of them."""
    width = max(len("label"), *map(len, prediction.labels))
    together = -(-len(prediction.start_seconds) // _TABLE_COLUMNS)
    firsts = range(0, len(prediction.start_seconds), together)
    starts = "".join(f"{prediction.start_seconds[first]:>6.0f} s" for first in firsts)
    lines = [prediction.video_path, f"  {'label':<{width}}  recording{starts}"]
    for label, probability in prediction.ranked():
        values = prediction.segment_probabilities[:, prediction.labels.index(label)]
        means = [float(values[first : first + together].mean()) for first in firsts]
        lines.append(f"  {label:<{width}}  {probability:>9.3f}" + "".join(f"{mean:>8.3f}" for mean in means))
    if together > 1:
        lines.append(f"  from each time on the mean of {together} segments; --format=csv shows every one")
    return "\n".join([*lines, *(f"  not used: {loss}" for loss in prediction.losses)])
