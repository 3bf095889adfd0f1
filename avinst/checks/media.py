"""The doctor looks at PyAV: does its FFmpeg decode what videos are made of?"""

import importlib.metadata
from collections.abc import Sequence
from typing import Literal

from avinst.checks.finding import Finding, Plans, note, ok, wrong
from avinst.versions import ffmpeg_versions

DECODERS = (
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
ENCODERS = ("libx264", "aac")
_REINSTALL = "reinstall PyAV from its wheel: pip install --force-reinstall --only-binary=:all: av"


def check_codecs(_: Plans) -> list[Finding]:
    """Whether PyAV's FFmpeg decodes what videos are made of, and encodes what demo and explain write."""
    ffmpeg = ", ".join(f"{name} {version}" for name, version in ffmpeg_versions().items() if name != "libavdevice")
    findings = ok("FFmpeg", ffmpeg)
    for subject, names, mode in (("decoders", DECODERS, "r"), ("encoders", ENCODERS, "w")):
        lacking = _missing(names, "r" if mode == "r" else "w")
        use = "" if mode == "r" else ", which avinst demo and avinst explain need"
        if lacking:
            findings += wrong(subject, f"none for {', '.join(lacking)}{use}; {_REINSTALL}")
        else:
            findings += ok(subject, ", ".join(names))
    return findings


def check_wheel(_: Plans) -> list[Finding]:
    """Whether PyAV is the wheel with an FFmpeg of its own, or was built with the system's or conda's."""
    files = importlib.metadata.files("av") or []
    if not files or any(file.parts[0] in ("av.libs", "av") and "avcodec" in file.name for file in files):
        return []
    text = "PyAV uses an FFmpeg from outside of its package; other versions can decode other frames"
    return note("PyAV", f"{text}: for the same results everywhere, {_REINSTALL}")


def _missing(names: Sequence[str], mode: Literal["r", "w"]) -> list[str]:
    import av

    lacking = []
    for name in names:
        try:
            av.Codec(name, mode)
        except ValueError:
            lacking.append(name)
    return lacking
