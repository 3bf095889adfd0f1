"""`avinst analyze` on runs with tiny networks: what it writes, and what it refuses."""

import csv
import dataclasses
import html
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from dataset_factory import write_dataset

from analysis.analyze import main
from analysis.feature_files import load_features
from analysis.importance import head_of, importance
from avinst.directory_lock import only_writer
from trainer.config import TrainConfig
from trainer.models import build_model
from trainer.run import load_run, open_run, read_config

QUICK = ["--permutations=200", "--gradcam_per_label=1", "--top_audio=4", "--top_visual=5", "--trust_recordings=4"]


def make_run(folder, scheme="joint", recordings=None, multi_label=False, **settings):
    counts = recordings or {"train": 3, "validation": 18, "test": 18}
    dataset = write_dataset(folder / "data", recordings=counts, multi_label=multi_label)
    config = TrainConfig(scheme=scheme, audio_backbone="small_cnn", visual_backbone="small_cnn", **settings)
    open_run(str(folder / "run"), config, dataset)
    build_model(scheme, config, dataset).save(folder / "run" / "model.keras")
    return folder / "run"


def analyze(run_dir, *flags):
    return main(["analyze", f"--run_dir={run_dir}", *QUICK, *flags])


@pytest.fixture(scope="module")
def joint(tmp_path_factory):
    run_dir = make_run(tmp_path_factory.mktemp("joint"))
    assert analyze(run_dir) == 0
    return run_dir


def test_writes_files_summaries_and_report(joint):
    output = joint / "analysis"
    for name in ("features.npz", "importance.csv", "correlations/summary.json", "report.html"):
        assert (output / name).stat().st_size > 0, name
    assert list((joint / "logs" / "analysis").glob("events.out.tfevents.*"))
    assert "avinst evaluate" in (output / "report.html").read_text()
    assert not list(output.rglob(".tmp*"))
    assert not (output / "feature_parts").exists()
    assert not (output / "segment_features.npz").exists()


def test_a_second_analysis_of_the_same_output_directory_waits_its_turn(joint, tmp_path, capsys):
    output = str(tmp_path / "found")
    with only_writer(output, "analyze", "output_dir"):
        assert analyze(joint, f"--output_dir={output}") == 1
    assert "another avinst analyze is at work in" in capsys.readouterr().err
    assert list((tmp_path / "found").iterdir()) == []


def test_two_analyses_of_one_run_do_not_write_to_its_logs_at_once(joint, tmp_path, capsys):
    with only_writer(str(joint / "logs" / "analysis"), "analyze", ""):
        assert analyze(joint, f"--output_dir={tmp_path / 'found'}") == 1
    error = capsys.readouterr().err
    assert f"at work in '{joint / 'logs' / 'analysis'}'; wait for it\n" in error
    assert list((tmp_path / "found").iterdir()) == []


def test_features_and_importance_are_the_models(joint):
    features = load_features(str(joint / "analysis" / "features.npz"))
    assert features.audio.shape == (18, 1024)
    assert features.visual.shape == (18, 2048)
    model = load_run(str(joint)).model
    weights = model.get_layer("logits").get_weights()[0]
    joined = np.hstack([features.audio, features.visual]).astype(np.float64)
    found = importance(features, head_of(model))
    for index, label in enumerate(features.label_names):
        rows = features.probabilities.argmax(axis=1) == index
        if rows.any():
            expected = np.maximum(joined[rows] * weights[:, index], 0).mean(axis=0)
            np.testing.assert_allclose(np.hstack([found.of(label, m) for m in found.values]), expected, atol=1e-6)
    # One dense head: a recording's mean logits are the logits of its mean features.
    bias = model.get_layer("logits").get_weights()[1]
    np.testing.assert_allclose(features.logits, joined @ weights + bias, atol=1e-4)  # float32, 3072 terms


