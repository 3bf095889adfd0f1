"""Reads a SoundFont 2 file: what the 2.04 specification calls the `sdta` and `pdta` chunks, as NumPy arrays."""

import functools
import importlib.util
import mmap
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from avinst.errors import UserError
from avinst.synthesis.soundfont import SoundFont

_GENERATOR = np.dtype([("operator", "<u2"), ("amount", "<i2")])
_BAG = np.dtype([("generator", "<u2"), ("modulator", "<u2")])
_PRESET = np.dtype([("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("rest", "V12")])
_INSTRUMENT_HEADER = np.dtype([("name", "S20"), ("bag", "<u2")])
_SAMPLE_HEADER = np.dtype(
    [
        ("name", "S20"),
        ("start", "<u4"),
        ("end", "<u4"),
        ("loop_start", "<u4"),
        ("loop_end", "<u4"),
        ("rate", "<u4"),
        ("root_key", "u1"),
        ("cents", "i1"),
        ("link", "<u2"),
        ("type", "<u2"),
    ]
)


@functools.cache
def load_soundfont(path: str | None = None) -> SoundFont:
    """Reads a SoundFont 2 file; without a path the General MIDI one that comes with the pretty_midi package.

    Raises:
        UserError: the file is not there or is no SoundFont.
    """
    path = path or _general_midi_path()
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # mmap wants the open file
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read the SoundFont {path!r}: {error}; reinstall pretty_midi") from error
    chunks = dict(_chunks(mapped))
    dtypes: Sequence[tuple[bytes, np.dtype]] = (
        (b"smpl", np.dtype("<i2")),
        (b"phdr", _PRESET),
        (b"pbag", _BAG),
        (b"pgen", _GENERATOR),
        (b"inst", _INSTRUMENT_HEADER),
        (b"ibag", _BAG),
        (b"igen", _GENERATOR),
        (b"shdr", _SAMPLE_HEADER),
    )
    missing = [name.decode() for name, _ in dtypes if name not in chunks]
    if missing:
        raise UserError(f"{path!r} is no SoundFont 2 file (chunk {missing[0]} is missing); reinstall pretty_midi")
    arrays = [
        np.frombuffer(mapped, dtype, chunks[name][1] // dtype.itemsize, chunks[name][0]) for name, dtype in dtypes
    ]
    return SoundFont(*arrays)


def _chunks(data: mmap.mmap) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Name, offset and size in bytes of every RIFF chunk that is no list of chunks."""
    position = 0
    while position + 8 <= len(data):
        name, size = data[position : position + 4], int.from_bytes(data[position + 4 : position + 8], "little")
        if name in (b"RIFF", b"LIST"):
            position += 12  # its chunks follow, after four letters that say of what kind
            continue
        yield name, (position + 8, size)
        position += 8 + size + size % 2


def _general_midi_path() -> str:
    # Not imported: importing pretty_midi takes a second and warns about setuptools.
    found = importlib.util.find_spec("pretty_midi")
    if found is None or found.origin is None:
        raise UserError("pretty_midi, whose SoundFont plays the demo, is not installed; pip install pretty_midi")
    return str(Path(found.origin).with_name("TimGM6mb.sf2"))
