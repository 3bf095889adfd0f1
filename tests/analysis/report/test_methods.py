import pytest

from analysis.report.methods import methods


@pytest.mark.parametrize(("level", "told"), [(0.05, "0.05, at most 5 %"), (0.001, "0.001, at most 0.1 %")])
def test_the_level_of_single_pairs_is_the_one_that_was_used(level, told):
    text = methods(level)
    assert f"q of at most {told} are expected to be unrelated" in " ".join(text.split())
    assert "FDR_" not in text
