import dataclasses
import json

import numpy as np
import pytest
from comparison_parts import changed, halved, one_of, pair, planted, run_of
from scipy import stats

from analysis.comparison.difference import compare
from analysis.comparison.figures import comparison_figure
from analysis.comparison.paired_resamples import draw_recordings
from analysis.comparison.tables import comparison_json, comparison_markdown
from analysis.comparison.words import comparison_sentences, difference_verdict, signed
from analysis.correlations.correlation import CorrelationSettings

SETTINGS = CorrelationSettings(top_audio=4, top_visual=5, permutations=300, resamples=200)


def test_values_are_those_of_scipy_over_each_runs_own_features():
    this, other = pair((0.8, 0.1), number=24, labels=2)
    settings = dataclasses.replace(SETTINGS, top_audio=2, top_visual=3)
    found = compare(this, other, settings)
    rows = this.parts[0].recordings.labels[:, 1]
    means = []
    for run in (this, other):
        values = np.hstack([run.parts[0].recordings.audio[:, :2], run.parts[0].recordings.visual[:, :3]])[rows]
        rho = np.abs(stats.spearmanr(values).statistic)
        means.append([rho[0, 1], rho[2:, 2:][np.triu_indices(3, 1)].mean(), rho[:2, 2:].mean()])
    label = found.labels[1]
    assert (label.label, label.recordings) == ("label1", 12)
    for column, block in enumerate(("audio", "visual", "across")):
        contrast = label.blocks[block]
        assert contrast.this == pytest.approx(means[0][column])
        assert contrast.other == pytest.approx(means[1][column])
        assert contrast.difference.value == pytest.approx(means[0][column] - means[1][column])
    across = [one.blocks["across"].difference.value for one in found.labels]
    assert found.overall.blocks["across"].difference.value == pytest.approx(np.mean(across))
    assert found.overall.recordings == 24


def test_the_runs_own_importance_chooses():
    this, other = pair((0.8, 0.1), number=24, labels=2)
    values = {name: np.roll(value, 1, axis=1) for name, value in other.parts[0].chosen_by.values.items()}
    rolled = changed(other, chosen_by=dataclasses.replace(other.parts[0].chosen_by, values=values))
    settings = dataclasses.replace(SETTINGS, top_audio=2, top_visual=2)
    before, after = compare(this, other, settings), compare(this, rolled, settings)
    assert before.labels[0].blocks["across"].this == after.labels[0].blocks["across"].this
    rows = other.parts[0].recordings.labels[:, 0]
    columns = [other.parts[0].recordings.audio[rows][:, [1, 2]], other.parts[0].recordings.visual[rows][:, [1, 2]]]
    expected = np.abs(stats.spearmanr(np.hstack(columns)).statistic)[:2, 2:].mean()
    assert after.labels[0].blocks["across"].other == pytest.approx(expected)


def test_a_bound_run_and_one_that_is_not_are_told_apart():
    this, other = pair((0.9, 0.0))
    found = compare(this, other, SETTINGS)
    assert found.overall.blocks["across"].difference.low > 0.1
    assert difference_verdict(found.overall) == "more"
    assert found.overall.excess[0] > 0.2
    assert abs(found.overall.excess[1]) < 0.05  # chance's band of three labels of 40 recordings is as wide
    # 40 unrelated recordings: E|rho| is sqrt(2 / (39 pi)).
    assert found.overall.chance[0].value == pytest.approx(np.sqrt(2 / (39 * np.pi)), abs=0.01)
    sentences = comparison_sentences(found)
    assert sentences[0].startswith(
        "bound (joint) binds the modalities more than apart (independent): difference +"
    )
    back = compare(other, this, SETTINGS)
    assert difference_verdict(back.overall) == "less"
    assert back.overall.blocks["across"].difference.value == pytest.approx(
        -found.overall.blocks["across"].difference.value
    )


def test_two_runs_without_anything_shared_are_not_told_apart():
    found = compare(*pair((0.0, 0.0), seed=3), SETTINGS)
    assert difference_verdict(found.overall) == "equal"
    first = comparison_sentences(found)[0]
    assert "binds the modalities not measurably differently from" in first
    assert first.endswith("Neither is beyond chance.")


def test_equal_runs_differ_by_exactly_nothing():
    this, _ = pair((0.5, 0.5))
    found = compare(this, dataclasses.replace(this, name="copy"), SETTINGS)
    for one in (*found.labels, found.overall):
        for contrast in one.blocks.values():
            assert tuple(contrast.difference) == (0.0, 0.0, 0.0)
        assert one.chance[0] == one.chance[1]


