"""Bad, odd and hostile files: each ends as segments and losses or as one named error, and reads nothing else."""

import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from media_factory import tone, write_media

from avinst.media.decoder import Decoder
from avinst.media.types import DecodeLimits, MediaError, Segment
from avinst.spec import DatasetSpec

SPEC = DatasetSpec(frame_size=64)
LIMITS = DecodeLimits(
    max_pixels=1920 * 1088, max_duration_seconds=3600.0, max_file_bytes=50_000_000, min_wall_seconds=20.0
)
FASTSTART = {"movflags": "faststart"}

Make = Callable[[Path], Path | str]


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    """One for all files: what one of them does must not harm the next."""
    with Decoder(LIMITS) as decoder:
        yield decoder


def outcome(decoder: Decoder, path: Path | str) -> tuple[int, list[str]]:
    """(number of segments, reasons of losses and of the error)."""
    segments, reasons, is_told = 0, [], True
    try:
        for part in decoder.decode(os.fspath(path), SPEC):
            if isinstance(part, Segment):
                assert part.waveform.shape == (SPEC.segment_samples,)
                assert np.abs(part.waveform).max() <= 1.0
                segments += 1
            else:
                assert part.detail
                reasons.append(part.reason)
    except MediaError as error:
        reasons.append(error.reason)
        is_told = bool(error.detail) and error.stage in ("open", "decode", "segment")
    assert is_told
    return segments, reasons


def good(folder: Path, name: str = "good.mp4", **recipe: object) -> Path:
    return Path(
        write_media(folder / name, **{"container_options": FASTSTART if name.endswith("mp4") else {}, **recipe})
    )


def content(data: bytes, name: str = "a.mp4") -> Make:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(data)
        return path

    return make


def truncated(name: str, share: float, **recipe: object) -> Make:
    def make(folder: Path) -> Path:
        path = good(folder, name, seconds=6.0, **recipe)
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])
        return path

    return make


def overwritten(name: str, begin: float, end: float, byte: int | None) -> Make:
    """A part of the file replaced by one byte value, or by noise."""

    def make(folder: Path) -> Path:
        path = good(folder, name, seconds=6.0)
        data = bytearray(path.read_bytes())
        first, last = int(len(data) * begin), int(len(data) * end)
        noise = np.random.default_rng(3).bytes(last - first)
        data[first:last] = noise if byte is None else bytes([byte]) * (last - first)
        path.write_bytes(data)
        return path

    return make


def flipped(name: str, seed: int) -> Make:
    """A few hundred bytes anywhere in the file are others."""

    def make(folder: Path) -> Path:
        path = good(folder, name)
        data = bytearray(path.read_bytes())
        random = np.random.default_rng(seed)
        for position in random.integers(0, len(data), 200):
            data[position] = random.integers(256)
        path.write_bytes(data)
        return path

    return make


def replaced(old: bytes, new: bytes, name: str = "a.mp4") -> Make:
    def make(folder: Path) -> Path:
        path = good(folder, name)
        data = path.read_bytes()
        assert old in data
        path.write_bytes(data.replace(old, new))
        return path

    return make


def beside_a_good_file(text: str, name: str = "a.mp4") -> Make:
    """A script that names a good file: if it were followed, there would be segments."""

    def make(folder: Path) -> Path:
        target = good(folder, "target.mp4")
        path = folder / name
        path.write_text(text.replace("TARGET", str(target)))
        return path

    return make


def remuxed(name: str, change: Callable[[av.Packet], bool], **recipe: object) -> Make:
    """The packets of a good file after a change; those for which it says False are left out."""

    def make(folder: Path) -> Path:
        path = folder / name
        with av.open(str(good(folder, f"source_{name}", **recipe))) as source, av.open(str(path), "w") as target:
            streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
            for packet in source.demux():
                if packet.size and change(packet):
                    packet.stream = streams[packet.stream_index]
                    target.mux(packet)
        return path

    return make