def test_the_importance_file_is_recomputed_from_the_features_and_the_heads_weights(joint):
    features = load_features(str(joint / "analysis" / "features.npz"))
    weights = load_run(str(joint)).model.get_layer("logits").get_weights()[0].astype(np.float64)
    joined = np.hstack([features.audio, features.visual]).astype(np.float64)
    written = {}
    for row in csv.DictReader((joint / "analysis" / "importance.csv").open()):
        written.setdefault((row["label"], row["modality"]), []).append(row)
    likeliest = features.probabilities.argmax(axis=1)
    assert {label for label, _ in written} == {features.label_names[index] for index in set(likeliest)}
    for index in set(likeliest):
        contributions = np.maximum(weights[:, index] * joined[likeliest == index], 0)
        for modality, columns, top in (("audio", slice(0, 1024), 4), ("visual", slice(1024, None), 5)):
            rows = written[features.label_names[index], modality]
            expected = contributions[:, columns].mean(axis=0)
            order = [int(row["feature"][1:]) for row in rows]
            assert sorted(order) == list(range(len(expected)))
            found = np.array([float(row["importance"]) for row in rows])
            np.testing.assert_allclose(found, expected[order], rtol=1e-5, atol=1e-9)  # float32 gradients
            assert (np.diff(found) <= 0).all()
            stays = np.array([float(row["stability"]) for row in rows])
            # Each resample has as many most important features, but where fewer contribute anything.
            assert stays.sum() == pytest.approx(min(top, np.count_nonzero(found)), rel=0.02)


def test_again_gives_the_same_and_metrics_are_shown(joint):
    before = {path.name: path.read_bytes() for path in (joint / "analysis").rglob("*.csv")}
    cell = {"value": 0.123, "low": 0.1, "high": 0.2}
    names = ("hit_at_1", "hit_at_3", "f1_macro", "map", "log_loss", "calibration_error")
    (joint / "metrics.json").write_text(json.dumps({"test": {"recording": dict.fromkeys(names, cell)}}))
    assert analyze(joint, "--gradcam_per_label=0") == 0
    assert {path.name: path.read_bytes() for path in (joint / "analysis").rglob("*.csv")} == before
    report = (joint / "analysis" / "report.html").read_text()
    assert "0.123" in report
    config, _ = read_config(str(joint))
    given = [f" --{name}={value}" for name, value in config.flags().items()]
    assert len(given) > 1
    assert f"--run_dir={joint}{''.join(given)}\navinst evaluate --run_dir={joint} " in report


def test_two_runs_side_by_side(joint, tmp_path, capsys):
    config, dataset = read_config(str(joint))
    other = tmp_path / "apart"
    config = dataclasses.replace(config, scheme="independent", seed=1)
    open_run(str(other), config, dataset)
    build_model("independent", config, dataset).save(other / "model.keras")
    output = tmp_path / "out"
    flags = [f"--output_dir={output}", "--gradcam_per_label=0", "--trust_recordings=0"]
    assert analyze(joint, f"--compare_to={other}", *flags) == 0
    found = json.loads((output / "comparison.json").read_text())
    assert (found["this"]["scheme"], found["other"]["name"]) == ("joint", "apart")
    assert set(found["labels"]) | set(found["skipped"]) == set(dataset.labels)
    report = (output / "report.html").read_text()
    assert "Does run bind the modalities more than apart?" in report
    assert found["findings"][0] in html.unescape(report)
    assert f"--compare_to={other}" in report
    assert "run (joint)" in capsys.readouterr().out


@pytest.mark.parametrize("precision", ["float32", pytest.param("mixed_bfloat16", marks=pytest.mark.slow)])
def test_an_audio_run_is_analyzed_as_far_as_it_goes(tmp_path, capsys, precision):
    run_dir = make_run(tmp_path, "audio", precision=precision)
    assert analyze(run_dir, f"--output_dir={tmp_path / 'elsewhere'}") == 0
    with np.load(tmp_path / "elsewhere" / "features.npz") as arrays:
        assert "visual_features" not in arrays
    names = [path.name for path in (tmp_path / "elsewhere" / "gradcam").rglob("*/*/*.png")]
    assert names
    assert all(name.endswith("_spectrogram.png") for name in names)
    assert "no visual branch" in capsys.readouterr().out
    regions = tmp_path / "regions.csv"
    regions.write_text("video_id,left,top,right,bottom\ntest/000,0,0,1,1\n")
    assert analyze(run_dir, f"--regions={regions}") == 1
    assert "sees nothing; leave it away" in capsys.readouterr().err


