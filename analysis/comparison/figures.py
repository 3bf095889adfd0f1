"""The figure of two runs side by side: what each label's modalities share in both, and the difference."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.comparison.result import Comparison
from analysis.comparison.tables import rows_of
from analysis.figures import CHANCE, COLOURS, MUTED, clear_spines, new_figure
from trainer.audit.measures import Interval

_OTHER = "#6b4ba1"


def comparison_figure(comparison: Comparison) -> Figure:
    """Left: mean |rho| across of both runs, each over its band of chance. Right: the difference with its interval.

    Args:
        comparison: with at least one label.
    """
    rows = rows_of(comparison)
    figure = new_figure(8.6, 1.6 + 0.5 * len(rows))
    values, differences = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    for row, one in enumerate(rows):
        across = one.blocks["across"]
        for offset, value, chance, colour, marker in (
            (-0.17, across.this, one.chance[0], COLOURS["across"], "o"),
            (0.17, across.other, one.chance[1], _OTHER, "D"),
        ):
            _band(values, row + offset, chance)
            values.plot(value, row + offset, marker, color=colour, markersize=6, zorder=3)
        _difference(differences, row, across.difference)
    names = [f"{one.label} ({one.recordings})" if one.label else "mean over labels" for one in rows]
    values.set_yticks(range(len(rows)), names, fontsize=9)
    values.set_ylim(len(rows) - 0.5, -0.5)
    values.set_xlim(left=0)
    values.set_xlabel("mean |Spearman's rho| across modalities", fontsize=9)
    values.plot([], [], "o", color=COLOURS["across"], label=comparison.this.title)
    values.plot([], [], "D", color=_OTHER, label=comparison.other.title)
    values.barh([0], [0], color=CHANCE, label="by chance (95 % band)")
    figure.legend(
        *values.get_legend_handles_labels(), loc="outside upper left", ncols=3, fontsize=8, frameon=False
    )
    differences.axvline(0, color=MUTED, linewidth=0.8)
    differences.set_xlabel(f"difference, 95 % interval\n> 0: more in {comparison.this.name}", fontsize=9)
    differences.tick_params(axis="y", left=False)
    for axes in (values, differences):
        # The mean is no further label.
        axes.axhline(len(rows) - 1.5, color=MUTED, linewidth=0.6, linestyle=":")
        axes.grid(axis="x", color="#eeeeee", zorder=0)
        axes.set_axisbelow(True)
        axes.tick_params(axis="x", labelsize=8)
        clear_spines(axes)
    return figure


def _band(axes: Axes, y: float, chance: Interval) -> None:
    if np.isfinite(chance.low):
        axes.barh(y, chance.high - chance.low, left=chance.low, height=0.26, color=CHANCE, zorder=1)


def _difference(axes: Axes, y: float, difference: Interval) -> None:
    if np.isfinite(difference.low):
        axes.plot([difference.low, difference.high], [y, y], color="black", linewidth=1.6, zorder=2)
    if np.isfinite(difference.value):
        axes.plot(difference.value, y, "o", color="black", markersize=5, zorder=3)
