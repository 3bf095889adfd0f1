"""The figure of the alignment measures: each value beside what chance and what the label alone give."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.correlations.alignment import MEASURES, Alignment, Chance
from analysis.figures import CHANCE, COLOURS, MUTED, clear_spines, new_figure

_LABEL_ALONE = "#fcd34d"


def alignment_figure(found: tuple[Alignment, ...]) -> Figure:
    """For each measure the value over all recordings and the one within labels, with the bands of their nulls.

    Args:
        found: at least one measure.
    """
    figure = new_figure(7.4, 1.6 + 0.9 * len(found))
    axes = figure.subplots()
    for row, one in enumerate(found):
        _band(axes, row - 0.3, one.by_chance, CHANCE)
        _band(axes, row - 0.1, one.by_label, _LABEL_ALONE)
        _band(axes, row + 0.25, one.within_by_chance, CHANCE)
        # Each band beside the value that it is the null of: they differ where not all can change places.
        for value, top in ((one.value, row - 0.4), (one.shared_value, row - 0.2)):
            axes.plot([value, value], [top, top + 0.2], color=COLOURS["across"], linewidth=2.5)
        axes.plot(one.within_value, row + 0.25, "D", color=COLOURS["across"], markersize=6)
    axes.use_sticky_edges = False  # else a band ends at the edge of the figure, and looks cut
    axes.set_yticks(range(len(found)), [MEASURES[one.measure] for one in found], fontsize=9)
    axes.set_ylim(len(found) - 0.4, -0.6)
    axes.axvline(0, color=MUTED, linewidth=0.6)
    axes.barh([0], [0], color=CHANCE, label="by chance (95 % band)")
    axes.barh([0], [0], color=_LABEL_ALONE, label="by the label alone (95 % band)")
    axes.plot([], [], "|", color=COLOURS["across"], markersize=12, markeredgewidth=2.5, label=_labels_in(found))
    axes.plot([], [], "D", color=COLOURS["across"], label="within labels")
    axes.legend(
        loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=4, fontsize=8, frameon=False, columnspacing=1.2
    )
    axes.set_xlabel("alignment of audio and visual features; 1: they tell recordings apart alike")
    clear_spines(axes)
    return figure


def _labels_in(found: tuple[Alignment, ...]) -> str:
    """What the two half-lines are over, where these differ."""
    if all(one.shared_recordings == one.recordings for one in found):
        return "all recordings"
    return "all; below it those of shared labels"


def _band(axes: Axes, y: float, chance: Chance, colour: str) -> None:
    axes.barh(y, chance.high - chance.low, left=chance.low, height=0.18, color=colour, zorder=1)
