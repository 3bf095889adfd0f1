"""Importance and correlations of a whole `avinst analyze`, computed again from its files in NumPy and SciPy."""

import csv
import json

import numpy as np
import pytest
from dataset_factory import write_dataset
from scipy import stats

from analysis.analyze import main
from analysis.extraction import segment_features
from avinst.errors import UserError
from trainer.config import TrainConfig
from trainer.inputs.pipeline import keyed_examples
from trainer.models import build_model
from trainer.run import load_run, open_run

TOP = {"audio": 3, "visual": 4}
PERMUTATIONS, LEVEL = 1000, 0.05


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    """A run with random weights whose biases are such that every label is predicted."""
    folder = tmp_path_factory.mktemp("run")
    dataset = write_dataset(folder / "data", recordings={"train": 2, "validation": 36, "test": 42})
    config = TrainConfig(scheme="joint", audio_backbone="small_cnn", visual_backbone="small_cnn")
    open_run(str(folder / "run"), config, dataset)
    model = build_model("joint", config, dataset)
    found = segment_features(model, keyed_examples(dataset, "test", 32), dataset.labels, multi_label=False)
    kernel, bias = model.get_layer("logits").get_weights()
    model.get_layer("logits").set_weights([kernel, bias - found.logits.mean(axis=0)])
    model.save(folder / "run" / "model.keras")
    return folder / "run"


@pytest.fixture(scope="module", params=["validation", "cross_fit"])
def analyzed(request, run_dir, tmp_path_factory):
    output = tmp_path_factory.mktemp("analysis")
    flags = ["--gradcam_per_label=0", "--trust_recordings=0", f"--permutations={PERMUTATIONS}"]
    flags += [f"--top_audio={TOP['audio']}", f"--top_visual={TOP['visual']}"]
    flags += [f"--run_dir={run_dir}", f"--output_dir={output}", f"--selection_split={request.param}"]
    assert main(["analyze", *flags]) == 0
    return output


@pytest.fixture(scope="module")
def kernel(run_dir):
    """Modality to the head's weights, float [features, labels]."""
    weights = load_run(str(run_dir)).model.get_layer("logits").get_weights()[0]
    return {"audio": weights[:1024], "visual": weights[1024:]}


def arrays_of(path):
    with np.load(path) as arrays:
        return dict(arrays)


