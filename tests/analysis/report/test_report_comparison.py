import dataclasses
import re

import numpy as np
import pytest
from comparison_parts import changed, one_of, planted, run_of

from analysis.comparison.difference import compare
from analysis.correlations.alignment import MEASURES, Alignment, Chance
from analysis.correlations.correlation import CorrelationSettings
from analysis.report.comparison import comparison_sections

SETTINGS = CorrelationSettings(permutations=100, resamples=50)
CHANCE = Chance(0.1, 0.05, 0.15, 0.4)


@pytest.fixture(scope="module")
def found():
    generator = np.random.default_rng(0)
    aligned = tuple(Alignment(name, 0.7, CHANCE, CHANCE, 0.123, CHANCE, 60, 60) for name in MEASURES)
    runs = [run_of(*planted(generator, 60, value), one_of(60, 3), f"<{value}>") for value in (0.9, 0.0)]
    return compare(*(dataclasses.replace(run, alignment=aligned) for run in runs), SETTINGS)


def test_without_another_run_there_is_no_section():
    assert comparison_sections(None, {}) == []


def test_words_tables_and_what_they_do_not_tell(found):
    (section,) = comparison_sections(found, {})
    text = section.content
    assert section.title == "Does <0.9> bind the modalities more than <0.0>?"
    assert "&lt;0.9&gt; (joint) binds the modalities more than &lt;0.0&gt; (joint): difference" in text
    assert "Two runs are compared, not two schemes" in text
    across = found.overall.blocks["across"]
    row = re.search(r'<th scope="row">mean over labels</th>(.*?)</tr>', text).group(1)
    cells = re.findall(r"<td>(.*?)</td>", row)
    assert cells[0].startswith(f"{across.this:.3f} <small>chance {found.overall.chance[0].value:.3f}")
    assert cells[1].startswith(f"{across.other:.3f} ")
    assert cells[2].startswith(f"{across.difference.value:+.3f} <small>[{across.difference.low:+.3f}, ")
    assert text.count("0.123") == 2 * len(MEASURES)


def test_what_is_not_defined_is_a_dash(found):
    dead = dataclasses.replace(found.other.parts[0].recordings, visual=np.zeros((60, 5)))
    (section,) = comparison_sections(compare(found.this, changed(found.other, recordings=dead), SETTINGS), {})
    assert "–" in section.content
    assert "nan" not in section.content
