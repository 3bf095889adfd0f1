"""The part of docs/results.md on why the models decide, read from the files of `avinst analyze`."""

import shutil
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from measuring import table

from analysis.correlations.resampling import BEYOND_CHANCE

# Of the first seed; none of them shows a photograph.
FIGURES = {
    "overview": (
        "independent",
        "correlations/overview.png",
        "mean |rho| within audio, within vision and across for each label",
    ),
    "comparison": ("joint", "comparison.png", "mean |rho| across modalities of both schemes, and the difference"),
    "alignment": ("independent", "alignment.png", "three measures of all features together, beside chance"),
    "faithfulness": (
        "independent",
        "gradcam/faithfulness.png",
        "deletion, insertion and ROAD against random maps",
    ),
}
BLOCKS = ("audio_audio", "visual_visual", "audio_visual")
BASELINES = {"random_map": "random maps", "random_pixels": "random pixels"}
MEASURES = {"deletion": "deletion", "insertion": "insertion", "road": "ROAD"}


class Files(Protocol):
    """Where the runs lie."""

    folder: Path

    def read(self, *parts: str) -> Any:
        """A JSON file below the folder; empty where there is none."""


def analysis_section(
    work: Files, runs: Sequence[str], extra: Sequence[str], seeds: Sequence[int], images: Path
) -> list[str]:
    """Tables, the finding in words, and figures; copies the figures into `images`."""
    return [
        "### Do the modalities' features move together?",
        "Spearman's mean |rho| of the 10 most important audio and 20 visual features, averaged over the labels, "
        "beside what recordings shuffled between the modalities give (95 % of the permutations).",
        correlations_table(work, runs, seeds),
        finding(work, runs, seeds),
        figure(work, "overview", seeds[0], images),
        "All features together, with each label's mean taken off (p by permutation within the labels), and in "
        "brackets over all recordings, beside what the label alone gives:",
        alignment_table(work, runs, seeds),
        figure(work, "alignment", seeds[0], images),
        "### Does joint training bind the modalities?",
        comparison_words(work, seeds),
        figure(work, "comparison", seeds[0], images),
        "### Are the maps to be trusted?",
        "Gain over random maps of cells of the same size and over single pixels in random order: difference of "
        "the areas under the predicted label's probability, with the 95 % interval over recordings.",
        trust_table(work, [*runs, *extra], seeds),
        regions_table(work, [*runs, *extra], seeds),
        figure(work, "faithfulness", seeds[0], images),
    ]


def correlations_table(work: Files, runs: Sequence[str], seeds: Sequence[int]) -> str:
    """A row a run: mean |rho| of each block, chance, and what is significant."""
    rows = []
    for name, seed, found in _found(work, runs, seeds, "correlations", "summary.json"):
        overall, labels = found["overall"], found["labels"].values()
        beyond = sum(values["null"]["q_value"] <= BEYOND_CHANCE for values in labels)
        rows.append(
            [
                f"{name}, seed {seed}",
                *(_interval(overall[block]) for block in BLOCKS),
                f"{_interval(overall['null'])}, p = {overall['null']['p_value']:.2g}",
                f"{beyond} of {len(labels)}",
                f"{sum(one['significant_pairs'] for one in labels)} of {sum(one['pairs'] for one in labels)}",
            ]
        )
    columns = ["run", "within audio", "within vision", "across", "across by chance", "labels beyond chance"]
    return table([*columns, "pairs after FDR"], rows)


def finding(work: Files, runs: Sequence[str], seeds: Sequence[int]) -> str:
    """What the seeds together say about the paper's finding."""
    sentences = []
    for name in runs:
        overall = [found["overall"] for _, _, found in _found(work, [name], seeds, "correlations", "summary.json")]
        if not overall:
            continue
        within = [statistics.mean(one[block]["value"] for one in overall) for block in BLOCKS]
        chance = statistics.mean(one["null"]["value"] for one in overall)
        beyond = sum(one["null"]["p_value"] <= BEYOND_CHANCE for one in overall)
        sentences.append(
            f"{name.capitalize()} training: mean |rho| {within[0]:.2f} within audio and {within[1]:.2f} within "
            f"vision, {within[2]:.2f} across where unrelated features give {chance:.2f}; across is beyond chance "
            f"(one-sided p of at most {BEYOND_CHANCE}) in {beyond} of {len(overall)} seeds."
        )
    paper = "The paper found strong correlation within each modality and none across under independent training."
    return " ".join([paper, *sentences])


def alignment_table(work: Files, runs: Sequence[str], seeds: Sequence[int]) -> str:
    """A row a run: each measure within labels, and over all recordings."""
    rows, names = [], []
    for name, seed, found in _found(work, runs, seeds, "alignment.json"):
        names = [one["name"] for one in found.values()]
        rows.append([f"{name}, seed {seed}", *map(_alignment_cell, found.values())])
    return table(["run", *names], rows)


def _alignment_cell(one: Mapping[str, Any]) -> str:
    """A dash for what so few recordings cannot tell."""
    inside, by_label = one["within_by_chance"], one["by_label"]
    within = "–" if one["within_value"] is None else f"{one['within_value']:.3f}"
    if inside["p_value"] is not None:
        within += f", p = {inside['p_value']:.2g}"
    if by_label["low"] is None:
        return f"{within} (–)"
    return f"{within} ({one['shared_value']:.2f}; label alone {by_label['low']:.2f} to {by_label['high']:.2f})"


