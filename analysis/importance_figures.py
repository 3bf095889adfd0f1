"""Figures of the category-wise feature importance."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, StrMethodFormatter

from analysis.figures import COLOURS, MUTED, clear_spines, new_figure
from analysis.importance import Importance, feature_name
from avinst.counting import counted, percent

# The first features of the curve that are named at their points; more would lie on each other.
_NAMED = 3


def importance_figure(result: Importance, label: str, number: dict[str, int]) -> Figure:
    """A label's sorted importance with the first features named, then the most important ones of each modality.

    At the end of each bar stands how often the feature is among as many in resamples of the recordings.

    Args:
        result: importance over one split.
        label: a label that some recording was predicted as.
        number: modality to the number of features shown as bars.
    """
    modalities = list(result.values)
    # A bar is as thick in one panel as in the other: their heights follow the numbers of bars.
    heights = [8.0, *(max(number[modality] + 1.2, 5.0) for modality in modalities)]
    figure = new_figure(4.6, 0.9 + 0.17 * sum(heights))
    panels = figure.subplots(1 + len(modalities), height_ratios=heights)
    _curves(panels[0], result, label)
    for axes, modality in zip(panels[1:], modalities, strict=True):
        _bars(axes, result, label, modality, number[modality])
    for axes in panels:
        axes.tick_params(axis="x", labelsize=7)
        clear_spines(axes)
    figure.suptitle(f"{label}: {counted(result.count[label], 'recording')} predicted", fontsize=11)
    if result.stability is not None:
        text = f"in %: how often among the top in resamples of the {counted(result.count[label], 'recording')}"
        figure.supxlabel(text, fontsize=7.5, color=MUTED)
    return figure


def _curves(axes: Axes, result: Importance, label: str) -> None:
    """Importance of all features over their rank; names stand above the points of the higher curve, else below."""
    above, below = (2, 3, 40, "bottom"), (-1, -3, -40, "top")
    highest = max(result.values, key=lambda modality: float(result.of(label, modality).max()))
    offsets = {modality: above if modality == highest else below for modality in result.values}
    for modality, values in ((name, result.of(label, name)) for name in result.values):
        ranked = np.sort(values)[::-1]
        axes.plot(np.arange(1, len(ranked) + 1), ranked, color=COLOURS[modality], linewidth=1.2, label=modality)
        right, up, rotation, vertical = offsets[modality]
        for rank, feature in enumerate(result.top(label, modality, _NAMED), start=1):
            axes.plot(rank, values[feature], ".", color=COLOURS[modality], markersize=4)
            axes.annotate(
                feature_name(modality, feature),
                (rank, values[feature]),
                (right, up),
                textcoords="offset points",
                rotation=rotation,
                rotation_mode="anchor",
                va=vertical,
                fontsize=6,
                family="monospace",
                color=COLOURS[modality],
            )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(10, subs=(1.0,)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))  # powers would need mathtext, which is off
    axes.margins(y=0.25)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("rank of the feature", fontsize=8)
    axes.set_ylabel("importance", fontsize=8)
    axes.tick_params(axis="y", labelsize=7)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.legend(fontsize=7, frameon=False)


def _bars(axes: Axes, result: Importance, label: str, modality: str, number: int) -> None:
    values, stays = result.of(label, modality), result.stays(label, modality)
    top = result.top(label, modality, number)
    total = values.sum()
    share = values[top].sum() / total if total > 0 else 0.0
    axes.barh(range(len(top)), values[top], color=COLOURS[modality], height=0.72)
    if stays is not None:
        for row, feature in enumerate(top):
            text = f" {percent(stays[feature])}"
            axes.text(values[feature], row, text, va="center", fontsize=6.5, color=MUTED, clip_on=False)
        axes.margins(x=0.12)
    names = [feature_name(modality, index) for index in top]
    axes.set_yticks(range(len(top)), names, fontsize=7, family="monospace")
    axes.set_ylim(max(len(top), 1) - 0.4, -0.6)
    axes.set_xlabel("importance: mean contribution to the logit", fontsize=8)
    axes.set_title(
        f"{modality}: top {len(top)} of {len(values)}, {percent(share)} of the sum of {total:.2f}",
        fontsize=8,
        loc="left",
    )
    # Small values make long labels: more than four would touch.
    axes.xaxis.set_major_locator(MaxNLocator(4))


def share_figure(result: Importance) -> Figure:
    """Which modality's features contribute how much to each label's logit, summed over the features.

    Args:
        result: importance over one split, where at least one label was predicted.
    """
    labels = [label for label in result.label_names if label not in result.unpredicted]
    figure = new_figure(7.4, 1.1 + 0.32 * len(labels))
    axes = figure.subplots()
    left = np.zeros(len(labels))
    for modality in result.values:
        sums = np.array([result.of(label, modality).sum() for label in labels])
        axes.barh(range(len(labels)), sums, left=left, color=COLOURS[modality], height=0.7, label=modality)
        left += sums
    axes.set_yticks(range(len(labels)), [f"{label} ({result.count[label]})" for label in labels], fontsize=9)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_xlabel("summed importance (positive contributions to the logit)")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=8, frameon=False)
    clear_spines(axes)
    return figure
