"""What a real TensorBoard serves of evaluations, over HTTP: one server for two runs below one directory."""

import io
import json
import shutil

import numpy as np
import pytest
from PIL import Image
from tensorboard_server import tensorboard

from trainer.board.pr_curves import pr_curve
from trainer.evaluation.predictions import predict_split
from trainer.evaluation.scores import NAMES
from trainer.evaluation.split_evaluation import evaluate
from trainer.evaluation.tables import LEVELS
from trainer.fusion import compute_features
from trainer.run import load_run

FUSED, SINGLE = "independent/logs/evaluation-test", "untrained-audio/logs/evaluation-test"
SCALARS = {f"evaluation/{level}/{name}" for level in LEVELS for name in NAMES}


@pytest.fixture(scope="module")
def measured(independent_run_dir, dataset, tmp_path_factory):
    """A directory with a fused run and one of a single modality; run name to what `evaluate` gave."""
    from trainer.models import build_model
    from trainer.run import MODEL_FILE, open_run

    root = tmp_path_factory.mktemp("board")
    shutil.copytree(independent_run_dir, root / "independent")
    fused = load_run(str(root / "independent"))
    config = type(fused.config)(**{**fused.config.to_json(), "scheme": "audio"})
    open_run(str(root / "untrained-audio"), config, dataset)
    build_model("audio", config, dataset).save(root / "untrained-audio" / MODEL_FILE)
    evaluate(fused, dataset, "test")
    metrics = {
        FUSED: evaluate(fused, dataset, "test").metrics,  # again: replaces what was there
        SINGLE: evaluate(load_run(str(root / "untrained-audio")), dataset, "test").metrics,
    }
    return root, metrics


@pytest.fixture(scope="module")
def board(measured):
    with tensorboard(measured[0]) as server:
        server.wait_for("pr_curves/tags", lambda tags: all(len(tags.get(run, ())) == 3 for run in (FUSED, SINGLE)))
        yield server


@pytest.fixture(scope="module")
def predicted(measured, dataset):
    return predict_split(load_run(str(measured[0] / "independent")).model, dataset, "test").by_recording()


def test_scalars_are_the_metrics(board, measured):
    tags = board.json("scalars/tags")
    for run, metrics in measured[1].items():
        assert set(tags[run]) == SCALARS
        for tag in ("evaluation/segment/log_loss", "evaluation/recording/map"):
            _, level, name = tag.split("/")
            ((_, step, value),) = board.json("scalars/scalars", run=run, tag=tag)
            assert step == 0
            assert value == pytest.approx(metrics[level][name]["value"], rel=1e-6)  # float32


def test_tables_are_there_to_read(board, measured):
    assert set(board.json("text/tags")[FUSED]) == {"evaluation/scores", "evaluation/per_label"}
    (scores,) = board.json("text/text", run=FUSED, tag="evaluation/scores")
    assert f"{measured[1][FUSED]['recording']['hit_at_1']['value']:.3f}" in scores["text"]
    (per_label,) = board.json("text/text", run=FUSED, tag="evaluation/per_label")
    assert per_label["text"].count("<tr>") == 4
    assert "cello" in per_label["text"]
    assert "taken for" in per_label["text"]


def test_confusion_and_reliability_are_images(board):
    for tag in ("evaluation/confusion", "evaluation/reliability"):
        (image,) = board.json("images/images", run=FUSED, tag=tag, sample=0)
        picture = Image.open(io.BytesIO(board.image(image)))
        assert picture.format == "PNG"
        assert min(picture.size) > 300
        assert len(np.unique(np.asarray(picture.convert("L")))) > 10


def test_pr_curves_are_those_of_the_predictions(board, predicted):
    tags = board.json("pr_curves/tags")[FUSED]
    assert {name: about["displayName"] for name, about in tags.items()} == {
        f"pr_curve/{label}": label for label in ("cello", "drum", "flute")
    }
    assert "4 of 12 recordings" in tags["pr_curve/drum"]["description"]
    (curve,) = board.json("pr_curves/pr_curves", run=FUSED, tag="pr_curve/drum")[FUSED]
    expected = pr_curve(predicted.labels[:, 1] > 0, predicted.probabilities[:, 1])
    shown = len(curve["thresholds"])  # up to the last threshold at which anything is predicted
    assert shown > 50
    for row, name in enumerate(
        ("true_positives", "false_positives", "true_negatives", "false_negatives", "precision", "recall")
    ):
        np.testing.assert_allclose(curve[name], expected[row, :shown], rtol=1e-6)