def comparison_words(work: Files, seeds: Sequence[int]) -> str:
    """The main finding of each seed's comparison, and the differences within the modalities."""
    lines, differences = [], []
    for _, seed, found in _found(work, ["joint"], seeds, "comparison.json"):
        overall = found["overall"]
        differences.append(overall["audio_visual"]["difference"])
        within = ", ".join(
            f"{title} {_interval(overall[block]['difference'], '+.2f')}"
            for block, title in (("audio_audio", "within audio"), ("visual_visual", "within vision"))
        )
        lines.append(f"- Seed {seed}: {found['findings'][0]} Joint minus independent {within}.")
    if not differences:
        return ""
    apart = sum(one["low"] > 0 or one["high"] < 0 for one in differences)
    mean = statistics.mean(one["value"] for one in differences)
    lines.append(
        f"\nOver the seeds the difference across modalities is {mean:+.3f} on average, and its interval leaves 0 "
        f"out in {apart} of {len(differences)}. Each interval is over recordings."
    )
    return "\n".join(lines)


def trust_table(work: Files, runs: Sequence[str], seeds: Sequence[int]) -> str:
    """Two rows a run and a modality: the gain over each baseline."""
    rows = []
    for name, seed, found in _found(work, runs, seeds, "gradcam", "trust.json"):
        for modality, dead in found["dead"].items():
            gains = {one["measure"]: one["gain"] for one in found["faithfulness"] if one["modality"] == modality}
            for baseline, title in BASELINES.items():
                cells = [
                    _interval(gains[measure][baseline], "+.3f") if measure in gains else "" for measure in MEASURES
                ]
                shown = found["recordings"] - dead
                rows.append([f"{name}, seed {seed}", modality, title, *cells, f"{shown} of {found['recordings']}"])
    return table(["run", "maps", "gain over", *MEASURES.values(), "recordings whose map shows anything"], rows)


def regions_table(work: Files, runs: Sequence[str], seeds: Sequence[int]) -> str:
    """A row a run: the share of the frame maps' evidence on the boxes; nothing without boxes."""
    rows = []
    for name, seed, found in _found(work, runs, seeds, "gradcam", "regions.json"):
        whole = found[0]
        rows.append(
            [
                f"{name}, seed {seed}",
                str(whole["recordings"]),
                _interval(whole["maps"]),
                f"{whole['centre']:.2f}",
                f"{whole['uniform']:.2f}",
                _interval(whole["above_centre"], "+.3f"),
            ]
        )
    if not rows:
        return ""
    text = (
        "Share of the frame maps' evidence inside the box around the instrument, against a Gaussian in the middle "
        "of the frame (centre prior) and an even map. The boxes were drawn by hand on the middle second of "
        "five test recordings of each label, chosen by chance (`benchmarks/clips_regions.csv`)."
    )
    columns = ["run", "recordings", "on the instrument", "centre prior", "even map", "above the centre prior"]
    return f"{text}\n\n{table(columns, rows)}\n\n{_regions_words(work, runs, seeds)}"


def _regions_words(work: Files, runs: Sequence[str], seeds: Sequence[int]) -> str:
    """In how many runs the maps do better, or worse, than the centre prior and than an even map."""
    found = [content[0] for _, _, content in _found(work, runs, seeds, "gradcam", "regions.json")]
    counts = {
        (prior, side): sum(one[f"above_{prior}"][end] * sign > 0 for one in found)
        for prior in ("centre", "uniform")
        for side, end, sign in (("more", "low", 1), ("less", "high", -1))
    }
    even, more, less = counts["uniform", "more"], counts["centre", "more"], counts["centre", "less"]
    return (
        f"Of {len(found)} runs the maps lie on the instrument more than an even map in {even}, more than a centre "
        f"prior in {more} and less than one in {less}. The boxes lie around the middle, which makes the centre "
        "prior hard to beat, and the networks were trained from scratch on few photographs; those of the demo, "
        "which know their task, beat it (see the README)."
    )


def figure(work: Files, key: str, seed: int, images: Path) -> str:
    """The picture of a seed, copied; empty where there is none."""
    run, file, text = FIGURES[key]
    source = work.folder / f"{run}_{seed}" / "analysis" / file
    if not source.exists():
        return ""
    target = images / f"results_{key}.png"
    shutil.copyfile(source, target)
    return f"![{run.capitalize()}, seed {seed}: {text}](images/{target.name})"


def _found(work: Files, runs: Sequence[str], seeds: Sequence[int], *parts: str) -> list[tuple[str, int, Any]]:
    """Run, seed and content of those files that there are."""
    every = [(name, seed, work.read(f"{name}_{seed}", "analysis", *parts)) for name in runs for seed in seeds]
    return [(name, seed, content) for name, seed, content in every if content]


def _interval(values: dict[str, float], style: str = ".2f") -> str:
    return f"{values['value']:{style}} ({values['low']:{style}} to {values['high']:{style}})"
