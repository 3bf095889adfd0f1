"""Writes docs/scale.md: what preparing, training, predicting and analyzing cost for any number of videos.

    python benchmarks/scale.py
    python benchmarks/scale.py --output=/tmp/scale.md --mean_seconds=240 --dataflow_vcpu_hour=0.07

Computes, measures nothing: the measurements are in benchmarks/scale_measured.json, and the page names the command
of each. What they cannot tell (prices, machines, lengths) are flags.
"""

import argparse
from pathlib import Path

from scale_page import page
from scale_parameters import add_flags, from_flags
from scale_record import load

PAGE = Path(__file__).parents[1] / "docs" / "scale.md"


def main() -> None:
    """Flags to a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=PAGE)
    add_flags(parser)
    arguments = parser.parse_args()
    arguments.output.write_text(page(load(), from_flags(arguments)), encoding="utf-8")


if __name__ == "__main__":
    main()
