"""What all figures share: colours, size of type, and how a figure becomes a PNG."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from avinst.figure_png import MODALITY_COLOURS, figure_png

# Okabe and Ito's palette, told apart with every kind of colour vision.
COLOURS = {**MODALITY_COLOURS, "across": "#009E73"}
MUTED = "#6b7280"
CHANCE = "#d1d5db"
WARNING = "#b45309"
PNG_DPI = 110


def new_figure(width_inches: float, height_inches: float) -> Figure:
    """An empty figure; no state of pyplot is touched, so that many can be drawn and dropped."""
    return Figure(figsize=(width_inches, height_inches), layout="constrained", facecolor="white")


def clear_spines(axes: Axes) -> None:
    """Takes the frame's upper and right line off."""
    axes.spines[["top", "right"]].set_visible(False)


def png_bytes(figure: Figure) -> bytes:
    """The figure as a PNG; equal figures give equal bytes."""
    return figure_png(figure, PNG_DPI)