def test_what_differs_below_chance_is_not_called_bound():
    found = compare(*pair((0.9, 0.0)), SETTINGS)
    overall = dataclasses.replace(found.overall, beyond_chance=(False, False))
    assert difference_verdict(overall) == "chance"
    text = comparison_sentences(dataclasses.replace(found, overall=overall))[0]
    assert "neither binds the modalities more than chance does" in text
    assert text.endswith("Neither is beyond chance.")


@pytest.mark.parametrize("larger", [0, 1])
def test_only_the_smaller_value_beyond_chance_is_said_to_be_so(larger):
    """The run with the smaller value may have the narrower band."""
    found = compare(*pair(((0.9, 0.0), (0.0, 0.9))[larger]), SETTINGS)
    titles = ("bound (joint)", "apart (independent)")
    overall = dataclasses.replace(found.overall, beyond_chance=(larger == 1, larger == 0))
    assert difference_verdict(overall) == "contrary"
    text = comparison_sentences(dataclasses.replace(found, overall=overall))[0]
    assert text.startswith(
        f"{titles[larger]} has the larger value but is not beyond chance itself, while {titles[1 - larger]} is: "
    )
    assert "either" not in text
    label = dataclasses.replace(found.labels[0], beyond_chance=overall.beyond_chance)
    single = comparison_sentences(dataclasses.replace(found, labels=(label,)))[1]
    assert "though the larger value is not beyond chance after correction over the labels, for label0" in single


def test_only_the_smaller_value_of_runs_that_share_labels_is_no_contradiction():
    runs, _ = sharing_labels(0.9, 0.0)
    found = compare(*runs, SETTINGS)
    overall = dataclasses.replace(found.overall, beyond_chance=(False, True))
    text = comparison_sentences(dataclasses.replace(found, overall=overall))[0]
    assert "either" not in text
    assert text.endswith("some are beyond chance in 0.0 (joint) after correction over the labels.")


def test_every_label_whose_interval_leaves_0_out_is_told():
    found = compare(*pair((0.9, 0.0)), SETTINGS)
    within_chance = dataclasses.replace(found.labels[0], beyond_chance=(False, False))
    across = found.labels[1].blocks["across"]
    same = {"across": dataclasses.replace(across, difference=across.difference._replace(low=-0.1))}
    equal = dataclasses.replace(found.labels[1], blocks={**found.labels[1].blocks, **same})
    nothing = dataclasses.replace(across, difference=across.difference._replace(low=np.nan))
    unknown = dataclasses.replace(equal, blocks={**equal.blocks, "across": nothing})
    labels = (within_chance, equal, found.labels[2], unknown)
    texts = [f"{one.label} {signed(one.blocks['across'].difference)}" for one in labels]
    assert comparison_sentences(dataclasses.replace(found, labels=labels))[1] == (
        "For 2 of 3 labels the interval of the difference leaves 0 out (one in twenty does by chance): bound "
        f"(joint) binds more for {texts[2]}; though the larger value is not beyond chance after correction over "
        f"the labels, for {texts[0]}."
    )
    assert comparison_sentences(dataclasses.replace(found, labels=(within_chance, equal)))[1] == (
        "For 1 of 2 labels the interval of the difference leaves 0 out (one in twenty does by chance): though the "
        f"larger value is not beyond chance after correction over the labels, for {texts[0]}."
    )
    assert comparison_sentences(dataclasses.replace(found, labels=(equal, unknown)))[1] == (
        "For no single label does the interval of the difference leave 0 out."
    )


def test_labels_that_one_run_never_predicts_are_named():
    this, other = pair((0.5, 0.0), number=24)
    count = {"label0": 3, "label1": 0, "label2": 3}
    other = changed(other, chosen_by=dataclasses.replace(other.parts[0].chosen_by, count=count))
    found = compare(this, other, SETTINGS)
    assert [one.label for one in found.labels] == ["label0", "label2"]
    assert "by apart (independent)" in found.skipped["label1"]
    none = changed(other, chosen_by=dataclasses.replace(other.parts[0].chosen_by, count=dict.fromkeys(count, 0)))
    nothing = compare(this, none, SETTINGS)
    assert nothing.overall is None
    assert "for no label could" in comparison_sentences(nothing)[0]
    assert comparison_json(nothing)["overall"] is None
    few = compare(*pair((0.5, 0.0), number=12), SETTINGS)
    assert few.skipped == dict.fromkeys(("label0", "label1", "label2"), "4 recordings; at least 5 are needed")


