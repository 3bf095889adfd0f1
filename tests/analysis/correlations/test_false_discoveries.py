"""What the analysis promises of its findings, over 200 draws: it finds what is planted, and little else.

Each draw is a label of one dataset: the recordings of a label are drawn anew, with means of their own in both
modalities, so that correlating or shuffling across labels would relate everything.
"""

import numpy as np
import pytest
from correlation_data import features_of
from scipy import stats

from analysis.correlations.correlation import CorrelationSettings, correlate
from analysis.correlations.cross_fitting import cross_fit, halves
from analysis.correlations.label_correlation import block_q_values
from analysis.importance import Importance

DRAWS, RECORDINGS, AUDIO, VISUAL, PLANTED = 200, 60, 10, 14, 3
SETTINGS = CorrelationSettings(top_audio=4, top_visual=6, permutations=999, resamples=1)
NAMES = tuple(f"draw{number:03d}" for number in range(DRAWS))
PAIRS = {(f"a{number:04d}", f"v{number:04d}") for number in range(PLANTED)}


def drawn(seed, planted):
    """Features as a ReLU leaves them: of a modality they share a factor; the planted ones share one across."""
    generator = np.random.default_rng(seed)
    rows = DRAWS * RECORDINGS
    parts = [
        0.7 * generator.normal(size=(rows, 1)) + generator.normal(size=(rows, count)) for count in (AUDIO, VISUAL)
    ]
    for number in range(PLANTED):
        # Larger than the others, so that importance chooses them; related to none but each other where planted.
        shared = generator.normal(size=rows)
        for part in parts:
            source = shared if planted else generator.normal(size=rows)
            part[:, number] = 3 * (source + 0.4 * generator.normal(size=rows))
    labels = np.repeat(np.eye(DRAWS, dtype=bool), RECORDINGS, axis=0)
    parts = [np.maximum(part + 0.5, 0.0) + labels @ generator.normal(size=(DRAWS, 1)) for part in parts]
    return features_of(*parts, labels, NAMES)


def importance_of(features):
    """Plain importance with all weights 1, of the recordings of each label."""
    counts = features.labels.sum(axis=0)
    values = {
        name: np.stack([np.maximum(values[column], 0).mean(axis=0) for column in features.labels.T])
        for name, values in features.modalities().items()
    }
    return Importance(NAMES, dict(zip(NAMES, counts.tolist(), strict=True)), values)


def found(way, planted):
    """Label to its correlations: chosen on another split, or cross-fitted."""
    features = drawn(1, planted)
    if way == "another split":
        results, _ = correlate(features, importance_of(drawn(2, planted)), SETTINGS)
    else:
        parts = [features.rows(rows) for rows in halves(features)]
        results, _ = cross_fit(parts, [importance_of(part) for part in reversed(parts)], SETTINGS)
    assert len(results) == DRAWS
    return results


def significant_pairs(result):
    names = result.names
    return {(names[a], names[result.audio_count + v]) for a, v in np.argwhere(result.significant)}


@pytest.mark.parametrize("way", ["another split", "cross-fitted"])
def test_the_planted_pairs_are_found_and_false_ones_are_no_more_than_promised(way):
    power, false_shares = [], []
    for result in found(way, planted=True).values():
        significant = significant_pairs(result)
        power.append(len(significant & PAIRS) / PLANTED)
        false_shares.append(len(significant - PAIRS) / max(len(significant), 1))
    assert np.mean(power) > 0.95
    # A share lies between 0 and 1, so its mean over the draws has at most the standard error of a binomial share
    # of the level, 0.015; as most are 0 or 1/4, it has half of that: 0.007. Three of these.
    assert np.mean(false_shares) <= SETTINGS.fdr_level + 0.021


@pytest.mark.parametrize("way", ["another split", "cross-fitted"])
def test_unrelated_features_are_called_related_no_more_often_than_the_level(way):
    results = found(way, planted=False)
    with_pairs = sum(result.significant.any() for result in results.values())
    blocks = np.array([result.block_p_value for result in results.values()])
    # Nothing is related: every finding is false, and the false discovery rate is the share of draws that have
    # one. At a true share of 0.05 more than 20 of 200 have a probability of 1 in 1000.
    bound = stats.binom.isf(0.001, DRAWS, SETTINGS.fdr_level)
    assert with_pairs <= bound
    assert 1 <= np.count_nonzero(blocks <= SETTINGS.fdr_level) <= bound
    # Over all labels together: at the level, one in twenty such studies calls a block related.
    assert min(block_q_values(results).values()) > SETTINGS.fdr_level
