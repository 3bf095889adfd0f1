"""Recordings that bear several labels: all schemes are trained, measured, exported, asked and analyzed."""

import json

import numpy as np
import pytest
from dataset_factory import write_dataset
from media_factory import tone, write_media

from analysis.feature_files import load_features
from avinst import cli
from avinst.spec import DatasetSpec
from trainer.run import load_run

LABELS = ("cello", "drum", "flute")
RECORDINGS = {"train": 24, "validation": 12, "test": 18}
OTHERS = ("independent", "audio", "visual")
SLOW = pytest.mark.slow
TINY = (
    "--audio_backbone=small_cnn",
    "--visual_backbone=small_cnn",
    "--epochs=6",
    "--fusion_epochs=6",
    "--batch_size=8",
)


def avinst(*arguments):
    assert cli.main(["avinst", *map(str, arguments)]) == 0


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("several")
    spec = DatasetSpec(frame_size=48)
    write_dataset(root / "dataset", recordings=RECORDINGS, multi_label=True, spec=spec, noise_db=3.0)
    sound = tone(440.0, 2.1).astype(np.float32)
    write_media(root / "clip.mp4", seconds=2.1, size=(64, 48), sound=sound)
    return root


@pytest.fixture(scope="module", params=["joint", *(pytest.param(name, marks=SLOW) for name in OTHERS)])
def run_dir(root, request):
    run = f"--run_dir={root}/{request.param}"
    avinst("train", f"--data_dir={root}/dataset", run, f"--scheme={request.param}", *TINY)
    # The audit has tests of its own; once it is run here too.
    avinst("evaluate", run, "--audit" if request.param == "independent" else "--noaudit")
    avinst("export", run)
    avinst("analyze", run, "--gradcam_per_label=0", "--permutations=50", "--top_audio=4", "--top_visual=5")
    return root / request.param


def test_metrics_are_of_yes_or_no_for_each_label(run_dir):
    assert load_run(str(run_dir)).model.get_layer("probabilities").activation.__name__ == "sigmoid"
    metrics = json.loads((run_dir / "metrics.json").read_text())["test"]["recording"]
    assert metrics["count"] == 18
    assert sum(metrics["reliability"]["count"]) == 18 * 3
    features = load_features(str(run_dir / "analysis" / "features.npz"))
    assert features.labels.sum() > 18
    decided = features.probabilities >= 0.5
    assert (decided == features.labels).mean() > 0.7  # always no: 0.5
    np.testing.assert_array_equal(features.predicted, decided)
    # Analysis and evaluation each compute them on their own.
    np.testing.assert_array_equal(np.array(metrics["confusion"]), features.labels.astype(int).T @ decided)
    top = features.probabilities.argmax(axis=1)
    assert metrics["hit_at_1"]["value"] == pytest.approx(features.labels[np.arange(18), top].mean())
    for index, label in enumerate(LABELS):
        assert metrics["per_label"][label]["count"] == features.labels[:, index].sum()


def test_probabilities_of_a_video_need_not_sum_to_one(run_dir, root, capsys):
    capsys.readouterr()
    avinst("predict", f"--run_dir={run_dir}", "--json", root / "clip.mp4")
    probabilities = json.loads(capsys.readouterr().out)["probabilities"]
    assert set(probabilities) == set(LABELS)
    assert all(0 <= value <= 1 for value in probabilities.values())
    assert abs(sum(probabilities.values()) - 1) > 1e-3


def test_importance_is_over_the_recordings_predicted_as_the_label(run_dir):
    features = load_features(str(run_dir / "analysis" / "features.npz"))
    weights = load_run(str(run_dir)).model.get_layer("logits").get_weights()[0].astype(np.float64)
    joined = np.hstack(list(features.modalities().values()))
    lines = (run_dir / "analysis" / "importance.csv").read_text().splitlines()[1:]
    found = {}
    for label, modality, feature, value, *_ in (line.split(",") for line in lines):
        found.setdefault(label, {})[modality, feature] = float(value)
    for index, label in enumerate(LABELS):
        rows = features.probabilities[:, index] >= 0.5
        assert (label in found) == bool(rows.any())
        if rows.any():
            expected = np.maximum(joined[rows] * weights[:, index], 0).mean(axis=0)
            np.testing.assert_allclose(sorted(found[label].values()), np.sort(expected), rtol=1e-4, atol=1e-7)


def test_words_say_what_is_counted(run_dir, capsys):
    capsys.readouterr()
    avinst("evaluate", f"--run_dir={run_dir}", "--split=validation", "--noaudit")
    assert "f1: of the labels with a probability of 0.5 or more" in capsys.readouterr().out
    assert "Recordings bear several labels" in (run_dir / "analysis" / "report.html").read_text()
