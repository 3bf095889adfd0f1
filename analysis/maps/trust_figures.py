"""Figures of the checks of the maps: curves of removal, likeness after shuffling, evidence on known regions."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from analysis.figures import CHANCE, COLOURS, MUTED, clear_spines, new_figure
from analysis.maps.faithfulness import MEASURES, Faithfulness
from analysis.maps.randomisation import MOST_ALIKE, Randomisation
from analysis.maps.regions import RegionShare
from analysis.maps.trust_words import BASELINES, judged, signed
from trainer.audit.result import FEWEST_RECORDINGS

_TITLES = {
    "deletion": "deletion: lower is better",
    "insertion": "insertion: higher is better",
    "road": "ROAD: lower is better",
}
_VERDICTS = {"beat": "better", "equal": "not told", "lose to": "worse", "few": "few recordings"}
_TEXTS = {"map": "the maps", **BASELINES}


def faithfulness_figure(found: Sequence[Faithfulness]) -> Figure:
    """A row a modality, a column a measure: the label's mean probability as more is removed or shown."""
    modalities = list(dict.fromkeys(one.modality for one in found))
    figure = new_figure(9.2, 0.9 + 2.6 * len(modalities))
    grid = figure.subplots(len(modalities), len(MEASURES), sharey=True, squeeze=False)
    for one in found:
        axes = grid[modalities.index(one.modality), MEASURES.index(one.measure)]
        styles: dict[str, dict[str, Any]] = {
            "map": {"color": COLOURS[one.modality], "linewidth": 2.2},
            "random_map": {"color": MUTED, "linestyle": "--"},
            "random_pixels": {"color": MUTED, "linestyle": ":"},
        }
        for name, curve in one.curves.items():
            axes.plot(one.fractions, curve, label=f"{_TEXTS[name]}: {one.areas[name]:.2f}", **styles[name])
        verdicts = [
            f"over {text} {signed(one.gain[name])}: {_VERDICTS[judged(one.gain[name], one.recordings)]}"
            for name, text in BASELINES.items()
        ]
        axes.set_title(_TITLES[one.measure], fontsize=8.5, pad=24)
        axes.text(0.5, 1.03, "\n".join(verdicts), transform=axes.transAxes, ha="center", va="bottom", fontsize=6.5)
        axes.set_xlabel("share shown" if one.measure == "insertion" else "share removed", fontsize=8)
        axes.tick_params(labelsize=8)
        axes.set_ylim(0, min(1.02, 1.5 * max(curve.max() for every in found for curve in every.curves.values())))
        axes.legend(fontsize=7, frameon=False, title="area under the curve", title_fontsize=7)
        clear_spines(axes)
    for modality, row in zip(modalities, grid, strict=True):
        row[0].set_ylabel(f"{modality}\nprobability of the label", fontsize=8)
    return figure


