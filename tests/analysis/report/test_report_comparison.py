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
    aligned = tuple(Alignment(name, 0.7, CHANCE, CHANCE, 0.123, CHANCE, 60, 60, 0.7, 60) for name in MEASURES)
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


def with_alignment(found, **changes):
    runs = (found.this, found.other)
    this, other = (
        dataclasses.replace(run, alignment=tuple(dataclasses.replace(one, **changes) for one in run.alignment))
        for run in runs
    )
    return dataclasses.replace(found, this=this, other=other)


def aligned_rows(found):
    (section,) = comparison_sections(found, {})
    table = section.content[section.content.index("Alignment of all audio") :]
    return [
        (title, re.findall(r"<td>(.*?)</td>", cells))
        for title, cells in re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', table)
    ]


def test_alignment_that_could_not_be_measured_is_a_dash_and_what_cannot_be_told_is_said(found):
    unknown = Chance(np.nan, np.nan, np.nan, np.nan)
    changes = {"by_label": unknown, "shared_value": np.nan, "shared_recordings": 0}
    rows = aligned_rows(with_alignment(found, within_value=np.nan, within_by_chance=unknown, **changes))
    assert rows[0] == ("linear CKA, unbiased, within labels", ["–", "–"])
    told = "0.700 <small>what the label alone gives cannot be told</small>"
    assert rows[1] == ("linear CKA, unbiased, all recordings", [told, told])
    dead = aligned_rows(with_alignment(found, value=np.nan, **changes))
    assert dead[1] == ("linear CKA, unbiased, all recordings", ["–", "–"])


def test_alignment_of_some_recordings_says_of_how_many(found):
    rows = aligned_rows(with_alignment(found, shared_value=0.31, shared_recordings=40))
    told = "0.310 <small>[0.050, 0.150], p = 0.4</small>"
    assert rows[1] == ("linear CKA, unbiased, 40 of 60 recordings", [told, told])
