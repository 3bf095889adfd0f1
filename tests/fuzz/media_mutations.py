"""What damages a media file: bytes anywhere, and the sizes, names and order of a container's parts."""

import random
import re
import struct
from collections.abc import Callable, Sequence

Mutation = Callable[[random.Random, bytearray, Sequence[bytes]], None]

ODD_NUMBERS = (0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
ODD_NUMBERS_OF_8 = (*ODD_NUMBERS, 2**32, 2**62, 2**63 - 1, 2**63, 2**64 - 1)
MAX_BYTES = 400_000
# Of MP4 and its kin, and of RIFF: a name of four letters, before or after which stands a length.
_FOURCC = re.compile(rb"[a-zA-Z0-9 ]{4}")
_EBML_IDS = [
    bytes.fromhex(text)
    for text in (  # noqa: SIM905
        "1A45DFA3 18538067 1549A966 2AD7B1 4489 1654AE6B AE D7 83 86 63A2 E0 B0 BA E1 B5 9F 1F43B675 E7 A3 A0 A1 "
        "9B FB 1C53BB6B BB B3 B7 F1 23E383 56AA 56BB 53AC 114D9B74 1254C367"
    ).split()
]
_TS_PACKET, _TS_SYNC = 188, 0x47


def mutated(rng: random.Random, seed: bytes, others: Sequence[bytes]) -> bytes:
    """The seed after one to eight mutations; few are the rule: what is broken all over is refused."""
    data = bytearray(seed)
    for _ in range(min(8, 1 + int(rng.expovariate(0.7)))):
        if len(data) < 16:
            break
        rng.choice(MUTATIONS)(rng, data, others)
    del data[MAX_BYTES:]
    return bytes(_with_ogg_checksums(data) if data[:4] == b"OggS" and rng.random() < 0.8 else data)


def flip_bits(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    """One to sixteen bits."""
    for _ in range(1 << rng.randrange(5)):
        data[_place(rng, data)] ^= 1 << rng.randrange(8)


def set_bytes(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    """A run of zeros, of ones, or of noise."""
    first, length = _place(rng, data), 1 << rng.randrange(10)
    length = min(length, len(data) - first)
    data[first : first + length] = rng.choice((bytes(length), b"\xff" * length, rng.randbytes(length)))


def set_number(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    """A number of 2, 4 or 8 bytes that is at the edge of some type."""
    _put(rng, data, _place(rng, data), rng.choice((2, 4, 8)))


def cut_end(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    """The file ends early."""
    del data[rng.randrange(8, len(data)) :]


def remove_part(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    """A hole of up to 4 kB that closes up."""
    first = _place(rng, data)
    del data[first : first + (1 << rng.randrange(13))]


def repeat_part(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    """A part stands once more, there or elsewhere."""
    first, length = _place(rng, data), 1 << rng.randrange(13)
    where = rng.choice((first, _place(rng, data)))
    data[where:where] = data[first : first + length]


def splice(rng: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    """A part of another file, in place of what was there or between."""
    other = rng.choice(others)
    first, length = rng.randrange(len(other)), 1 << rng.randrange(14)
    piece, where = other[first : first + length], _place(rng, data)
    data[where : where + rng.choice((0, len(piece)))] = piece


def join_another(rng: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    """Another file, or the same, behind this one."""
    data += rng.choice((bytes(data), rng.choice(others)))


def change_box(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    """Of a part with a name of four letters (MP4, AVI): its length, its name, its first fields, or all of it."""
    names = [match.start() for match in _FOURCC.finditer(data)]
    if not names:
        return
    name = rng.choice(names)
    before, after = max(0, name - 4), min(name + 4, len(data) - 4)
    size_before = int.from_bytes(data[before:name], "big")
    match rng.randrange(6):
        case 0:  # MP4's length stands before the name
            data[before:name] = struct.pack(">I", (size_before + rng.randint(-16, 16)) % 2**32)
        case 1:  # RIFF's behind it
            size = int.from_bytes(data[after : after + 4], "little")
            data[after : after + 4] = struct.pack("<I", (size + rng.randint(-16, 16)) % 2**32)
        case 2:
            _put(rng, data, rng.choice((before, after)), 4)
        case 3:
            other = rng.choice(names)
            data[name : name + 4] = data[other : other + 4]
        case 4:  # counts and stamps are within the first fields
            _put(rng, data, min(len(data) - 8, after + 4 * rng.randrange(8)), rng.choice((4, 8)))
        case _:
            if 8 <= size_before <= 65_536:
                whole = data[before : before + size_before]
                del data[before : before + size_before]
                if rng.random() < 0.6:  # moved or repeated, not lost
                    where = rng.randrange(len(data) + 1)
                    data[where:where] = whole * rng.choice((1, 1, 2))


def change_element(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    """Of an element of Matroska: its length, its id, or its first bytes."""
    kind = rng.choice(_EBML_IDS)
    places = [match.start() for match in re.finditer(re.escape(kind), data)]
    if not places:
        return
    length = rng.choice(places) + len(kind)
    if length + 9 > len(data):
        return
    match rng.randrange(4):
        case 0:
            data[length] = rng.choice((0x80, 0x81, 0x84, 0x88, 0xFF, 0x01, 0x00, data[length] ^ 1))
        case 1:
            data[length : length + 1] = b"\x01" + rng.choice(ODD_NUMBERS_OF_8[:-5]).to_bytes(7, "big")
        case 2:
            data[length - len(kind) : length] = rng.choice(_EBML_IDS)
        case _:
            _put(rng, data, length + 1, rng.choice((2, 4, 8)))


def change_packets(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    """Of a transport stream: packets lost, repeated, exchanged, of another stream, with other times."""
    if len(data) < 4 * _TS_PACKET or data[0] != _TS_SYNC or data[_TS_PACKET] != _TS_SYNC:
        return
    count = len(data) // _TS_PACKET
    first, second = (_TS_PACKET * rng.randrange(count) for _ in range(2))
    match rng.randrange(5):
        case 0:
            del data[first : first + _TS_PACKET]
        case 1:
            data[second:second] = data[first : first + _TS_PACKET]
        case 2:
            one, other = data[first : first + _TS_PACKET], data[second : second + _TS_PACKET]
            data[first : first + _TS_PACKET], data[second : second + _TS_PACKET] = other, one
        case 3:
            data[first + 1 : first + 4] = data[second + 1 : second + 4]
        case _:
            starts = [match.start() for match in re.finditer(rb"\x00\x00\x01[\xc0-\xef]", data)]
            if starts:
                _put(rng, data, min(len(data) - 8, rng.choice(starts) + 4 + rng.randrange(16)), 2)


MUTATIONS: tuple[Mutation, ...] = (
    flip_bits,
    flip_bits,
    set_bytes,
    set_number,
    set_number,
    cut_end,
    remove_part,
    repeat_part,
    splice,
    join_another,
    change_box,
    change_box,
    change_box,
    change_element,
    change_element,
    change_packets,
)


def _place(rng: random.Random, data: bytearray) -> int:
    """A position; as often in the first 1,500 bytes or the last as anywhere, where heads and indices are."""
    near = min(len(data), 1500)
    return rng.choice((rng.randrange(len(data)), rng.randrange(near), len(data) - 1 - rng.randrange(near)))


def _put(rng: random.Random, data: bytearray, where: int, size: int) -> None:
    number = rng.choice([number for number in ODD_NUMBERS_OF_8 if number < 2 ** (8 * size)])
    data[where : where + size] = number.to_bytes(size, rng.choice(("big", "little")))


def _with_ogg_checksums(data: bytearray) -> bytearray:
    """Pages whose checksum is wrong are dropped unread: each gets the right one."""
    starts = [match.start() for match in re.finditer(b"OggS", data)]
    for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
        if end - start >= 27:
            data[start + 22 : start + 26] = bytes(4)
            data[start + 22 : start + 26] = _ogg_crc(data[start:end]).to_bytes(4, "little")
    return data


def _ogg_crc(page: bytearray) -> int:
    crc = 0
    for byte in page:
        crc = (crc << 8 & 0xFFFFFFFF) ^ _OGG_TABLE[crc >> 24 ^ byte]
    return crc


def _ogg_table() -> list[int]:
    table = []
    for value in range(256):
        value <<= 24
        for _ in range(8):
            value = value << 1 ^ (0x04C11DB7 if value >> 31 else 0)
        table.append(value & 0xFFFFFFFF)
    return table


_OGG_TABLE = _ogg_table()
