"""Coverage-guided fuzzing of the readers of text: manifests, annotation files, boxes, and a dataset's JSON files.

    python tests/fuzz/fuzz_text.py --seconds=600 --findings=FOLDER

`tests/fuzz/text_readers.py` says what must hold.
"""

import sys
import tempfile
from pathlib import Path

import atheris
import atheris_fuzzing
from fuzz_flags import arguments
from text_readers import READERS, check_text
from text_seeds import seeds_of

NAMES = sorted(READERS)


def main() -> int:
    """Fuzzes for the time that the flags say; returns the exit status."""
    settings = arguments(__doc__)
    seeds = [bytes([number]) + seed for number, name in enumerate(NAMES) for seed in seeds_of(name)]
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        work = {name: Path(folder, name) for name in NAMES}
        for path in work.values():
            path.mkdir()

        def one(data: bytes) -> str:
            name = NAMES[data[0] % len(NAMES)] if data else NAMES[0]
            return f"{name} {'refused' if check_text(name, work[name], data[1:]) else 'read'}"

        return atheris_fuzzing.fuzz("text", one, seeds, settings, max_bytes=8192)


if __name__ == "__main__":
    assert atheris
    sys.exit(main())
