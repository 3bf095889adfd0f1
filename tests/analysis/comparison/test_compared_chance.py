import dataclasses

import numpy as np
import pytest
from comparison_parts import changed, halved, one_of, pair, planted, run_of

from analysis.comparison.difference import compare
from analysis.comparison.words import comparison_sentences
from analysis.correlations.correlation import CorrelationSettings, correlate
from analysis.correlations.cross_fitting import cross_fit
from analysis.correlations.overall import overall

SETTINGS = CorrelationSettings(top_audio=4, top_visual=5, permutations=300, resamples=200)


def one_label_bound(labels):
    """Two equal runs that bind the modalities in the recordings of the first label only."""
    generator = np.random.default_rng(0)
    audio, visual = planted(generator, len(labels), 0.0)
    bears = labels[:, 0]
    audio[bears], visual[bears] = planted(generator, int(bears.sum()), 0.95)
    run = run_of(audio, visual, labels)
    return run, dataclasses.replace(run, name="copy")


@pytest.mark.parametrize("shares", [False, True])
def test_single_labels_are_corrected_for(shares):
    labels = one_of(120, 3)
    if shares:
        labels[1, 2] = labels[2, 1] = True
    runs = one_label_bound(labels)
    # With 79 permutations p is 1/80 at least: at most 0.025, but not after correction over 3 labels.
    for permutations, beyond in ((79, False), (300, True)):
        found = compare(*runs, dataclasses.replace(SETTINGS, permutations=permutations))
        assert found.labels[0].p_values == (1 / (permutations + 1),) * 2
        assert min(found.labels[1].p_values + found.labels[2].p_values) > 0.1
        assert [one.beyond_chance for one in found.labels] == [(beyond, beyond), (False, False), (False, False)]
        if shares:
            assert found.overall.beyond_chance == (beyond, beyond)


def test_one_label_that_is_measured_shares_recordings_with_none():
    labels = one_of(60, 2)
    labels[1::6, 0] = True
    runs = one_label_bound(labels)
    visual = runs[1].parts[0].recordings.visual.copy()
    visual[labels[:, 1]] = 1.0
    dead = changed(runs[1], recordings=dataclasses.replace(runs[1].parts[0].recordings, visual=visual))
    found = compare(runs[0], dead, SETTINGS)
    assert [one.measured for one in found.labels] == [True, False]
    assert found.overall.chance == found.labels[0].chance
    assert found.overall.p_values == found.labels[0].p_values
    assert "share recordings" not in comparison_sentences(found)[0]


def test_the_mean_over_labels_is_beyond_chance_by_its_p_value():
    # 38 permutations give no p-value of 0.025, 39 do.
    for permutations, beyond in ((38, False), (39, True)):
        found = compare(*pair((0.9, 0.0)), dataclasses.replace(SETTINGS, permutations=permutations))
        assert found.overall.p_values[0] == 1 / (permutations + 1)
        assert found.overall.blocks["across"].this > found.overall.chance[0].high
        assert found.overall.beyond_chance == (beyond, False)


@pytest.mark.parametrize("cross_fitted", [False, True])
def test_chance_is_that_of_each_runs_own_study(cross_fitted):
    """The same permutations, as many, and others in each half."""
    settings = dataclasses.replace(SETTINGS, permutations=1200)
    runs = [halved(run) if cross_fitted else run for run in pair((0.6, 0.1), number=72)]
    found = compare(*runs, settings)
    for side, run in enumerate(runs):
        parts, chosen_by = zip(*((part.recordings, part.chosen_by) for part in run.parts), strict=True)
        if cross_fitted:
            study, _ = cross_fit(parts, chosen_by, settings)
        else:
            study, _ = correlate(parts[0], chosen_by[0], settings)
        for one in found.labels:
            own = study[one.label]
            assert one.chance[side][1:] == pytest.approx(own.null.band, abs=1e-12)
            assert one.p_values[side] == own.block_p_value
        means = overall(study, multi_label=False)
        assert found.overall.p_values[side] == means.p_value
        assert found.overall.beyond_chance[side] == means.across_beyond_chance


def test_a_half_that_is_dead_in_one_run_is_left_out_of_both_runs_chance():
    this, other = (halved(run) for run in pair((0.9, 0.0), number=60))
    first, second = other.parts
    dead = dataclasses.replace(first.recordings, visual=np.ones_like(first.recordings.visual))
    one_dead = dataclasses.replace(other, parts=(dataclasses.replace(first, recordings=dead), second))
    found, whole = compare(this, one_dead, SETTINGS), compare(this, other, SETTINGS)
    own, _ = correlate(this.parts[1].recordings, this.parts[1].chosen_by, SETTINGS, part=1)
    for label, both in zip(found.labels, whole.labels, strict=True):
        assert label.chance[0].value == pytest.approx(own[label.label].null.mean_absolute.mean())
        assert label.blocks["across"].this == pytest.approx(own[label.label].across.value)
        assert label.chance[0].value != pytest.approx(both.chance[0].value)
