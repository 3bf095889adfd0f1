import dataclasses
import re

import numpy as np

from analysis.correlations.alignment import Alignment, Chance
from analysis.report.tables import alignment

CHANCE, UNKNOWN = Chance(0.1, 0.05, 0.15, 0.4), Chance(np.nan, np.nan, np.nan, np.nan)
CKA = Alignment("cka", 0.7, CHANCE, CHANCE, 0.2, CHANCE, 60, 60, 0.7, 60)
SHOWN = "0.100 <small>[0.050, 0.150], p = 0.4</small>"


def cells(one):
    return re.findall(r"<td>(.*?)</td>", alignment([one]).partition("<tbody>")[2])


def test_each_value_stands_beside_its_null():
    assert cells(CKA) == ["0.700", SHOWN, SHOWN, "0.200", SHOWN]


def test_what_is_not_defined_is_a_dash():
    dead = Alignment("cka", np.nan, UNKNOWN, UNKNOWN, np.nan, UNKNOWN, 60, 60, np.nan, 60)
    assert cells(dead) == ["–"] * 5


def test_where_hardly_any_change_places_within_a_label_it_is_said():
    few = dataclasses.replace(
        CKA,
        by_label=UNKNOWN,
        within_value=np.nan,
        within_by_chance=UNKNOWN,
        within_recordings=4,
        shared_value=np.nan,
        shared_recordings=4,
    )
    assert cells(few) == ["0.700", SHOWN, "cannot be told", "–", "cannot be told"]


def test_what_the_label_alone_gives_of_some_recordings_stands_beside_their_value():
    some = dataclasses.replace(CKA, shared_value=0.31, shared_recordings=40)
    assert cells(some)[2] == f"<small>of 40 recordings with 0.310: </small>{SHOWN}"
