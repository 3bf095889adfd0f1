import numpy as np

from trainer.board.preview import title

NAMES = ("cello", "drum", "flute")


def test_an_examples_title_tells_its_labels_and_the_shares_of_mixed_ones():
    assert title(NAMES, np.array([0.0, 1.0, 0.0])) == "drum"
    assert title(NAMES, np.array([1.0, 0.0, 1.0])) == "cello\nflute"
    assert title(NAMES, np.array([0.7, 0.3, 0.0])) == "cello 0.70\ndrum 0.30"
    assert title(NAMES, np.array([0.998, 0.0, 0.002])) == "cello"
