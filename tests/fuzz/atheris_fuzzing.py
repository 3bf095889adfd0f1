"""Runs a target under atheris for a time: goes on after a finding, keeps each once, tells what was done."""

import argparse
import collections
import hashlib
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

import atheris


def fuzz(
    name: str,
    one: Callable[[bytes], str],
    seeds: Iterable[bytes],
    settings: argparse.Namespace,
    *,
    max_bytes: int,
) -> int:
    """Never returns: libFuzzer ends the process, with status 1 where something was found.

    Args:
        name: of the target.
        one: takes an input and says what came of it; whatever it raises is a finding.
        seeds: good inputs.
        settings: as `fuzz_flags.arguments` gives them.
        max_bytes: of an input.
    """
    seen: collections.Counter[str] = collections.Counter()
    places: dict[str, Path] = {}
    findings, began = settings.findings, time.monotonic()
    findings.mkdir(parents=True, exist_ok=True)
    seconds = max(1, round(settings.seconds))

    def told(data: bytes) -> None:
        if time.monotonic() - began > seconds:
            print(
                f"{name}: {seen.total()} executions in {seconds} s, {len(places)} findings; {dict(seen)}",
                flush=True,
            )
            os._exit(bool(places))  # libFuzzer would end the process without a word, its corpus is not wanted
        try:
            seen[one(data)] += 1
        except Exception as error:  # noqa: BLE001  # that is what is looked for
            seen["finding"] += 1
            place = _place(error)
            if place not in places:
                places[place] = findings / f"{name}-{hashlib.sha256(data).hexdigest()[:10]}"
                places[place].write_bytes(data)
                print(
                    f"FINDING {type(error).__name__}: {str(error)[:200]} at {place}; {places[place]}", flush=True
                )

    with tempfile.TemporaryDirectory(prefix="corpus-") as corpus:
        for seed in seeds:
            Path(corpus, hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
        options = [
            f"-seed={settings.seed}",
            f"-max_len={max_bytes}",
            "-timeout=60",
            "-rss_limit_mb=4096",
            "-verbosity=0",
        ]
        atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={findings}/", corpus], told)
        atheris.Fuzz()
    return 0


def _place(error: Exception) -> str:
    """Where it came from: the last line of this project in the traceback, and what was raised there."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if "site-packages" not in frame.filename
    ]
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno} {type(error).__name__}"
