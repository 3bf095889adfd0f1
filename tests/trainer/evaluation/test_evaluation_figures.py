import numpy as np
import pytest
from matplotlib.image import AxesImage

from avinst.figure_png import figure_png
from trainer.evaluation.figures import confusion_figure, reliability_figure
from trainer.evaluation.metrics import compute_metrics
from trainer.evaluation.predictions import Predictions


def measured(labels, probabilities, multi_label):
    count, number = np.shape(labels)
    rows = Predictions(
        video_ids=np.array([str(index) for index in range(count)]),
        segment_index=np.zeros(count, int),
        start_seconds=np.zeros(count),
        labels=np.array(labels, np.float32),
        probabilities=np.array(probabilities, np.float32),
    )
    return compute_metrics(rows, [f"label {index}" for index in range(number)], multi_label=multi_label)


def test_confusion_is_coloured_by_the_share_of_the_rows_that_bear_the_label():
    labels = [[1, 1, 0], [1, 0, 0], [0, 0, 1]]
    metrics = measured(labels, [[0.9, 0.8, 0.1], [0.9, 0.8, 0.1], [0.1, 0.2, 0.3]], multi_label=True)
    figure = confusion_figure(metrics, multi_label=True)
    (axis,) = figure.axes
    (image,) = axis.findobj(AxesImage)
    np.testing.assert_allclose(image.get_array(), [[1, 1, 0], [1, 1, 0], [0, 0, 0]])
    assert [text.get_text() for text in axis.texts] == ["2", "2", "1", "1"]
    assert "occurs together" in axis.get_title()
    assert "0.5 or more" in axis.get_xlabel()
    single = confusion_figure(measured(np.eye(3), np.eye(3), multi_label=False), multi_label=False)
    assert single.axes[0].get_title() == ""
    assert single.axes[0].get_xlabel() == "most probable label"


@pytest.mark.parametrize("count", [1, 400])
def test_the_matrix_of_any_number_of_labels_is_an_image_of_bounded_size(count):
    per_label = {f"label {index}": {"count": 1} for index in range(count)}
    figure = confusion_figure({"confusion": np.eye(count, dtype=int), "per_label": per_label}, multi_label=True)
    assert max(figure.get_size_inches()) < 20
    assert len(figure.axes[0].texts) == (1 if count == 1 else 0)


def test_reliability_shows_the_bins():
    # Confidences 0.9, 0.9, 0.9, 0.55: of the bin of 0.9 two of three are true, of the bin of 0.55 none.
    labels = [[1, 0], [1, 0], [0, 1], [0, 1]]
    metrics = measured(labels, [[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.55, 0.45]], multi_label=False)
    figure = reliability_figure(metrics, multi_label=False)
    upper, lower = figure.axes
    heights = sorted((round(bar.get_x(), 6), round(bar.get_height(), 6)) for bar in upper.patches)
    assert heights == [(round(8 / 15, 6), 0.0), (round(13 / 15, 6), round(2 / 3, 6))]
    assert sum(bar.get_height() for bar in lower.patches) == 4
    assert "most probable label" in upper.get_title()
    assert figure_png(figure, 50).startswith(b"\x89PNG")
    several = reliability_figure(measured(labels, np.full((4, 2), 0.5), multi_label=True), multi_label=True)
    assert "every label" in several.axes[0].get_title()