def test_regions_another_method_and_another_label(joint, tmp_path):
    regions = tmp_path / "regions.csv"
    rows = "".join(f"test/{number:03d},0.25,0.25,0.75,0.75\n" for number in range(9))
    regions.write_text(f"video_id,left,top,right,bottom\n{rows}")
    flags = [f"--regions={regions}", "--gradcam_method=gradcam++", "--gradcam_label=drum", "--trust_recordings=0"]
    assert analyze(joint, f"--output_dir={tmp_path / 'out'}", *flags) == 0
    found = json.loads((tmp_path / "out" / "gradcam" / "regions.json").read_text())
    assert found[0]["recordings"] <= 9
    assert found[0]["uniform"] == pytest.approx(0.25)
    assert not (tmp_path / "out" / "gradcam" / "trust.json").exists()
    shown = list((tmp_path / "out" / "gradcam").rglob("*_frame.png"))
    assert shown
    assert all(path.name.endswith("_as_drum_frame.png") or path.parts[-3] == "drum" for path in shown)
    report = (tmp_path / "out" / "report.html").read_text()
    assert "The maps were not checked" in report
    for flag in flags:
        assert flag in report


def test_boxes_of_other_recordings_are_told_before_the_permutations(joint, tmp_path, capsys):
    regions = tmp_path / "regions.csv"
    regions.write_text("video_id,left,top,right,bottom\nelsewhere,0,0,1,1\n")
    capsys.readouterr()
    assert analyze(joint, f"--output_dir={tmp_path / 'out'}", f"--regions={regions}") == 1
    told = capsys.readouterr().err
    assert "has no box for any of the" in told
    assert "features of the test split" in told
    assert "permutations" not in told


def test_multi_label_and_no_validation_split(tmp_path, capsys):
    run_dir = make_run(tmp_path, recordings={"train": 3, "validation": 0, "test": 36}, multi_label=True)
    assert analyze(run_dir, "--segment_features", "--gradcam_per_label=0", "--trust_recordings=0") == 0
    segments = load_features(str(run_dir / "analysis" / "segment_features.npz"))
    assert sorted(segments.segment_index.tolist()) == [0] * 36 + [1] * 36
    summary = json.loads((run_dir / "analysis" / "correlations" / "summary.json").read_text())
    assert "one half of the test recordings" in summary["selection"]
    features = load_features(str(run_dir / "analysis" / "features.npz"))
    assert features.multi_label
    assert set(features.labels.sum(axis=1)) == {1, 2}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--run_dir=/nowhere"], "no run directory"),
        (["--data_dir=/nowhere"], "no dataset directory"),
        (["--split=elsewhere"], "split"),
        (["--regions=/nowhere.csv"], "no regions file"),
        (["--gradcam_label=tuba"], "no label is called so"),
        (["--gradcam_method=occlusion"], "gradcam_method"),
        (["--top_audio=0"], "top_audio"),
        (["--top_audio=5000"], "--top_audio=5000: expected a whole number, 1 to 200"),
        (["--top_visual=201"], "--top_visual=201: expected a whole number, 1 to 200"),
    ],
)
def test_wrong_use_is_one_line(joint, capsys, change, message):
    assert analyze(joint, *change) != 0
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error


@pytest.mark.parametrize("text", ["{", "[1, 2]", "\xff"])
def test_damaged_metrics_are_told_before_anything_is_computed(joint, tmp_path, capsys, text):
    run_dir = tmp_path / "run"
    shutil.copytree(joint, run_dir)
    (run_dir / "metrics.json").write_bytes(text.encode("latin-1"))
    assert analyze(run_dir) == 1
    error = capsys.readouterr().err.strip()
    assert "metrics.json' is damaged" in error
    assert "avinst evaluate" in error
    assert "\n" not in error


def test_another_dataset_and_an_empty_split_are_refused(joint, tmp_path, capsys):
    other = write_dataset(
        tmp_path / "other", labels=("a", "b"), recordings={"train": 0, "validation": 0, "test": 2}
    )
    assert analyze(joint, f"--data_dir={other.data_dir}") == 1
    assert "labels" in capsys.readouterr().err
    empty = write_dataset(tmp_path / "empty", recordings={"train": 3, "validation": 0, "test": 0})
    assert analyze(joint, f"--data_dir={empty.data_dir}") == 1
    assert "has no examples" in capsys.readouterr().err


def test_help_answers_at_once_and_imports_nothing_heavy():
    code = (
        "import sys; from analysis.analyze import main; main(['x', '--help']);"
        "print([m for m in ('tensorflow', 'keras', 'numpy', 'scipy', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--top_visual" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"
