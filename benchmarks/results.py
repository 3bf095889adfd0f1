"""Makes docs/results.md: all four schemes on a folder of class folders, over several seeds.

    python benchmarks/results.py --media_root=VIDEOS --work_dir=WORK --regions=benchmarks/clips_regions.csv

Every step is an avinst command that goes on where it was, and a command that is done is not run again, so this can
be interrupted at any time and run again. Seeds come one after the other; with --page_only the page is made of what
there is so far.
"""

import argparse
import shlex
import shutil
import statistics
from collections.abc import Sequence
from pathlib import Path

from measuring import table
from results_analysis import analysis_section
from work import Work

from avinst.machine import available_cores
from avinst.progress import format_seconds
from avinst.versions import package_versions

RESULTS_FILE = Path(__file__).parents[1] / "docs" / "results.md"
# The boxes as the work directory has them: whether a command is done does not depend on where they came from.
REGIONS = "regions.csv"
COLUMNS = {"hit_at_1": "Hit@1", "hit_at_3": "Hit@3", "f1_macro": "F1 (macro)", "map": "mAP"}
# The audio network at half its depth and width, as on two cores the whole one takes four times as long.
SIZE = "--audio_blocks=4 --audio_width=0.5 --precision=auto"
# What is trained with each seed: run directory to scheme and flags.
RUNS = {
    "independent": "--scheme=independent --epochs=10",
    "joint": "--scheme=joint --epochs=10",
}
# With the first seed only: a small network's maps have more cells, and it learns more of so few photographs.
EXTRA = {"small": "--scheme=visual --visual_backbone=small_cnn --epochs=40 --patience=10"}
# Row of the table to the run that it is read of, and the stage within it.
ROWS = {
    "audio": ("independent", "audio"),
    "visual": ("independent", "visual"),
    "independent": ("independent", ""),
    "joint": ("joint", ""),
    "visual, small CNN": ("small", ""),
}


def dataset_commands(media_root: str) -> list[str]:
    """From the videos to the dataset."""
    root = shlex.quote(media_root)
    return [
        f"avinst manifest --format=folders --media_root={root} --output=manifest.csv",
        f"avinst prepare --manifest=manifest.csv --media_root={root} --data_dir=DATASET --frame_size=128 "
        "--splits=stratified",
    ]


def run_commands(name: str, seed: int, regions: str) -> list[str]:
    """Training, evaluation with the audit, and the analysis, of joint training beside that of independent."""
    run_dir, other = f"{name}_{seed}", f"independent_{seed}"
    audit, compared = (f" --stages_from={other}", f" --compare_to={other}") if name == "joint" else ("", "")
    settings = EXTRA[name] if name in EXTRA else f"{RUNS[name]} {SIZE}"
    boxes = f" --regions={regions}" if regions else ""
    return [
        f"avinst train --data_dir=DATASET --run_dir={run_dir} {settings} --seed={seed}",
        f"avinst evaluate --run_dir={run_dir} --split=test{audit}",
        f"avinst analyze --run_dir={run_dir} --split=test{compared}{boxes}",
    ]


