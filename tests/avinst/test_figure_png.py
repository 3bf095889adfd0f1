import io
import warnings

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from avinst import figure_png as module
from avinst.figure_png import figure_png, name_fallback_fonts


def figure_of(text):
    figure = Figure(figsize=(2, 1))
    figure.text(0.1, 0.5, text)
    return figure


def test_a_label_in_any_script_is_drawn_without_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        content = figure_png(figure_of("鼓 \N{VIOLIN} flûte"), 100)
    image = Image.open(io.BytesIO(content))
    assert image.size == (200, 100)
    assert np.asarray(image.convert("L")).min() < 100  # something dark is there


@pytest.mark.parametrize("place", ["text", "title", "tick", "legend"])
def test_dollar_signs_in_names_are_no_formula(place):
    name = "$\\frac$"  # a formula that cannot be read
    figure = figure_of(name if place == "text" else "x")
    axis = figure.subplots()
    axis.plot([0, 1], label=name if place == "legend" else "x")
    axis.legend()
    axis.set_title(name if place == "title" else "x")
    axis.set_xticks([0, 1], [name, "x"] if place == "tick" else ["x", "x"])
    assert Image.open(io.BytesIO(figure_png(figure, 100))).size == (200, 100)


def test_other_warnings_are_not_hidden():
    figure = Figure(figsize=(2, 1), layout="constrained")
    figure.subplots().set_ylabel("far too much\n" * 30)
    with pytest.warns(UserWarning, match="constrained_layout not applied"):
        figure_png(figure, 100)


def test_characters_come_from_the_fallbacks_that_are_installed(monkeypatch, caplog):
    text = "\u1d84"  # in STIXGeneral, which comes with matplotlib, not in DejaVu Sans
    with pytest.warns(UserWarning, match="Glyph"):
        figure_of(text).savefig(io.BytesIO(), format="png")
    boxes = figure_png(figure_of(text), 100)
    monkeypatch.setattr(module, "FALLBACK_FONTS", ("No Such Font", "STIXGeneral"))
    figure = figure_of(text)
    name_fallback_fonts(figure)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(io.BytesIO(), format="png")
    assert figure_png(figure_of(text), 100) != boxes
    assert not caplog.records


def test_plain_text_is_left_alone():
    figure = figure_of("flute")
    before = figure.texts[0].get_fontfamily()
    name_fallback_fonts(figure)
    assert figure.texts[0].get_fontfamily() == before
