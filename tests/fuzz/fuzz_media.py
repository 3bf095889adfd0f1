"""Fuzzing of what `avinst prepare` does with a media file: mutated ones through the product's own decoder child.

    python tests/fuzz/fuzz_media.py --seconds=600 --findings=FOLDER

FFmpeg is compiled without coverage, so the mutations know the containers instead. Each file must end as segments
and losses or as a MediaError of a documented reason, within the limits, twice in the same way, and leave no other
file.
"""

import collections
import dataclasses
import hashlib
import io
import os
import random
import re
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from fuzz_flags import arguments
from media_mutations import mutated
from media_seeds import write_seeds
from PIL import Image

from avinst.media.decoder import Decoder
from avinst.media.types import DecodeLimits, Loss, MediaError
from avinst.spec import DatasetSpec

SPEC = DatasetSpec(frame_size=32)
LIMITS = DecodeLimits(
    max_pixels=1024 * 1024,
    max_frames_per_second=120.0,
    max_duration_seconds=600.0,
    max_file_bytes=2**20,
    min_wall_seconds=10.0,
    wall_seconds_per_media_second=1.0,
    memory_bytes=2**30,
)
PAGE = Path(__file__).parents[2] / "docs" / "prepare.md"
REASONS = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", PAGE.read_text(), flags=re.MULTILINE))))
DEFECTS = {"no_segments", "internal_error"}  # documented as defects of avinst
# Allowed, for FFmpeg is not ours, but worth a look: the files are kept.
WORTH_A_LOOK = {"crashed", "timed_out", "out_of_memory"}
TWICE = 4  # one in so many files is decoded again
CHECKED = 200  # after so many files a good one must decode as ever
SLACK_SECONDS = 20.0  # a machine that is busy with other things


class Finding(Exception):
    """A file did what none may."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a file: its parts in order, and the reason at its end ("" for none)."""

    parts: tuple[tuple[object, ...], ...]
    reason: str

    @property
    def reasons(self) -> set[str]:
        """Of the losses and of the end."""
        return {str(part[1]) for part in self.parts if part[0] == "loss"} | ({self.reason} - {""})


def outcome(decoder: Decoder, path: str, start: float = 0.0, limits: DecodeLimits = LIMITS) -> Outcome:
    """Decodes a file and checks each part.

    Raises:
        Finding: a part or the error is not what is documented.
    """
    parts: list[tuple[object, ...]] = []
    last = -1
    media_seconds, reason, began = 0.0, "", time.monotonic()
    try:
        for part in decoder.decode(path, SPEC, start):
            if isinstance(part, Loss):
                _check(bool(part.detail), f"a loss without detail: {part}")
                parts.append(("loss", part.reason, part.segment, part.stage))
                continue
            _check(part.index > last, f"segment {part.index} after {last}")
            last, media_seconds = part.index, part.start_seconds + SPEC.segment_seconds
            _check(part.waveform.shape == (SPEC.segment_samples,), f"{part.waveform.shape} samples")
            _check(bool(np.isfinite(part.waveform).all()), "sound that is not finite")
            _check(bool(np.abs(part.waveform).max() <= 1.0), "sound beyond 1")
            with Image.open(io.BytesIO(part.jpeg)) as frame:
                _check((frame.size, frame.format, frame.mode) == ((32, 32), "JPEG", "RGB"), f"a frame {frame}")
            digest = hashlib.sha256(part.waveform.tobytes() + part.jpeg).hexdigest()
            parts.append(("segment", part.index, part.start_seconds, digest))
    except MediaError as error:
        reason = error.reason
        _check(bool(error.detail) and error.stage in ("open", "decode", "segment"), f"{error!r}")
    result = Outcome(tuple(parts), reason)
    took, most = time.monotonic() - began, max(limits.wall_seconds(media_seconds), limits.max_duration_seconds)
    _check(took < most + SLACK_SECONDS, f"took {took:.0f} s")
    unknown = result.reasons - REASONS
    _check(not unknown, f"reasons that docs/prepare.md does not name: {unknown}")
    _check(not result.reasons & DEFECTS, f"{result.reasons & DEFECTS}")
    return result


def _check(holds: bool, text: str) -> None:
    if not holds:
        raise Finding(text)


def fuzz(seconds: float, seed: int, findings: Path) -> int:
    """Mutates and decodes for a time; returns how many findings there were."""
    rng = random.Random(seed)
    seen: collections.Counter[str] = collections.Counter()
    found = executions = 0
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, Decoder(LIMITS) as decoder:
        work = Path(folder, "work")
        seeds = write_seeds(Path(folder, "seeds"))
        work.mkdir()
        os.chdir(work)  # what a child would write without a path lands here
        names, others = sorted(seeds), list(seeds.values())
        usual = Path(folder, "seeds", "plain.mkv")
        expected = outcome(decoder, str(usual))
        _check(not expected.reasons, f"the good file gives {expected}")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            name = rng.choice(names)
            data = mutated(rng, seeds[name], others)
            start = rng.choice((0.0, 0.0, 0.0, 0.0, 0.7, 11.0))
            file = work / "media.mp4"
            file.write_bytes(data)
            executions += 1
            try:
                first = outcome(decoder, str(file), start)
                for reason in first.reasons or {"clean"}:
                    seen[reason] += 1
                if executions % TWICE == 0 and not first.reasons & WORTH_A_LOOK:
                    executions += 1
                    _check(outcome(decoder, str(file), start) == first, "another result the second time")
                if executions % CHECKED < 2:
                    _check(
                        outcome(decoder, str(usual)) == expected, "a good file decodes otherwise after this one"
                    )
                strays = sorted(path.name for path in work.iterdir())
                _check(strays == [file.name], f"files beside the media: {strays}")
                if first.reasons & WORTH_A_LOOK:
                    _keep(findings, "-".join(sorted(first.reasons & WORTH_A_LOOK)), name, data)
            except Finding as error:
                found += 1
                path = _keep(findings, "finding", name, data)
                print(f"FINDING from {name}, start {start:g}: {error}; {path}", flush=True)
    told = f"{executions} executions in {seconds:.0f} s, seed {seed}, {found} findings"
    print(f"media: {told}; {dict(seen.most_common())}")
    return found


def _keep(folder: Path, what: str, seed: str, data: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{what}-{hashlib.sha256(data).hexdigest()[:10]}-{seed}"
    file.write_bytes(data)
    return file


if __name__ == "__main__":
    settings = arguments(__doc__)
    sys.exit(bool(fuzz(settings.seconds, settings.seed, settings.findings)))
