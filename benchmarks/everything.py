"""Makes docs/benchmarks.md anew: all that it takes, in order, each command once.

    python benchmarks/everything.py --media_root=VIDEOS --work_dir=WORK

VIDEOS holds one folder a class; the page's figures are of 990 clips of 3 s. Wants an idle machine for some 45
minutes on 2 cores, the `ffmpeg` command and, for one row, pandas. It can be interrupted and goes on; what is done
is measured again with another WORK only.
"""

import argparse
import csv
import shlex
from collections.abc import Sequence
from pathlib import Path

from work import Work

# Of the recordings, for what trains several times: every fifth, so that all labels stay.
EVERY = 5
# As docs/results.md trains: bfloat16 where the machine has it.
LARGE = "--audio_blocks=4 --audio_width=0.5 --precision=auto"
# The paper's networks in the precision that tf-keras-vis takes.
PAPER = "--precision=float32"


def inputs(media_root: str) -> list[str]:
    """The datasets and two runs, whose weights do not matter for what they cost."""
    prepare = f"avinst prepare --media_root={media_root} --splits=stratified"
    train = "avinst train --data_dir=DATASET --scheme=joint --epochs=1"
    return [
        f"{prepare} --manifest=manifest.csv --data_dir=DATASET --frame_size=128",
        f"{prepare} --manifest=few.csv --data_dir=FEW --frame_size=64",
        f"{train} --run_dir=LARGE {LARGE}",
        f"{prepare} --manifest=few.csv --data_dir=MAPS --frame_size=96",
        f"avinst train --data_dir=MAPS --scheme=joint --epochs=1 --run_dir=PAPER {PAPER}",
        "avinst export --run_dir=LARGE",
    ]


def measurements(media_root: str) -> list[str]:
    """Each writes its section of the page."""
    return [
        "python benchmarks/prepare.py --work_dir=prepare",
        "python benchmarks/interruption.py --data_dir=FEW --work_dir=interruption",
        "python benchmarks/replicas.py --data_dir=FEW",
        "python benchmarks/train.py --data_dir=DATASET",
        "python benchmarks/analyze.py --part=features --run_dir=LARGE",
        "python benchmarks/analyze.py --part=gradcam --run_dir=PAPER",
        "python benchmarks/analyze.py --part=spearman",
        f"python benchmarks/predict.py --run_dir=LARGE --manifest=manifest.csv --media_root={media_root}",
    ]


def keep_every(manifest: Path, few: Path, every: int) -> None:
    """Writes one row of a manifest in so many."""
    with manifest.open(newline="") as file:
        head, *rows = list(csv.reader(file))
    with few.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows[::every]])


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what is not done yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--media_root", required=True)
    parser.add_argument("--work_dir", required=True, type=Path)
    given = parser.parse_args(arguments)
    work, media_root = Work(given.work_dir), shlex.quote(str(Path(given.media_root).resolve()))
    work.do(f"avinst manifest --format=folders --media_root={media_root} --output=manifest.csv")
    keep_every(work.folder / "manifest.csv", work.folder / "few.csv", EVERY)
    for command in (*inputs(media_root), *measurements(media_root)):
        work.do(command)


if __name__ == "__main__":
    main()