def rows_of(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def importance_by_hand(arrays, kernel):
    """Modality to L [labels, features]: the mean over the recordings predicted as a label of max(w x, 0)."""
    predicted = arrays["probabilities"].argmax(axis=1)
    return {
        name: np.stack(
            [
                np.maximum(arrays[f"{name}_features"][predicted == c].astype(np.float64) * weights[:, c], 0).mean(
                    0
                )
                for c in range(weights.shape[1])
            ]
        )
        for name, weights in kernel.items()
    }


def parts_of(output):
    """Pairs of recordings: to choose features on, and to correlate over."""
    features = arrays_of(output / "features.npz")
    ids = json.loads((output / "correlations" / "summary.json").read_text())["halves"]
    if not ids:
        return [(arrays_of(output / "selection_features.npz"), features)]
    columns = {name: values for name, values in features.items() if values.shape[:1] == features["video_id"].shape}
    first, second = (
        {name: values[np.isin(features["video_id"], half)] for name, values in columns.items()} for half in ids
    )
    return [(second, first), (first, second)]


def test_the_manifests_groups_stay_in_one_half(run_dir, tmp_path, monkeypatch):
    rows = "".join(f"test/{n:03d}.mp4,flute,performer {n // 5}\n" for n in range(42))
    (tmp_path / "manifest.csv").write_text(f"video_path,label,group\n{rows}")
    given = {}

    def spy(*arguments):
        given["groups"] = arguments[-1]
        raise UserError("seen")

    monkeypatch.setattr("analysis.analyzing.study_model", spy)
    flags = [f"--media_root={tmp_path}", f"--manifest={tmp_path / 'manifest.csv'}"]
    assert main(["analyze", f"--run_dir={run_dir}", f"--output_dir={tmp_path / 'out'}", *flags]) == 1
    assert given["groups"] == {f"test/{n:03d}": f"performer {n // 5}" for n in range(42)}


def test_importance(analyzed, kernel):
    features = arrays_of(analyzed / "features.npz")
    expected = importance_by_hand(features, kernel)
    labels = features["label_names"].tolist()
    rows = rows_of(analyzed / "importance.csv")
    assert len(rows) == 3 * (1024 + 2048)
    for name, values in expected.items():
        for c, label in enumerate(labels):
            found = [row for row in rows if (row["label"], row["modality"]) == (label, name)]
            indices = [int(row["feature"][1:]) for row in found]
            # Eight digits are written; gradients are float32, the products here float64.
            np.testing.assert_allclose([float(row["importance"]) for row in found], values[c][indices], rtol=1e-5)
            assert [int(row["rank"]) for row in found] == list(range(1, len(found) + 1))
            assert np.all(np.diff(values[c][indices]) <= 1e-6)


def test_the_importance_that_chose(analyzed, kernel):
    rows = rows_of(analyzed / "selection_importance.csv")
    parts = parts_of(analyzed)
    labels = arrays_of(analyzed / "features.npz")["label_names"].tolist()
    for half, (chosen_on, _) in zip(("2", "1") if len(parts) == 2 else ("",), parts, strict=True):
        for c, label in enumerate(labels):
            for name, values in importance_by_hand(chosen_on, kernel).items():
                found = [
                    row for row in rows if (row["half"], row["label"], row["modality"]) == (half, label, name)
                ]
                indices = [int(row["feature"][1:]) for row in found]
                assert sorted(indices) == list(range(values.shape[1]))
                assert [int(row["rank"]) for row in found] == list(range(1, len(found) + 1))
                given = [float(row["importance"]) for row in found]
                np.testing.assert_allclose(given, values[c][indices], rtol=1e-5, atol=1e-9)  # float32 features


def measured_by_hand(analyzed, kernel, c, label):
    """Pair of names to the list of (rho, p) in the parts that it was chosen in; p across modalities only."""
    generator = np.random.default_rng(123)
    found = {}
    for chosen_on, correlated in parts_of(analyzed):
        importance = importance_by_hand(chosen_on, kernel)
        rows = correlated["label"] == label
        columns = {}
        for name, number in TOP.items():
            for index in np.argsort(-importance[name][c])[:number]:
                columns[f"{name[0]}{index:04d}"] = correlated[f"{name}_features"][rows, index]
        orders = np.array([generator.permutation(rows.sum()) for _ in range(PERMUTATIONS)])
        for first, x in columns.items():
            for second, y in columns.items():
                rho = stats.spearmanr(x, y).statistic
                p_value = np.nan
                if first[0] == "a" and second[0] == "v":
                    ranks_x, ranks_y = (stats.zscore(stats.rankdata(column)) for column in (x, y))
                    shuffled = np.abs(ranks_y[orders] @ ranks_x) / len(x)
                    p_value = (1 + np.sum(shuffled >= abs(rho) - 1e-9)) / (1 + PERMUTATIONS)
                found.setdefault((first, second), []).append((rho, p_value))
    return found


def test_correlations(analyzed, kernel):
    labels = arrays_of(analyzed / "features.npz")["label_names"].tolist()
    pairs = rows_of(analyzed / "pairs.csv")
    summary = json.loads((analyzed / "correlations" / "summary.json").read_text())["labels"]
    for c, label in enumerate(labels):
        expected = measured_by_hand(analyzed, kernel, c, label)
        with (analyzed / "correlations" / f"{label}.csv").open() as file:
            (_, *names), *rows = csv.reader(file)
        assert set(names) == {name for pair in expected for name in pair}
        for name, *row in rows:
            for other, cell in zip(names, row, strict=True):
                if (name, other) in expected:
                    mean = np.mean([rho for rho, _ in expected[name, other]])
                    assert float(cell) == pytest.approx(mean, abs=1e-6)  # six digits are written
                else:
                    assert cell == ""  # chosen on different halves
        of_label = [row for row in pairs if row["label"] == label]
        assert {(row["audio"], row["visual"]) for row in of_label} == {
            pair for pair in expected if pair[0][0] == "a" and pair[1][0] == "v"
        }
        p_values = []
        for row in of_label:
            tested = [p for _, p in expected[row["audio"], row["visual"]]]
            p_value = min(1.0, len(tested) * min(tested))
            # Two shares of 1000 permutations each, times the number of halves: five standard errors.
            error = len(tested) * np.sqrt(2 * min(tested) * (1 - min(tested)) / PERMUTATIONS)
            assert float(row["p"]) == pytest.approx(p_value, abs=5 * error + 0.002)
            p_values.append(float(row["p"]))
        # Benjamini and Hochberg by hand: q of the i-th least is the least p m / j of those from it on.
        assert p_values == sorted(p_values)
        m = len(p_values)
        q_values = [min([1.0, *(p_values[j] * m / (j + 1) for j in range(i, m))]) for i in range(m)]
        np.testing.assert_allclose([float(row["q"]) for row in of_label], q_values, rtol=1e-4)  # six digits
        significant = [int(q <= LEVEL) for q in q_values]
        assert [int(row["significant"]) for row in of_label] == significant
        assert summary[label]["significant_pairs"] == sum(significant)
