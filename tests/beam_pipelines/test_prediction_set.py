import numpy as np
import pytest

from avinst import paths
from avinst.spec import DatasetSpec
from beam_pipelines import prediction_text
from beam_pipelines.prediction_parts import RECORDINGS
from beam_pipelines.prediction_set import PredictionSet, recording_probabilities
from beam_pipelines.prediction_text import RECORDING_COLUMNS

LABELS = ("loud", "bright")
# What Python's splitlines() takes for line ends and JSON leaves as it is, and what CSV puts in quotes.
IDS = ["a\u2028b", "c\u2029d", "e\x85f", "g\nh", "i\r\nj", 'k,"l']


@pytest.mark.parametrize("text_format", prediction_text.FORMATS)
def test_ids_of_any_characters_are_read_as_they_were_written(tmp_path, text_format):
    predictions = PredictionSet(
        output_dir=str(tmp_path),
        model_dir="model",
        model_fingerprint="m",
        spec=DatasetSpec(),
        labels=LABELS,
        text_format=text_format,
        features=False,
        rows=len(IDS),
        recordings=len(IDS),
        segments=len(IDS),
        rejects=0,
        shards=("predictions-00000-of-00001",),
        fingerprint="f",
        versions={},
    )
    (file,) = predictions.parts(RECORDINGS)
    paths.make_directory(str(tmp_path / "shards"))
    text = prediction_text.header(RECORDING_COLUMNS, LABELS) if text_format == "csv" else ""
    for number, video_id in enumerate(IDS):
        values = {"video_id": video_id, "video_path": "x.mp4", "segments": 1}
        text += prediction_text.line(text_format, values, LABELS, np.array([0.25 * number, 0.5], np.float32))
    paths.write_text(file, text)
    ids, probabilities = recording_probabilities(predictions)
    assert list(ids) == IDS
    np.testing.assert_array_equal(probabilities, [[0.25 * number, 0.5] for number in range(len(IDS))])