def test_dead_and_missing_features_make_no_difference_that_is_not_there():
    this, other = pair((0.5, 0.0), number=30)
    dead = dataclasses.replace(other.parts[0].recordings, visual=np.zeros_like(other.parts[0].recordings.visual))
    found = compare(this, changed(other, recordings=dead), SETTINGS)
    assert np.isnan(found.overall.blocks["across"].difference.value)
    assert np.isfinite(found.overall.blocks["audio"].difference.low)
    values = {name: value * (name == "audio") for name, value in other.parts[0].chosen_by.values.items()}
    without = changed(other, chosen_by=dataclasses.replace(other.parts[0].chosen_by, values=values))
    unchosen = compare(this, without, SETTINGS)
    for one in (found, unchosen):
        assert "could not be measured" in comparison_sentences(one)[0]
        json.dumps(comparison_json(one), allow_nan=False)
        assert "nan" not in comparison_markdown(one)
        comparison_figure(one)


def test_other_recordings_are_refused():
    this, other = pair((0.5, 0.0), number=24)
    order = np.arange(24)[::-1]
    with pytest.raises(ValueError, match="same recordings"):
        compare(this, changed(other, recordings=other.parts[0].recordings.rows(order)), SETTINGS)


def sharing_labels(*shared):
    """Runs of recordings of which some bear two labels."""
    generator = np.random.default_rng(5)
    labels = one_of(90, 3)
    labels[::4, 0] = True
    return [run_of(*planted(generator, 90, value), labels, str(value)) for value in shared], labels


def test_recordings_that_share_labels_are_compared():
    runs, labels = sharing_labels(0.9, 0.0)
    found = compare(*runs, SETTINGS)
    assert found.overall.blocks["across"].difference.low > 0
    assert found.labels[0].recordings == labels[:, 0].sum()
    # Bands over labels that share recordings would be too narrow: the labels' own p-values decide.
    for side in range(2):
        expected = np.mean([one.chance[side].value for one in found.labels])
        assert found.overall.chance[side].value == pytest.approx(expected)
        assert np.isnan(found.overall.chance[side][1:]).all()
    assert found.labels[0].p_values[0] == pytest.approx(1 / 301)
    assert found.overall.beyond_chance == (True, False)
    assert difference_verdict(found.overall) == "more"
    shared = "Labels share recordings, so that the mean has no band of chance; label by label, "
    first = comparison_sentences(found)[0]
    assert first.endswith(f"{shared}some are beyond chance in 0.9 (joint) after correction over the labels.")
    assert (
        json.loads(json.dumps(comparison_json(found), allow_nan=False))["overall"]["chance"]["this"]["low"] is None
    )
    assert comparison_figure(found).axes


def test_labels_that_share_recordings_are_corrected_for():
    runs, _ = sharing_labels(0.0, 0.0)
    found = compare(*runs, SETTINGS)
    assert found.overall.beyond_chance == (False, False)
    assert comparison_sentences(found)[0].endswith(
        "none is beyond chance in either run after correction over the labels."
    )


def test_json_and_table_hold_the_figures():
    found = compare(*pair((0.9, 0.0), number=60), SETTINGS)
    values = json.loads(json.dumps(comparison_json(found), allow_nan=False))
    across = values["overall"]["audio_visual"]
    assert across["difference"]["value"] == pytest.approx(across["this"] - across["other"], abs=2e-6)
    assert values["overall"]["above_chance"]["this"] == pytest.approx(
        across["this"] - values["overall"]["chance"]["this"]["value"], abs=2e-6
    )
    assert set(values["labels"]) == {"label0", "label1", "label2"}
    assert values["findings"][0] == comparison_sentences(found)[0]
    lines = comparison_markdown(found).splitlines()
    assert len(lines) == 2 + 3 + 1
    assert len({line.count("|") for line in lines}) == 1
    assert lines[-1].startswith("| mean over labels | 60 | ")


def test_the_figure_shows_both_runs_and_the_difference():
    found = compare(*pair((0.9, 0.0), number=60), SETTINGS)
    values, differences = comparison_figure(found).axes
    drawn = [line for line in values.lines if len(line.get_xdata()) == 1]
    expected = [value for one in (*found.labels, found.overall) for value in side_by_side(one)]
    assert [float(line.get_xdata()[0]) for line in drawn] == pytest.approx(expected)
    ends = [line.get_xdata() for line in differences.lines if list(line.get_ydata()) == [3, 3]]
    interval = found.overall.blocks["across"].difference
    np.testing.assert_allclose(ends[0], [interval.low, interval.high])