def shifted(kind: str, after: float, by: float) -> Callable[[av.Packet], bool]:
    def change(packet: av.Packet) -> bool:
        if kind in (packet.stream.type, "both") and packet.pts * packet.time_base > after:
            packet.pts += round(by / packet.time_base)
            packet.dts = packet.pts if packet.dts is None else packet.dts + round(by / packet.time_base)
        return True

    return change


def dropped(kind: str, begin: float, end: float) -> Callable[[av.Packet], bool]:
    return lambda packet: not (packet.stream.type == kind and begin <= packet.pts * packet.time_base < end)


def png(width: int, height: int) -> bytes:
    """A grey picture, as small as deflate makes it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(bytes(1 + width) * height, 1)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def pixel_bomb(width: int, height: int, declared: tuple[int, int]) -> Make:
    """A MOV of PNG pictures that are larger than the track says."""

    def make(folder: Path) -> Path:
        path = good(
            folder,
            "bomb.mov",
            video_codec="png",
            pixel_format="rgb24",
            size=declared,
            seconds=2.0,
            fps=Fraction(1),
        )
        picture = png(width, height)
        bomb = folder / "a.mov"
        with av.open(str(path)) as source, av.open(str(bomb), "w") as target:
            streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
            for packet in source.demux():
                if not packet.size:
                    continue
                if packet.stream.type == "video":
                    new = av.Packet(picture)
                    new.pts, new.dts, new.time_base, new.is_keyframe = (
                        packet.pts,
                        packet.dts,
                        packet.time_base,
                        True,
                    )
                    packet = new
                    packet.stream = streams[0]
                else:
                    packet.stream = streams[packet.stream_index]
                target.mux(packet)
        return bomb

    return make


def cover_art(folder: Path) -> Path:
    path = folder / "cover.mp4"
    with av.open(str(path), "w") as container:
        sound = container.add_stream("aac", rate=44_100, layout="mono")
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")
        container.mux(cover.encode(picture))
        container.mux(cover.encode(None))
        frame = av.AudioFrame.from_ndarray(tone(440.0, 2.0), "fltp", "mono")
        frame.sample_rate = 44_100
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return path


def zipped(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "a.mp4", "w") as archive:
        archive.write(good(folder), "good.mp4")
    return folder / "a.mp4"


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "a.mp4")
    return folder / "a.mp4"


def link_to(target: str) -> Make:
    def make(folder: Path) -> Path:
        (folder / "a.mp4").symlink_to(target)
        return folder / "a.mp4"

    return make


def sparse(folder: Path) -> Path:
    path = good(folder)
    os.truncate(path, LIMITS.max_file_bytes + 1)
    return path


def declared_length(seconds: int) -> Make:
    """A Matroska file whose head says another length than the packets have."""

    def make(folder: Path) -> Path:
        path = good(folder, "a.mkv")
        data = bytearray(path.read_bytes())
        duration = data.find(b"\x44\x89\x88")  # the element, eight bytes long: a double, in milliseconds
        assert duration > 0
        struct.pack_into(">d", data, duration + 3, seconds * 1000.0)
        path.write_bytes(data)
        return path

    return make


# What a file is -> (how it is made, segments, reasons). None: any number, any reason; only its end is asked for.
FILES: dict[str, tuple[Make, int | None, list[str] | None]] = {
    "empty": (content(b""), 0, ["empty"]),
    "one byte": (content(b"\0"), 0, ["not_media"]),
    "text": (content(b"These are the notes of the concert.\n" * 50), 0, ["not_media"]),
    "html": (content(b"<html><body>404 not found</body></html>"), 0, ["not_media"]),
    "json": (content(json.dumps({"error": "gone"}).encode()), 0, ["not_media"]),
    "zeros": (content(bytes(100_000)), 0, ["not_media"]),
    "noise": (content(np.random.default_rng(0).bytes(100_000)), 0, ["not_media"]),
    "png": (content(png(64, 64)), 0, ["not_media"]),
    "zip of a video": (zipped, 0, ["not_media"]),
    "directory": (lambda folder: folder, 0, ["not_a_file"]),
    "missing": (lambda folder: folder / "none.mp4", 0, ["missing"]),
    "named pipe": (fifo, 0, ["not_a_file"]),
    "device": (link_to("/dev/zero"), 0, ["not_a_file"]),
    "dangling link": (link_to("nowhere.mp4"), 0, ["missing"]),
    "too large": (sparse, 0, ["too_large"]),
    "head of 100 bytes": (truncated("a.mp4", 0.001), 0, ["not_media"]),
    "mp4 without index": (truncated("a.mp4", 0.8, container_options={}), 0, ["not_media"]),
    "mp4 cut at 0.6": (truncated("a.mp4", 0.6), 3, ["truncated"]),
    "mp4 cut at 0.95": (truncated("a.mp4", 0.95), 5, ["truncated"]),
    "mkv cut at 0.6": (truncated("a.mkv", 0.6), 3, ["truncated"]),
    "avi cut at 0.6": (
        truncated("a.avi", 0.6, video_codec="mpeg4", audio_codec="libmp3lame", time_base=Fraction(1, 25)),
        3,
        ["truncated"],
    ),
    "ts cut at 0.6": (truncated("a.ts", 0.6), 3, []),  # has no head that could promise more
    "mp4, all media zeroed": (overwritten("a.mp4", 0.3, 1.0, 0), None, None),
    "mp4, the middle zeroed": (overwritten("a.mp4", 0.5, 0.7, 0), None, None),
    "mp4, the middle noise": (overwritten("a.mp4", 0.5, 0.7, None), None, None),
    "mkv, the middle noise": (overwritten("a.mkv", 0.5, 0.7, None), None, None),
    "ts, the middle noise": (overwritten("a.ts", 0.5, 0.7, None), None, None),
    "mp4, the head noise": (overwritten("a.mp4", 0.01, 0.1, None), None, None),
    **{f"mp4, flipped bytes {seed}": (flipped("a.mp4", seed), None, None) for seed in range(4)},
    **{f"mkv, flipped bytes {seed}": (flipped("a.mkv", seed), None, None) for seed in range(4)},
    **{f"ts, flipped bytes {seed}": (flipped("a.ts", seed), None, None) for seed in range(2)},
    "no sound": (lambda folder: good(folder, no_sound=True), 0, ["no_audio_stream"]),
    "no sound, mkv": (lambda folder: good(folder, "a.mkv", no_sound=True), 0, ["no_audio_stream"]),
    "no picture": (lambda folder: good(folder, no_picture=True), 0, ["no_video_stream"]),
    "cover art": (cover_art, 0, ["no_video_stream"]),
    "unknown picture codec": (replaced(b"avc1", b"zzzz"), 0, ["unknown_video_codec"]),
    "unknown sound codec": (replaced(b"A_AAC", b"A_ZZZ", "a.mkv"), 0, ["unknown_audio_codec"]),
    "concat script": (beside_a_good_file("ffconcat version 1.0\nfile target.mp4\n"), 0, ["not_media"]),
    "concat script, absolute": (beside_a_good_file("ffconcat version 1.0\nfile 'TARGET'\n"), 0, ["not_media"]),
    "playlist": (
        beside_a_good_file("#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\ntarget.mp4\n#EXT-X-ENDLIST\n"),
        0,
        ["not_media"],
    ),
    "playlist of a URL": (
        content(b"#EXTM3U\n#EXTINF:3,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"),
        0,
        ["not_media"],
    ),
    "session description": (
        content(b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 9 RTP/AVP 96\n"),
        0,
        ["not_media"],
    ),
    "pixel bomb": (pixel_bomb(8000, 8000, (64, 64)), 0, None),
    "many pixels, declared": (
        lambda folder: good(folder, size=(2048, 1152), seconds=0.04),
        0,
        ["too_many_pixels"],
    ),
    "1000 frames a second": (
        lambda folder: good(folder, fps=Fraction(1000), seconds=0.6, size=(32, 32)),
        0,
        ["too_many_frames"],
    ),
    "length of 11 hours in the head": (declared_length(40_000), 0, ["too_long"]),
    "length of 20 s in the head": (declared_length(20), 3, ["truncated"]),
    "0.1 s": (lambda folder: good(folder, seconds=0.1), 0, ["too_short"]),
    "one frame": (lambda folder: good(folder, seconds=0.04), 0, ["too_short"]),
    "one frame, 3 s of sound": (
        lambda folder: good(folder, seconds=0.04, sound=tone(440.0, 3.0)),
        0,
        ["no_picture"] * 3,
    ),
    "sound of 0.2 s": (lambda folder: good(folder, sound=tone(440.0, 0.2)), 1, ["no_sound"] * 2),
    "sound of 1.5 s": (lambda folder: good(folder, sound=tone(440.0, 1.5)), 2, ["no_sound"]),
    "picture of 1.2 s": (lambda folder: good(folder, seconds=1.2, sound=tone(440.0, 3.0)), 1, ["no_picture"] * 2),
    "picture from 1.8 s": (
        lambda folder: good(folder, video_start=1.8, seconds=1.2, sound=tone(440.0, 3.0)),
        1,
        ["no_picture"] * 2,
    ),
    "sound from 2.4 s": (lambda folder: good(folder, audio_start=2.4, sound=tone(440.0, 0.6)), 3, []),
    "2.5 s": (lambda folder: good(folder, seconds=2.5), 2, []),
    "2.95 s": (lambda folder: good(folder, seconds=2.96, sound=tone(440.0, 2.95)), 3, []),
    "odd size": (lambda folder: good(folder, size=(33, 17), pixel_format="yuv444p"), 3, []),
    "two pixels": (lambda folder: good(folder, size=(2, 2), pixel_format="yuv444p"), 3, []),
    "very wide": (lambda folder: good(folder, size=(2000, 16)), 3, []),
    "hole of 2.5 s in both": (remuxed("a.mkv", shifted("both", 1.5, 2.5)), None, None),
    "hole of two hours": (remuxed("a.mkv", shifted("both", 1.5, 7200.0)), None, None),
    "sound jumps by 2 hours": (remuxed("a.mkv", shifted("audio", 1.5, 7200.0)), None, None),
    "picture jumps by 2 hours": (remuxed("a.mkv", shifted("video", 1.5, 7200.0)), None, None),
    "sound lost from 1 to 2.2 s": (remuxed("a.mkv", dropped("audio", 1.0, 2.2)), 3, []),
    "picture lost from 1 to 2.2 s": (remuxed("a.mkv", dropped("video", 1.0, 2.2)), 3, []),
}


@pytest.mark.parametrize("kind", FILES)
def test_every_bad_file_ends_with_a_reason(tmp_path: Path, decoder: Decoder, kind: str) -> None:
    make, segments, reasons = FILES[kind]
    found_segments, found_reasons = outcome(decoder, make(tmp_path))
    assert found_segments or found_reasons
    assert not {"crashed", "internal_error", "timed_out"} & set(found_reasons)
    if segments is not None:
        assert found_segments == segments
    if reasons is not None:
        assert found_reasons == reasons


NAMES = [
    "a b.mp4",
    "a\nb.mp4",
    "-i.mp4",
    "--help",
    "a:b.mp4",
    "file:a.mp4",
    "concat:a.mp4|b.mp4",
    "subfile,,start,0,end,0,,:a.mp4",
    "http:a.mp4",
    "%d.mp4",
    "frame%03d.mp4",
    "*.mp4",
    "[a].mp4",
    "'\"$(true)`.mp4",
    "ünïcödé-音楽-🎻.mp4",
    "no extension",
    "picture.png",
    "list.m3u8",
    "pipe:",
    "fd:",
    "-",
    os.fsdecode(b"latin-\xe9.mp4"),
    "x" * 251 + ".mp4",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_just_a_name(
    tmp_path: Path, decoder: Decoder, monkeypatch: pytest.MonkeyPatch, one_second: bytes, name: str
) -> None:
    (tmp_path / name).write_bytes(one_second)
    assert outcome(decoder, tmp_path / name) == (1, [])


@pytest.fixture(scope="module")
def one_second(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return good(tmp_path_factory.mktemp("names"), seconds=1.0).read_bytes()
