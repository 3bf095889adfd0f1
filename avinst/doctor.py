"""Checks this machine: versions, codecs, accelerators and file access; says what is wrong and what to do.

avinst doctor
avinst doctor --licences
"""

import contextlib
import dataclasses
import importlib
import io
import json
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from absl import flags

from avinst import command, command_flags
from avinst.errors import UserError
from avinst.machine import available_cores
from avinst.quiet import import_tensorflow_quietly
from avinst.versions import ffmpeg_versions, package_versions


class Finding(NamedTuple):
    """The outcome of one check: `ok`, `note` (works, but worth knowing) or `wrong`, and what to do."""

    state: str
    subject: str
    text: str


# Not the whole of the lock: what avinst itself imports.
_IMPORTED = {
    "absl-py": "absl",
    "apache-beam": "apache_beam",
    "av": "av",
    "keras": "keras",
    "keras-cv": "keras_cv",
    "matplotlib": "matplotlib",
    "pillow": "PIL",
    "scikit-learn": "sklearn",
    "scipy": "scipy",
    "tensorboard": "tensorboard",
    "tensorflow": "tensorflow",
    "tensorflow-io": "avinst.log_mel",  # the one place that imports it, and does so quietly
    "tf-keras-vis": "tf_keras_vis",
}
_DECODERS = (
    "h264",
    "hevc",
    "vp8",
    "vp9",
    "av1",
    "mpeg4",
    "mpeg2video",
    "aac",
    "mp3",
    "opus",
    "vorbis",
    "ac3",
    "pcm_s16le",
)
_ENCODERS = ("libx264", "aac")
_LOW_DISK_BYTES = 2e9
_LOW_MEMORY_BYTES = 4e9

FLAGS = command_flags.new_flags()
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", ".", "where you mean to write datasets and runs", flag_values=FLAGS
)
_LICENCES = flags.DEFINE_bool(
    "licences", False, "instead, list the licences of all that avinst depends on", flag_values=FLAGS
)
_JSON = flags.DEFINE_bool("json", False, "print JSON", flag_values=FLAGS)


def check_python() -> list[Finding]:
    """Whether this Python is one that all dependencies have wheels for."""
    found = ".".join(map(str, sys.version_info[:3]))
    if (3, 11) <= sys.version_info[:2] < (3, 13):
        return [Finding("ok", "Python", found)]
    return [Finding("wrong", "Python", f"{found}; avinst needs 3.11 or 3.12: make a virtual environment with one")]


def check_packages() -> list[Finding]:
    """Whether each package imports, with its version."""
    versions = package_versions(tuple(_IMPORTED))
    findings = []
    for package, module in _IMPORTED.items():
        try:
            with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
                warnings.simplefilter("ignore")
                importlib.import_module(module)
        except Exception as error:  # noqa: BLE001  # a broken package may raise anything; it is what is looked for
            text = f"{versions[package]}, does not import ({type(error).__name__}: {error}); run make setup again"
            findings.append(Finding("wrong", package, " ".join(text.split())))
        else:
            findings.append(Finding("ok", package, versions[package]))
    return findings


def check_codecs() -> list[Finding]:
    """Whether PyAV's FFmpeg decodes what videos are usually made of, and encodes what the demo writes."""
    import av

    def missing(names: Sequence[str], mode: Literal["r", "w"]) -> list[str]:
        lacking = []
        for name in names:
            try:
                av.Codec(name, mode)
            except ValueError:
                lacking.append(name)
        return lacking

    ffmpeg = ", ".join(f"{name} {version}" for name, version in ffmpeg_versions().items() if name != "libavdevice")
    decoders, encoders = missing(_DECODERS, "r"), missing(_ENCODERS, "w")
    reinstall = "reinstall PyAV from its wheel: pip install --force-reinstall --only-binary=:all: av"
    return [
        Finding("ok", "FFmpeg", ffmpeg),
        Finding("wrong", "decoders", f"none for {', '.join(decoders)}; {reinstall}")
        if decoders
        else Finding("ok", "decoders", ", ".join(_DECODERS)),
        Finding("wrong", "encoders", f"none for {', '.join(encoders)}, which the demo needs; {reinstall}")
        if encoders
        else Finding("ok", "encoders", ", ".join(_ENCODERS)),
    ]