def side_by_side(one):
    return one.blocks["across"].this, one.blocks["across"].other


def test_halves_that_choose_for_each_other_are_averaged():
    runs = [halved(run) for run in pair((0.9, 0.0), number=60)]
    apart = [[dataclasses.replace(run, parts=(part,)) for part in run.parts] for run in runs]
    found = compare(*runs, SETTINGS)
    by_half = [compare(mine, its, SETTINGS) for mine, its in zip(*apart, strict=True)]
    for number, label in enumerate(found.labels):
        of_halves = [one.labels[number] for one in by_half]
        assert label.recordings == sum(half.recordings for half in of_halves) == 20
        for block, contrast in label.blocks.items():
            assert contrast.this == pytest.approx(np.mean([half.blocks[block].this for half in of_halves]))
            values = [half.blocks[block].difference.value for half in of_halves]
            assert contrast.difference.value == pytest.approx(np.mean(values))
        # Alone the second half has the first one's permutations: over 300 of them the mean differs by about 0.002.
        values = [half.chance[1].value for half in of_halves]
        assert label.chance[1].value == pytest.approx(np.mean(values), abs=0.01)
    few = dataclasses.replace(runs[0].parts[1], recordings=runs[0].parts[1].recordings.rows(np.arange(12)))
    short = [dataclasses.replace(run, parts=(run.parts[0], few)) for run in runs]
    # A half with too few recordings is left out, the label is not.
    assert [label.recordings for label in compare(*short, SETTINGS).labels] == [10, 10, 10]


def test_intervals_are_of_the_differences_over_the_same_recordings():
    this, other = pair((0.9, 0.2), number=36)
    settings = dataclasses.replace(SETTINGS, resamples=40)
    found = compare(this, other, settings)
    labels = this.parts[0].recordings.labels
    drawn = draw_recordings(labels, 40, np.random.default_rng([0, 0]))
    differences = np.zeros((3, 40))
    for index, label in enumerate(found.labels):
        for number, resample in enumerate(drawn):
            rows = resample[labels[resample, index]]
            means = []
            for run in (this, other):
                values = np.hstack([run.parts[0].recordings.audio, run.parts[0].recordings.visual])[rows]
                means.append(np.abs(stats.spearmanr(values).statistic)[:4, 4:].mean())
            differences[index, number] = means[0] - means[1]
        assert_interval(label.blocks["across"].difference, differences[index])
    assert_interval(found.overall.blocks["across"].difference, differences.mean(axis=0))


def assert_interval(difference, resampled):
    low, high = np.quantile(resampled - resampled.mean(), [0.025, 0.975])
    assert (difference.low, difference.high) == pytest.approx((difference.value + low, difference.value + high))


def test_a_label_that_is_dead_in_one_run_is_left_out_of_the_mean_of_both():
    this, other = pair((0.9, 0.0), number=60)
    visual = other.parts[0].recordings.visual.copy()
    visual[other.parts[0].recordings.labels[:, 0]] = 1.0
    dead = dataclasses.replace(other.parts[0].recordings, visual=visual)
    found = compare(this, changed(other, recordings=dead), SETTINGS)
    across = [label.blocks["across"] for label in found.labels]
    assert np.isnan(across[0].other)
    mean = found.overall.blocks["across"]
    assert mean.this == pytest.approx((across[1].this + across[2].this) / 2)
    assert mean.difference.value == pytest.approx(mean.this - mean.other)
    # Chance is the mean of the same labels, in the run too in which the label is alive.
    for side in range(2):
        assert np.isnan(found.labels[0].chance[side]).all()
        expected = np.mean([label.chance[side].value for label in found.labels[1:]])
        assert found.overall.chance[side].value == pytest.approx(expected)
    assert "averaged over 2 labels; " in comparison_sentences(found)[0]


def test_every_label_of_every_part_advances_the_progress():
    runs = [halved(run) for run in pair((0.5, 0.0), number=24)]  # halves of 12: of 4 recordings a label, too few
    calls = []
    compare(*runs, dataclasses.replace(SETTINGS, permutations=1), lambda: calls.append(1))
    assert len(calls) == 2 * 3
