"""Figures of the category-wise feature importance."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.counting import counted
from analysis.figures import COLOURS, clear_spines, new_figure
from analysis.importance import Importance, feature_name


def importance_figure(result: Importance, label: str, number: dict[str, int]) -> Figure:
    """A label's most important features of each modality, and how importance falls off over all of them.

    Args:
        result: importance over one split.
        label: a label that some recording was predicted as.
        number: modality to the number of features shown by name.
    """
    modalities = list(result.values)
    figure = new_figure(4.4, 1.2 + 3.1 * len(modalities))
    # A bar is as thick in one panel as in the other: their heights follow the numbers of bars.
    heights = [height for modality in modalities for height in (5.0, max(number[modality] + 1.2, 5.0))]
    panels = figure.subplots(2 * len(modalities), height_ratios=heights)
    for curve, bars, modality in zip(panels[::2], panels[1::2], modalities, strict=True):
        values = result.of(label, modality)
        top = result.top(label, modality, number[modality])
        total = values.sum()
        share = values[top].sum() / total if total > 0 else 0.0
        curve.plot(np.sort(values)[::-1], color=COLOURS[modality], linewidth=1.2)
        curve.axvspan(0, len(top), color=COLOURS[modality], alpha=0.15, linewidth=0)
        curve.set_title(f"{modality}: {len(values)} features, sorted", fontsize=9, loc="left")
        bars.barh(range(len(top)), values[top], color=COLOURS[modality], height=0.72)
        names = [feature_name(modality, index) for index in top]
        bars.set_yticks(range(len(top)), names, fontsize=7, family="monospace")
        bars.set_ylim(max(len(top), 1) - 0.4, -0.6)
        bars.set_xlabel("importance: mean contribution to the logit", fontsize=8)
        bars.set_title(f"top {len(top)}: {share:.0%} of the sum of {total:.2f}", fontsize=8, loc="left")
        for axes in (curve, bars):
            axes.tick_params(axis="x", labelsize=7)
            # Small values make long labels: more than four would touch.
            axes.xaxis.set_major_locator(MaxNLocator(4))
            clear_spines(axes)
        curve.tick_params(axis="y", labelsize=7)
    figure.suptitle(f"{label}: {counted(result.count[label], 'recording')} predicted", fontsize=11)
    return figure


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