def check_accelerators() -> list[Finding]:
    """Which devices TensorFlow sees."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return [Finding("ok", "GPUs", f"{len(gpus)}; training uses all of them")]
    if Path("/dev/nvidia0").exists():
        text = "this machine has one but TensorFlow does not see it: pip install 'avinst[gpu]', check nvidia-smi"
        return [Finding("wrong", "GPUs", text)]
    return [
        Finding(
            "note",
            "GPUs",
            f"none; {available_cores()} CPU cores (--precision=mixed_bfloat16 trains faster on CPU)",
        )
    ]


def check_machine(directory: str) -> list[Finding]:
    """Whether the directory can be written to, and whether there is room and memory."""
    findings = []
    try:
        with tempfile.NamedTemporaryFile(dir=directory, prefix=".avinst-doctor-"):
            findings.append(Finding("ok", "writing", f"{directory} can be written to"))
    except OSError as error:
        text = f"{directory}: {error.strerror}; choose another --output_dir or change its permissions"
        return [Finding("wrong", "writing", text)]
    free = shutil.disk_usage(directory).free
    state = "ok" if free > _LOW_DISK_BYTES else "wrong"
    advice = "" if state == "ok" else "; a segment takes about 40 kB, a run about 500 MB: make room"
    findings.append(Finding(state, "disk", f"{free / 1e9:.1f} GB free in {directory}{advice}"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    state = "ok" if memory > _LOW_MEMORY_BYTES else "note"
    advice = "" if state == "ok" else "; train with a smaller --batch_size"
    return [*findings, Finding(state, "memory", f"{memory / 1e9:.1f} GB{advice}")]


def examine(directory: str) -> list[Finding]:
    """All checks in order; one that cannot run because of an earlier one is left out."""
    findings = check_python() + check_packages()
    broken = {finding.subject for finding in findings if finding.state == "wrong"}
    dependent: list[tuple[str, Callable[[], list[Finding]]]] = [
        ("av", check_codecs),
        ("tensorflow", check_accelerators),
    ]
    for package, check in dependent:
        if package not in broken:
            findings += check()
    return findings + check_machine(directory)


def doctor() -> None:
    """Prints the findings; raises UserError if anything is wrong. With --licences prints these instead."""
    if _LICENCES.value:
        _print_licences()
        return
    import_tensorflow_quietly()
    findings = examine(_OUTPUT_DIR.value)
    if _JSON.value:
        print(json.dumps([finding._asdict() for finding in findings], indent=1))  # noqa: T201
    for finding in [] if _JSON.value else findings:
        print(f"{finding.state:<6} {finding.subject:<14} {finding.text}")  # noqa: T201
    wrong = [finding.subject for finding in findings if finding.state == "wrong"]
    if wrong:
        raise UserError(f"wrong: {', '.join(wrong)}; see above for what to do")


def _print_licences() -> None:
    from avinst.licences import UNKNOWN, dependency_licences

    found = dependency_licences()
    if _JSON.value:
        print(json.dumps([dataclasses.asdict(licence) for licence in found], indent=1))  # noqa: T201
        return
    widths = [max(len(getattr(licence, column)) for licence in found) for column in ("name", "version", "licence")]
    for licence in found:
        cells = zip((licence.name, licence.version, licence.licence), widths, strict=True)
        flag = f"{licence.copyleft} copyleft" if licence.copyleft else ""
        flag += f" (bundled: {licence.bundled})" if licence.bundled else ""
        print("  ".join([*(f"{cell:<{width}}" for cell, width in cells), flag]).rstrip())  # noqa: T201
    unknown = [licence.name for licence in found if licence.licence == UNKNOWN]
    flagged = [
        licence.name + (f" (bundled: {licence.bundled})" if licence.bundled else "")
        for licence in found
        if licence.copyleft
    ]
    summary = [
        f"{len(found)} packages",
        f"licence unknown: {', '.join(unknown) or 'none'}",
        f"copyleft: {', '.join(flagged) or 'none'}",
        *(f"{licence.name} {licence.note}" for licence in found if licence.note),
    ]
    print("\n" + "\n".join(summary))  # noqa: T201


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    return command.run(doctor, FLAGS, argv)


if __name__ == "__main__":
    sys.exit(main())
