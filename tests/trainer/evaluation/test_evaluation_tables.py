from trainer.evaluation.scores import LABEL_NAMES, NAMES
from trainer.evaluation.tables import metrics_table, per_label_markdown, scores_markdown

SCORE = {"value": 0.5, "low": 0.25, "high": 0.75}
MISSING = {
    "precision": None,
    "recall": None,
    "f1": None,
    "average_precision": None,
    "calibration_error": 0.1,
    "count": 0,
    "intervals": None,
    "taken_for": None,
    "worst_in_draws": None,
}
THERE = {
    "precision": 1.0,
    "recall": 0.25,
    "f1": 0.4,
    "average_precision": 0.625,
    "calibration_error": 0.2,
    "count": 4,
    "intervals": {name: {"low": 0.5, "high": 0.75} for name in LABEL_NAMES},
    "taken_for": {"label": "flute", "count": 3},
    "worst_in_draws": 1.0,
}
LEVEL = {**dict.fromkeys(NAMES, SCORE), "per_label": {"flute": MISSING, "alto | sax": THERE}, "count": 7}
METRICS = {"segment": LEVEL, "recording": LEVEL}


def test_the_table_tells_values_with_intervals_and_labels_without_examples():
    lines = [line.split() for line in metrics_table(METRICS).splitlines()]
    assert lines[1] == ["hit_at_1", *["0.500", "(0.250", "to", "0.750)"] * 2]
    assert lines[9] == ["label", "recordings", "precision", "recall", "f1", "avg", "precision", "calibration",
                        "taken", "for"]  # fmt: skip
    average = ["0.625", "(0.500", "to", "0.750)"]
    assert lines[10] == ["alto", "|", "sax", "4", "1.000", "0.250", "0.400", *average, "0.200", "flute", "3"]
    assert lines[11] == ["flute", "0", "-", "-", "-", "-", "0.100", "-"]


def test_what_the_scores_mean_depends_on_the_dataset():
    one, several = (metrics_table(METRICS, multi_label=multi_label) for multi_label in (False, True))
    assert "of the most probable label" in one
    assert "probability of 0.5 or more" in several
    assert "probability of 0.5" not in one
    assert "one of the true ones" in several


def test_hit_at_3_of_three_labels_is_told_to_say_nothing():
    four = {**LEVEL, "per_label": dict.fromkeys("abcd", THERE)}
    for level, is_told in ((LEVEL, True), (four, False)):
        metrics = {"segment": level, "recording": level}
        for multi_label in (False, True):
            for text in (
                metrics_table(metrics, multi_label=multi_label),
                per_label_markdown(metrics, multi_label=multi_label),
            ):
                assert ("with 2 labels it is always 1" in text) == is_told


def test_markdown_keeps_its_columns():
    for text, columns in (
        (scores_markdown(METRICS), 3),
        (per_label_markdown(METRICS, multi_label=True), 7),
        (per_label_markdown(METRICS, multi_label=False), 8),
    ):
        rows = [line for line in text.splitlines() if line.startswith("|")]
        assert {line.count("|") for line in rows} == {columns + 1}
        assert "alto &#124; sax" in text or columns == 3
