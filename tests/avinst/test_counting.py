import pytest

from avinst.counting import counted, percent


@pytest.mark.parametrize(("number", "text"), [(0, "no pairs"), (1, "1 pair"), (2, "2 pairs")])
def test_counts_agree_with_their_nouns(number, text):
    assert counted(number, "pair") == text


@pytest.mark.parametrize(("share", "text"), [(0.0, "0 %"), (0.344, "34 %"), (0.346, "35 %"), (1.0, "100 %")])
def test_shares_are_whole_percent(share, text):
    assert percent(share) == text