def randomisation_figure(found: Sequence[Randomisation]) -> Figure:
    """Rank correlation (filled) and structural similarity (hollow) of the maps with those before, by stage."""
    figure = new_figure(6.6, 3.2)
    axes = figure.subplots()
    stages = found[0].stages
    for offset, one in zip(np.linspace(-0.08, 0.08, len(found)), found, strict=True):
        for values, filled, what in ((one.correlation, True, "rank correlation"), (one.similarity, False, "SSIM")):
            # A stage after which all maps are dead has no likeness.
            given = [(place, likeness) for place, stage in enumerate(stages) if (likeness := values[stage])]
            if not given:
                continue
            intervals = np.array([likeness for _, likeness in given])
            colour = COLOURS[one.modality]
            axes.errorbar(
                np.array([place for place, _ in given]) + offset,
                intervals[:, 0],
                [intervals[:, 0] - intervals[:, 1], intervals[:, 2] - intervals[:, 0]],
                color=colour,
                marker="o",
                markerfacecolor=colour if filled else "white",
                linestyle="-" if filled else ":",
                capsize=2,
                label=f"{one.modality}, {what}",
            )
        axes.axhline(one.between_recordings, color=COLOURS[one.modality], linewidth=0.8, linestyle="--")
    axes.axhspan(MOST_ALIKE, 1, color=CHANCE, alpha=0.3, linewidth=0)
    names = [f"{stage}{_dead_note(found, stage)}" for stage in stages]
    axes.set_xticks(range(len(stages)), names, fontsize=8)
    axes.set_xlim(-0.4, len(stages) - 0.6)
    axes.set_xlabel("shuffled, each with all before it; dashed: maps of different recordings", fontsize=8)
    axes.set_ylabel("likeness to the maps before", fontsize=8)
    axes.set_ylim(-0.4, 1)
    axes.legend(fontsize=7, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    clear_spines(axes)
    return figure


def _dead_note(found: Sequence[Randomisation], stage: str) -> str:
    """A line for each modality some of whose maps are dead after a stage."""
    notes = [f"\n{one.modality}: {one.dead[stage]} of {one.recordings} dead" for one in found if one.dead[stage]]
    return "".join(notes)


def regions_figure(found: Sequence[RegionShare]) -> Figure:
    """Left: share of the frame maps' evidence on the regions, of all and by label. Right: its paired differences.

    The verdict goes by the difference to the centre prior, recording by recording: the shares' own intervals are
    wider than its, for regions differ. Of too few recordings for a verdict, marks are hollow.
    """
    figure = new_figure(8.6, 1.5 + 0.36 * len(found))
    values, differences = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    colour = COLOURS["visual"]
    for row, one in enumerate(found):
        fill = "white" if one.few else None
        values.plot([one.maps.low, one.maps.high], [row, row], color=colour, linewidth=2, zorder=2)
        values.plot(one.maps.value, row, "o", color=colour, markerfacecolor=fill, zorder=3)
        values.plot(one.centre, row, "D", color=MUTED, zorder=3)
        values.plot(one.uniform, row, "|", color=MUTED, markersize=12, zorder=3)
        for offset, marker, gain in ((-0.13, "D", one.above_centre), (0.13, "|", one.above_uniform)):
            place = row + offset
            differences.plot([gain.low, gain.high], [place, place], color="black", linewidth=1.4, zorder=2)
            differences.plot(
                gain.value,
                place,
                marker,
                color="black",
                markerfacecolor=fill,
                markersize=5 if marker == "D" else 9,
            )
    names = [f"{one.label or 'all'} ({one.recordings}{', few' if one.few else ''})" for one in found]
    values.set_yticks(range(len(found)), names, fontsize=8)
    values.set_ylim(len(found) - 0.5, -0.5)
    values.set_xlim(0, 1)
    values.set_xlabel(
        "share of the evidence on the annotated regions,\n95 % intervals over recordings", fontsize=8
    )
    marks = [
        *values.plot([], [], "o", color=colour, label="the maps"),
        *values.plot([], [], "D", color=MUTED, label="Gaussian in the middle"),
        *values.plot([], [], "|", color=MUTED, markersize=12, label="even map"),
    ]
    if any(one.few for one in found):
        note = f"fewer than {FEWEST_RECORDINGS} recordings: no verdict"
        marks += values.plot([], [], "o", color=colour, markerfacecolor="white", label=note)
    figure.legend(handles=marks, loc="outside upper left", ncols=4, fontsize=8, frameon=False)
    differences.axvline(0, color=MUTED, linewidth=0.8)
    text = "the maps minus the Gaussian (diamond)\nand minus an even map (bar); > 0: more"
    differences.set_xlabel(text, fontsize=8)
    differences.tick_params(axis="y", left=False)
    for axes in (values, differences):
        axes.axhline(0.5, color=MUTED, linewidth=0.6, linestyle=":")
        axes.grid(axis="x", color="#eeeeee", zorder=0)
        axes.set_axisbelow(True)
        axes.tick_params(axis="x", labelsize=8)
        clear_spines(axes)
    return figure
