"""The flags that every target of fuzzing has."""

import argparse
from pathlib import Path


def arguments(about: str | None) -> argparse.Namespace:
    """The flags of a target: `seconds`, `seed`, `findings` (an absolute path)."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1, help="another one, other inputs")
    parser.add_argument("--findings", type=lambda text: Path(text).absolute(), default="fuzz_findings")
    return parser.parse_args()
