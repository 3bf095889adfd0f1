import csv
import dataclasses
import json

import numpy as np
import pytest
from comparison_parts import one_of, planted, run_of

from analysis.artifacts import write_files, write_report
from analysis.comparison.difference import compare
from analysis.correlations.correlation import CorrelationSettings
from analysis.feature_files import load_features
from analysis.pictures import draw_pictures, file_name


@pytest.fixture(scope="module")
def output(toy_study, toy_pictures, tmp_path_factory):
    folder = tmp_path_factory.mktemp("analysis")
    write_files(toy_study, toy_pictures, str(folder))
    return folder


def test_every_file_of_the_design_is_there(output, toy_study):
    names = {str(path.relative_to(output)) for path in output.rglob("*") if path.is_file()}
    assert {"features.npz", "importance.csv", "correlations/summary.json", "correlations/overview.png"} <= names
    assert {"alignment.json", "alignment.png"} <= names
    of_maps = {"maps.npz", "dead_maps.json", "bands.csv", "trust.json", "bands.png", "faithfulness.png"}
    assert {f"gradcam/{name}" for name in of_maps} <= names
    for label in toy_study.correlations:
        name = file_name(label)
        assert {f"correlations/{name}.csv", f"correlations/{name}.png"} <= names
    for label in toy_study.features.label_names:
        folder = output / "gradcam" / file_name(label)
        # Two recordings, each with a frame and a spectrogram for each of the labels that are explained.
        doubted = sorted(folder.glob("least_certain/*.png"))
        assert {path.name[:2] for path in doubted} == {"00", "01"}
        explained = [e for e in toy_study.exhibits if e.choice.label_index == names_of(toy_study).index(label)]
        assert (folder / "mean.png").exists()
        assert len(list(folder.rglob("*/*.png"))) == 2 * sum(len(e.explained) for e in explained)


def names_of(study):
    return study.features.label_names


def test_matrix_can_be_recomputed_from_the_files(output, toy_study):
    from scipy import stats

    features = load_features(str(output / "features.npz"))
    for label in toy_study.correlations:
        rows = list(csv.reader((output / "correlations" / f"{file_name(label)}.csv").open()))
        names = rows[0][1:]
        values = {"a": features.audio, "v": features.visual}
        selected = features.labels[:, features.label_names.index(label)]
        columns = np.stack([values[name[0]][selected, int(name[1:])] for name in names], axis=1)
        found = np.array([[float(cell or "nan") for cell in row[1:]] for row in rows[1:]])
        alive = np.ptp(columns, axis=0) > 0
        expected = stats.spearmanr(columns[:, alive]).statistic
        np.testing.assert_allclose(found[np.ix_(alive, alive)], expected, atol=1e-6)  # six decimals are written


def test_chosen_features_are_the_first_of_the_selection_split(output, toy_study):
    selection = load_features(str(output / "selection_features.npz"))
    np.testing.assert_array_equal(selection.audio, toy_study.selection.audio)
    rows = list(csv.DictReader((output / "selection_importance.csv").open()))
    assert {row["half"] for row in rows} == {""}
    for label, result in toy_study.correlations.items():
        for modality, number in (("audio", 3), ("visual", 4)):
            first = [row for row in rows if (row["label"], row["modality"]) == (label, modality)][:number]
            assert [row["rank"] for row in first] == [str(rank) for rank in range(1, number + 1)]
            chosen = {name for name in result.names if name[0] == modality[0]}
            assert chosen <= {row["feature"] for row in first}
            assert {row["feature"] for row in first if float(row["importance"]) > 0} == chosen


def test_summary_holds_figures_and_reasons(output, toy_study):
    summary = json.loads((output / "correlations" / "summary.json").read_text())
    assert set(summary["labels"]) | set(summary["skipped"]) == set(toy_study.features.label_names)
    assert summary["split"] == "test"
    for label, values in summary["labels"].items():
        result = toy_study.correlations[label]
        assert values["recordings"] == 10
        assert values["audio_visual"]["value"] == pytest.approx(result.across.value, abs=1e-6)
        low, mean, high = (values["null"][name] for name in ("low", "mean", "high"))
        assert low < mean < high
        assert values["null"]["q_value"] >= values["null"]["p_value"] > 0


def test_overviews_without_anything_in_them_are_left_out(toy_study, toy_pictures):
    tags = {"correlation/overview", "importance/modality_share"}
    assert tags <= {picture.tag for picture in toy_pictures}
    nothing = dataclasses.replace(
        toy_study,
        correlations={},
        importance=dataclasses.replace(
            toy_study.importance, count=dict.fromkeys(toy_study.importance.label_names, 0)
        ),
        alignment=(),
        exhibits=(),
        evidence=dataclasses.replace(toy_study.evidence, means=(), regions=(), trust=None),
    )
    assert draw_pictures(nothing) == []


def test_an_earlier_analysis_is_replaced_and_other_folders_are_not_touched(toy_study, toy_pictures, tmp_path):
    (tmp_path / "gradcam").mkdir()
    foreign = tmp_path / "gradcam" / "mine.txt"
    foreign.write_text("not an analysis")
    write_files(toy_study, toy_pictures, str(tmp_path))
    assert foreign.exists()
    write_report("the analysis is whole", str(tmp_path))
    write_files(toy_study, toy_pictures, str(tmp_path))
    assert not foreign.exists()


@pytest.mark.parametrize("whole", [True, False])
def test_a_killed_analysis_leaves_no_report_and_the_next_one_none_of_its_files(
    toy_study, toy_pictures, tmp_path, monkeypatch, whole
):
    """Killed while an analysis is written where none was, or over a whole one."""
    if whole:
        write_files(toy_study, toy_pictures[:1], str(tmp_path))
        write_report("of the earlier analysis", str(tmp_path))
        assert not list(tmp_path.glob(".*"))

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("analysis.artifacts.write_evidence", killed)
        with pytest.raises(KeyboardInterrupt):
            write_files(toy_study, toy_pictures, str(tmp_path))
    assert not (tmp_path / "report.html").exists()
    left = tmp_path / "correlations" / "left.csv"
    left.write_text("of the killed analysis")
    write_files(toy_study, toy_pictures, str(tmp_path))
    write_report("whole", str(tmp_path))
    assert not left.exists()
    assert not list(tmp_path.glob(".*"))


def test_a_comparison_is_written_and_that_of_an_earlier_analysis_taken_away(toy_study, tmp_path):
    labels = one_of(24, 3)
    generator = np.random.default_rng(0)
    runs = [run_of(*planted(generator, 24, 0.5), labels, name) for name in ("this", "other")]
    found = compare(*runs, CorrelationSettings(permutations=50, resamples=20))
    compared = dataclasses.replace(toy_study, comparison=found)
    write_files(compared, [], str(tmp_path))
    assert json.loads((tmp_path / "comparison.json").read_text())["other"]["name"] == "other"
    write_files(toy_study, [], str(tmp_path))
    assert not (tmp_path / "comparison.json").exists()


@pytest.mark.parametrize(
    ("text", "safe"),
    [("flute", True), ("Ñandú_2-x.y", True), ("a/b", False), ("..", False), ("-x", False), ("x" * 300, False)],
)
def test_file_names_are_safe_and_never_meet(text, safe):
    name = file_name(text)
    assert (name == text) == safe
    assert "/" not in name
    assert not name.startswith((".", "-"))
    assert len(name) < 100
    assert file_name("a/b") != file_name("a b")
