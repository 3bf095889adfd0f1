import io

import numpy as np
import pytest
from PIL import Image
from tensorboard_server import tensorboard
from toy_models import toy_model
from toy_study_parts import toy_batches

from analysis.embeddings import write_embeddings
from analysis.summaries import write_summaries


@pytest.fixture(scope="module")
def folder(toy_study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("logs") / "analysis"
    write_summaries(toy_study, [], str(folder))
    write_embeddings(toy_study, toy_model(), toy_batches("test"), str(folder))
    return folder


def test_both_encoders_features_are_the_studys_recording_by_recording(folder, toy_study):
    lines = [line.split("\t") for line in (folder / "recordings.tsv").read_text().splitlines()]
    assert lines[0] == ["label", "predicted", "correct", "highest_probability", "video_id"]
    rows = [toy_study.features.video_id.tolist().index(line[-1]) for line in lines[1:]]
    assert sorted(rows) == list(range(30))
    for modality, values in toy_study.features.modalities().items():
        written = np.loadtxt(folder / f"{modality}_features.tsv")
        np.testing.assert_allclose(written, values[rows], rtol=1e-4, atol=1e-7)  # five digits
    names = toy_study.features.label_names
    for row, line in zip(rows, lines[1:], strict=True):
        assert line[0] == names[toy_study.features.labels[row].argmax()]
        assert line[1] == names[toy_study.features.probabilities[row].argmax()]


def test_thumbnails_are_of_the_recordings_frames(folder):
    sprite = np.asarray(Image.open(folder / "thumbnails.jpg")).astype(float)
    batch = next(iter(toy_batches("test")))
    # The first recording's second segment; the thumbnail is twice as large as the toy frame.
    frame = batch["frame"][1].astype(float)
    shown = sprite[:64, :64].reshape(32, 2, 32, 2, 3).mean(axis=(1, 3))
    assert np.abs(shown - frame).mean() < 30  # JPEG of noise; another frame of noise is 85 away


@pytest.mark.slow
def test_tensorboard_finds_them_in_the_folder_of_the_analysis(folder):
    with tensorboard(folder.parent) as board:
        found = board.wait_for("projector/runs", lambda answer: "analysis" in answer)
        assert found == ["analysis"]
        embeddings = board.json("projector/info", run="analysis")["embeddings"]
        assert {each["tensorName"] for each in embeddings} == {"audio_features", "visual_features"}
        picture = board.get("projector/sprite_image", run="analysis", name="audio_features")
    assert Image.open(io.BytesIO(picture)).size == (6 * 64, 5 * 64)