def page(work: Work, media_root: str, seeds: Sequence[int], title: str, regions: str) -> str:
    """The document, every figure read from the files that the commands wrote."""
    dataset = work.read("DATASET", "dataset.json")
    recordings, labels = dataset["recordings"], dataset["labels"]
    parts = [
        "# Results",
        "Made by `python benchmarks/results.py --media_root=VIDEOS --work_dir=WORK "
        "--regions=benchmarks/clips_regions.csv`; do not edit.",
        f"## {title}",
        f"{len(labels)} instruments ({', '.join(labels)}); recordings: train {recordings['train']}, validation "
        f"{recordings['validation']}, test {recordings['test']}; segments: {sum(dataset['segments'].values())}; "
        f"{dataset['rejects']} rejects.",
        "Test split, recording level, from scratch: mean over the seeds (lowest to highest). The product is that "
        "of the probabilities of audio and visual alone, normalized: what fusion has to beat. Chance is "
        f"{1 / len(labels):.3f} for Hit@1.",
        scores_table(work, seeds),
        "### What limits it?",
        limits(work, seeds),
        "### Which modality does the work?",
        "The audit's verdict on each fused run ([what it means](audit.md)).",
        verdicts(work, seeds),
        *analysis_section(work, list(RUNS), list(EXTRA), seeds, RESULTS_FILE.with_name("images")),
        f"### Commands ({available_cores()} cores, no GPU)",
        commands_block(work, media_root, seeds, regions),
        ", ".join(
            f"{name} {version}" for name, version in package_versions(("tensorflow", "keras", "av")).items()
        ),
    ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def scores_table(work: Work, seeds: Sequence[int]) -> str:
    """A row a scheme, and the product's."""
    rows = []
    for title, (name, stage) in ROWS.items():
        folder = ("stages", stage) if stage else ()
        found = [work.read(f"{name}_{seed}", *folder, "metrics.json").get("test") for seed in seeds]
        metrics = [values["recording"] for values in found if values]
        if metrics:
            cells = [mean_and_spread([values[column]["value"] for values in metrics]) for column in COLUMNS]
            rows.append([title, str(len(metrics)), *cells])
    audits = [work.read(f"independent_{seed}", "audit.json").get("test") for seed in seeds]
    products = [audit["scores"]["product"]["value"] for audit in audits if audit]
    if products:
        rows.insert(2, ["product of the two", str(len(products)), mean_and_spread(products), "", "", ""])
    return table(["scheme", "seeds", *COLUMNS.values()], rows)


def limits(work: Work, seeds: Sequence[int]) -> str:
    """Fusion against the product over all seeds, and what choosing between the modalities could reach at most."""
    audits = [work.read(f"independent_{seed}", "audit.json").get("test") for seed in seeds]
    audits = [audit for audit in audits if audit and audit.get("alone_right")]
    if not audits:
        return "Not measured yet."
    sentences = []
    for name in RUNS:
        own = [audit for seed in seeds if (audit := work.read(f"{name}_{seed}", "audit.json").get("test"))]
        differences = [audit["differences"]["fused_minus_product"]["value"] for audit in own]
        sentences.append(
            f"{name.capitalize()} fusion minus the product: {signed_mean_and_spread(differences)} over "
            f"{len(differences)} seeds."
        )

    def total(group: str, key: str) -> int:
        return sum(audit["alone_right"][group][key] for audit in audits)

    recordings = sum(audit["recordings"] for audit in audits)
    one, of_one = (total("audio", key) + total("visual", key) for key in ("recordings", "fused"))
    neither, of_neither = (total("neither", key) for key in ("recordings", "fused"))
    sentences.append(
        f"Audio or vision alone is right on {1 - neither / recordings:.3f} of the test recordings, the most that "
        f"choosing between the two could reach. Where only one of them is right ({one} of {recordings} recordings "
        f"of {len(audits)} seeds), independent fusion is right on {of_one / one:.2f} of them; where neither is "
        f"({neither}), on {of_neither}."
    )
    visual = statistics.mean(audit["scores"]["visual_alone"]["value"] for audit in audits)
    photographs = work.read("DATASET", "dataset.json")["recordings"]["train"]
    sentences.append(
        f"Vision alone reaches {visual:.2f}: Inception V3 without pretrained weights on {photographs} recordings "
        "is the weaker half, and what there is to gain lies there first."
    )
    return " ".join(sentences)


def signed_mean_and_spread(values: Sequence[float]) -> str:
    """Mean, lowest and highest of differences."""
    return f"{statistics.mean(values):+.3f} ({min(values):+.3f} to {max(values):+.3f})"


def mean_and_spread(values: Sequence[float]) -> str:
    """Mean, and the lowest and the highest where there are several."""
    text = f"{statistics.mean(values):.3f}"
    return text if len(values) == 1 else f"{text} ({min(values):.3f} to {max(values):.3f})"


def verdicts(work: Work, seeds: Sequence[int]) -> str:
    """The sentences of each run's audit."""
    lines = []
    for title, (name, stage) in ROWS.items():
        for seed in () if stage or name in EXTRA else seeds:
            audit = work.read(f"{name}_{seed}", "audit.json").get("test")
            if audit:
                lines.append(f"- **{title}**, seed {seed}: {' '.join(audit['verdict'])}")
    return "\n".join(lines)


def commands_block(work: Work, media_root: str, seeds: Sequence[int], regions: str) -> str:
    """The commands for the first seed, each with its time; the median over the seeds where there are several."""
    lines = [[command] for command in dataset_commands(media_root)]
    for name in RUNS:
        lines += [list(same) for same in zip(*(run_commands(name, seed, regions) for seed in seeds), strict=True)]
    lines += [[command] for name in EXTRA for command in run_commands(name, seeds[0], regions)]
    shown = []
    for same in lines:
        seconds = [work.seconds[command] for command in same if command in work.seconds]
        taken = f"  # {format_seconds(statistics.median(seconds))}" if seconds else ""
        shown.append(same[0].replace(shlex.quote(media_root), "VIDEOS") + taken)
    others = ", ".join(str(seed) for seed in seeds[1:])
    note = (
        f"\n\nThe same for the seeds {others}, the small CNN's left out; times are medians over the seeds."
        if others
        else ""
    )
    return "<!-- needs an idle machine: hours -->\n```bash\n" + "\n".join(shown) + "\n```" + note


def main() -> None:
    """Reads the flags, runs the commands seed by seed, writes the page after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--media_root", required=True)
    parser.add_argument("--work_dir", required=True, type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--regions", type=Path, help="boxes for avinst analyze --regions, such as clips_regions.csv"
    )
    parser.add_argument("--page_only", action="store_true")
    parser.add_argument("--title", default="990 clips of 3 s, 9 instruments, 128 px")
    arguments = parser.parse_args()
    work, media_root = Work(arguments.work_dir), str(Path(arguments.media_root).resolve())
    if arguments.regions:
        shutil.copyfile(arguments.regions, work.folder / REGIONS)
    regions = REGIONS if arguments.regions else ""

    def write_page() -> None:
        RESULTS_FILE.write_text(
            page(work, media_root, arguments.seeds, arguments.title, regions), encoding="utf-8"
        )

    if not arguments.page_only:
        for command in dataset_commands(media_root):
            work.do(command)
        for seed in arguments.seeds:
            for name in [*RUNS, *(EXTRA if seed == arguments.seeds[0] else ())]:
                for command in run_commands(name, seed, regions):
                    work.do(command)
            write_page()
    write_page()


if __name__ == "__main__":
    main()
