"""Fuzzing of the example parser: records and TFRecord files that are damaged, or whole and hostile.

    python tests/fuzz/fuzz_examples.py --seconds=600 --findings=FOLDER

The parser is TensorFlow's, which is compiled without coverage, so the mutations know what an example holds.
Each input must be read as examples of the spec's shapes, or end as an InvalidArgumentError (a record) or a
UserError of one line (a file); the process's memory must stay where it was.
"""

import collections
import hashlib
import random
import resource
import struct
import sys
import tempfile
import time
import traceback
from pathlib import Path

import tensorflow as tf
from example_bytes import HostileFile, example_with, jpeg_of
from fuzz_flags import arguments
from media_mutations import mutated

MEMORY_BYTES = 256 * 2**20  # above what the first inputs took; a frame of this spec takes 3 kB
ODD_INTEGERS = (-1, 0, 2, 3, 2**31, -(2**63), 2**63 - 1)
ODD_FLOATS = (0.0, float("nan"), float("inf"), -1e38)


def hostile_example(rng: random.Random, records: list[bytes]) -> bytes:
    """A record that is a serialized Example, or nearly."""
    message = tf.train.Example.FromString(rng.choice(records))
    features = message.features.feature
    for _ in range(rng.randint(1, 2)):
        name = rng.choice(sorted(features))
        feature = features[name]
        match rng.randrange(6):
            case 0:
                del features[name]
                if not features:
                    break
            case 1:
                feature.Clear()
                feature.int64_list.value.extend(rng.choices(ODD_INTEGERS, k=rng.randrange(4)))
            case 2:
                feature.Clear()
                feature.float_list.value.extend(rng.choices(ODD_FLOATS, k=rng.randrange(4)))
            case 3:
                size = rng.choice((1, 2, 15, 16, 127, 128, 200, 2048, 65_535))
                feature.Clear()
                feature.bytes_list.value.append(rng.randbytes(size))
            case 4:
                width, height = (rng.choice((0, 1, 31, 32, 33, 4000, 12_000, 65_535)) for _ in range(2))
                feature.Clear()
                feature.bytes_list.value.append(jpeg_of(32, 32, (width, height)))
            case _:
                values = feature.bytes_list.value
                if values:
                    values[0] = mutated(rng, values[0], records)
                    values.extend(values[:1] * rng.choice((0, 0, 0, 1)))
    return message.SerializeToString(deterministic=True)


def hostile_file(rng: random.Random, content: bytes, records: list[bytes]) -> bytes:
    """A TFRecord file with other bytes, or with lengths that are odd."""
    if rng.random() < 0.7:
        return mutated(rng, content, records)
    data = bytearray(content)
    data[:8] = struct.pack("<Q", rng.choice((0, 1, 2**31, 2**32, 2**63, 2**64 - 1)))
    return bytes(data)


def fuzz(seconds: float, seed: int, findings: Path) -> int:
    """Mutates and reads for a time; returns how many different findings there were."""
    rng = random.Random(seed)
    seen: collections.Counter[str] = collections.Counter()
    places: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        target = HostileFile(Path(folder))
        records = [*target.records, example_with()]
        began, executions, usual = time.monotonic(), 0, 0
        while time.monotonic() < began + seconds:
            executions += 1
            record = (
                hostile_example(rng, records) if rng.random() < 0.8 else mutated(rng, rng.choice(records), records)
            )
            way, data = "record", record
            try:
                kind = rng.randrange(10)
                if kind == 0:
                    way, data = "file", hostile_file(rng, target.content, records)
                    told = target.read_file(data)
                    assert target.read_file(data) == told, "another result the second time"
                elif kind == 1:
                    way = "file of whole records"
                    told = target.read_records([*target.records[:3], record, *target.records[4:]])
                else:
                    told = target.parse(record)
                seen[f"{way} {'refused' if told else 'read'}"] += 1
                taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
                usual = taken if executions <= 50 else usual
                assert taken - usual < MEMORY_BYTES, f"{(taken - usual) / 2**20:.0f} MiB of memory"
            except Exception as error:  # noqa: BLE001  # that is what is looked for
                frame = traceback.extract_tb(error.__traceback__)[-1]
                usual = max(usual, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
                place = f"{way}: {Path(frame.filename).name}:{frame.lineno} {type(error).__name__}"
                if place not in places:
                    places.add(place)
                    findings.mkdir(parents=True, exist_ok=True)
                    file = findings / f"examples-{hashlib.sha256(data).hexdigest()[:10]}"
                    file.write_bytes(data)
                    print(f"FINDING {place}: {str(error)[:200]!r}; {file}", flush=True)
    told = f"{executions} executions in {seconds:.0f} s, seed {seed}, {len(places)} findings"
    print(f"examples: {told}; {dict(seen)}")
    return len(places)


if __name__ == "__main__":
    settings = arguments(__doc__)
    sys.exit(bool(fuzz(settings.seconds, settings.seed, settings.findings)))