def test_runs_compare_in_the_hparams_tab(board, measured):
    request = json.dumps({"includeMetrics": True})
    experiment = board.json("hparams/experiment", request=request)
    settings = {info["name"]: info for info in experiment["hparamInfos"]}
    assert {"scheme", "learning_rate", "seed", "evaluation_split"} <= set(settings)
    assert settings["scheme"]["differs"]
    assert {info["name"]["tag"] for info in experiment["metricInfos"]} == SCALARS
    statuses = ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"]
    request = json.dumps({"allowedStatuses": statuses, "sliceSize": 10, "includeMetrics": True})
    groups = {
        group["hparams"]["scheme"]: group
        for group in board.json("hparams/session_groups", request=request)["sessionGroups"]
    }
    assert set(groups) == {"independent", "audio"}
    for scheme, run in (("independent", FUSED), ("audio", SINGLE)):
        values = {value["name"]["tag"]: value["value"] for value in groups[scheme]["metricValues"]}
        assert values["evaluation/recording/hit_at_1"] == pytest.approx(
            measured[1][run]["recording"]["hit_at_1"]["value"]
        )
        assert groups[scheme]["hparams"]["batch_size"] == 8


def test_the_projector_has_both_kinds_of_features(board, measured, dataset, predicted):
    assert {FUSED, SINGLE} <= set(board.json("projector/runs"))
    embeddings = {each["tensorName"]: each for each in board.json("projector/info", run=FUSED)["embeddings"]}
    assert {name: each["tensorShape"] for name, each in embeddings.items()} == {
        "audio_features": [12, 1024],
        "visual_features": [12, 2048],
    }
    model = load_run(str(measured[0] / "independent")).model
    features, _ = compute_features(model, dataset, "test", 32)
    for name, values in features.items():
        served = np.frombuffer(board.get("projector/tensor", run=FUSED, name=name), np.float32)
        expected = values.reshape(12, 2, -1).mean(axis=1)  # two segments a recording, one after the other
        # Written with 5 digits; float32 of another batch size.
        np.testing.assert_allclose(served.reshape(expected.shape), expected, rtol=1e-4, atol=1e-6)
    assert [each["tensorName"] for each in board.json("projector/info", run=SINGLE)["embeddings"]] == [
        "audio_features"
    ]
    lines = board.get("projector/metadata", run=FUSED, name="visual_features").decode().splitlines()
    header, *rows = [line.split("\t") for line in lines]
    assert header == ["label", "predicted", "correct", "highest_probability", "video_id"]
    assert [row[4] for row in rows] == predicted.video_ids.tolist()
    assert [row[1] for row in rows] == [dataset.labels[top] for top in predicted.probabilities.argmax(axis=1)]
    assert [row[0] for row in rows] == [dataset.labels[true] for true in predicted.labels.argmax(axis=1)]


def test_the_sprite_shows_the_recordings_frames(board, measured, dataset):
    sprite = Image.open(io.BytesIO(board.get("projector/sprite_image", run=FUSED, name="audio_features")))
    assert sprite.size == (4 * 64, 3 * 64)  # 12 recordings
    from trainer.inputs.pipeline import keyed_examples

    frames = np.concatenate([batch["frame"] for batch in keyed_examples(dataset, "test", 32)])[1::2]
    tiles = np.asarray(sprite).reshape(3, 64, 4, 64, 3).transpose(0, 2, 1, 3, 4).reshape(12, 64, 64, 3)
    # The dataset's frames have 64 pixels, so that only the JPEG is between them; the least distance of another
    # recording's frame is several times larger.
    distance = np.abs(tiles[:, None].astype(float) - frames[None]).mean(axis=(2, 3, 4))
    assert distance.argmin(axis=1).tolist() == list(range(12))
