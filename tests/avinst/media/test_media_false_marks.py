"""Keyframes and time stamps that are not what the file says: the frames are right all the same."""

import io
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from media_factory import read_number, tone, write_media
from PIL import Image

from avinst.media.segments import Loss, MediaError, Segment, decode_segments
from avinst.spec import DatasetSpec

SPEC = DatasetSpec(frame_size=96)
AVI = {"audio_codec": "pcm_s16le", "time_base": Fraction(1, 25)}
SHARP = {"qmin": "2", "qmax": "4"}  # the numbers in the pictures stay readable


def numbers(path: str | Path, planned: bool = True) -> list[int]:
    """The number of each segment's frame."""
    parts = list(decode_segments(str(path), SPEC, planned=planned))
    assert all(isinstance(part, Segment) for part in parts)
    return [read_number(np.asarray(Image.open(io.BytesIO(part.jpeg)))) for part in parts]


def test_an_avi_that_has_lost_its_index_calls_every_frame_a_keyframe(tmp_path: Path) -> None:
    """The index is at the end, so one that was cut off has none; FFmpeg cannot look into DivX 3 (MS MPEG-4)."""
    recipe = {"video_codec": "msmpeg4", "video_options": {"g": "60", **SHARP}, **AVI}
    path = write_media(tmp_path / "a.avi", **recipe)
    data = Path(path).read_bytes()
    Path(path).write_bytes(data[: data.rindex(b"idx1")])
    with av.open(path) as container:
        assert all(packet.is_keyframe for packet in container.demux(video=0) if packet.size)
    assert numbers(path) == numbers(path, planned=False) == [12, 37, 62]


def test_an_mp4_without_its_list_of_keyframes(tmp_path: Path) -> None:
    """Frames 12 and 13 are none of their own: what comes of them alone is grey."""
    options = {"g": "60", "bf": "2", **SHARP}
    path = write_media(tmp_path / "a.mp4", video_codec="mpeg4", video_options=options, time_base=Fraction(1, 25))
    data = Path(path).read_bytes()
    assert data.count(b"stss") == 1
    Path(path).write_bytes(data.replace(b"stss", b"free"))
    assert numbers(path) == numbers(path, planned=False) == [12, 37, 62]


def test_frames_packed_two_in_a_packet_come_in_order(tmp_path: Path) -> None:
    """As DivX and XviD wrote them for players that hold back no frame."""
    recipe = {"video_codec": "mpeg4", "video_options": {"bf": "2", "g": "40", **SHARP}, **AVI}
    plain = write_media(tmp_path / "plain.avi", seconds=4.0, **recipe)
    packed = packed_avi(plain, tmp_path / "packed.avi")
    with av.open(packed) as container:
        stamps = [frame.pts for frame in container.decode(video=0)]
    assert stamps != sorted(stamps)  # else this would prove nothing
    # One less than by count: a decoder that reorders shows the first frame one packet late.
    assert numbers(plain) == numbers(packed) == numbers(packed, planned=False) == [11, 36, 61, 86]


def test_packets_that_repeat_the_last_frame_do_not_bring_later_ones_forward(tmp_path: Path) -> None:
    recipe = {"video_codec": "mpeg4", "video_options": {"bf": "2", "g": "40", **SHARP}, **AVI}
    plain = write_media(tmp_path / "plain.avi", seconds=4.0, sound=tone(440.0, 5.2), **recipe)
    held = packed_avi(plain, tmp_path / "held.avi", repeat_at=52, repeats=25)
    # From packet 52 on, frame 51 stands for a second.
    assert numbers(held) == [11, 36, 51, 61, 86]


def packed_avi(plain: str, path: Path, repeat_at: int = -1, repeats: int = 0) -> str:
    """An MPEG-4 AVI with each P frame and the B frame after it in one packet, and an empty packet after them.

    Args:
        plain: the same with a packet for each frame.
        path: to be written.
        repeat_at: packet from which on `repeats` empty ones say that the last frame still stands.
        repeats: how many.
    """
    start_code = b"\0\0\1\xb6"

    def is_b(data: bytes) -> bool:
        return data[data.rindex(start_code) + 4] >> 6 == 2

    def not_coded(number: int) -> bytes:
        # P, no whole second, marker, time in frames, marker, not coded, stuffing.
        return start_code + int(f"01{0}{1}{number % 25:05b}{1}{0}01111", 2).to_bytes(2, "big")

    with av.open(plain) as source, av.open(str(path), "w") as target:
        streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        packets = [packet for packet in source.demux() if packet.size]
        chunks: list[bytes] = []
        was_packed = False
        for data in (bytes(packet) for packet in packets if packet.stream.type == "video"):
            if is_b(data) and not was_packed:
                chunks[-1] += data
                was_packed = True
                continue
            if was_packed and not is_b(data):
                chunks.append(not_coded(len(chunks)))
                was_packed = False
            if len(chunks) == repeat_at:
                chunks += [not_coded(len(chunks) + number) for number in range(repeats)]
            chunks.append(data)
        # The mark by which decoders know such files.
        chunks[0] = chunks[0].replace(start_code, b"\0\0\1\xb2DivX503b1393p" + start_code, 1)
        for number, chunk in enumerate(chunks):
            packet = av.Packet(chunk)
            packet.pts = packet.dts = number
            packet.time_base, packet.stream = Fraction(1, 25), streams[0]
            packet.is_keyframe = number == 0
            target.mux(packet)
        for packet in packets:
            if packet.stream.type == "audio":
                packet.stream = streams[packet.stream_index]
                target.mux(packet)
    return str(path)


def test_a_time_stamp_years_ahead_costs_neither_time_nor_what_came_before(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", seconds=2.0, time_base=Fraction(1, 25), video_options={"bf": "0"})
    data = bytearray(Path(path).read_bytes())
    # The video's clock ticks 25 times a second, and each frame lasts 2^31 - 1 ticks: 2.7 years.
    durations = data.find(b"stts") + 12
    assert struct.unpack_from(">I", data, durations - 4) == (1,)
    struct.pack_into(">I", data, durations + 4, 2**31 - 1)
    struct.pack_into(">I", data, data.find(b"mdhd") + 16, 25)
    Path(path).write_bytes(data)
    parts: list[Segment | Loss] = []
    reason = ""
    try:
        parts.extend(decode_segments(path, SPEC))
    except MediaError as error:
        reason = error.reason
    assert [part.index for part in parts if isinstance(part, Segment)] == [0, 1]
    assert reason == "too_long"


def test_the_second_of_two_joined_recordings_is_told_as_lost(tmp_path: Path) -> None:
    path = Path(write_media(tmp_path / "a.ts", format="mpegts"))
    path.write_bytes(path.read_bytes() * 2)
    parts = list(decode_segments(str(path), SPEC))
    assert [type(part) for part in parts] == [Segment, Segment, Segment, Loss]
    assert parts[-1].reason == "times_repeat"
    assert 2.0 < float(parts[-1].detail.split()[0]) <= 3.1  # the last frames may be mere disorder


@pytest.mark.parametrize("start_seconds", [2.0, 2.25, 3.0])
def test_sound_from_before_the_part_asked_for_is_no_repetition(tmp_path: Path, start_seconds: float) -> None:
    """The decoder begins up to two seconds early; half a second of them would do for a loss here."""
    path = write_media(tmp_path / "a.mp4", seconds=4.0)
    spec = DatasetSpec(frame_size=96, segment_seconds=0.5)
    parts = list(decode_segments(path, spec, start_seconds=start_seconds))
    assert [type(part) for part in parts] == [Segment] * int((4.0 - start_seconds) / 0.5)


def test_a_part_shorter_than_a_segment_is_told_by_what_was_asked_for(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", seconds=3.0)
    with pytest.raises(MediaError, match=r"0\.75 s were asked for, a segment takes 1 s") as caught:
        list(decode_segments(path, SPEC, start_seconds=0.25, end_seconds=1.0))
    assert caught.value.reason == "too_short"
    with pytest.raises(MediaError, match=r"too_short .segment.: 0\.5\d s, a segment takes 1 s"):
        list(decode_segments(path, SPEC, start_seconds=2.5))


def test_h264_in_mxf_whose_times_are_made_up(tmp_path: Path) -> None:
    options = {"bf": "2", "g": "12"}
    sound = {"audio_codec": "pcm_s16le", "rate": 48_000, "sound": tone(440.0, 4.0, 48_000)}
    path = write_media(
        tmp_path / "a.mxf", seconds=4.0, size=(192, 128), video_options=options, time_base=Fraction(1, 25), **sound
    )
    assert numbers(path) == numbers(path, planned=False) == [12, 37, 62, 87]


def without_most_stamps(path: str, target: Path, every: int) -> Path:
    """A transport stream of whose pictures only one in so many keeps its time stamps."""
    data = bytearray(Path(path).read_bytes())
    count = 0
    for packet in range(0, len(data), 188):
        begins_unit, has_field = data[packet + 1] & 0x40, data[packet + 3] & 0x20
        header = packet + 4 + (1 + data[packet + 4] if has_field else 0)
        if not begins_unit or data[header : header + 3] != b"\0\0\1" or data[header + 3] != 0xE0:
            continue
        if count % every:
            data[header + 7] &= 0x3F  # neither PTS nor DTS
            length = data[header + 8]
            data[header + 9 : header + 9 + length] = b"\xff" * length
        count += 1
    assert count > every
    target.write_bytes(data)
    return target


@pytest.mark.parametrize("every", [5, 30])
@pytest.mark.parametrize("b_frames", ["0", "2"])
def test_pictures_that_share_a_time_stamp(tmp_path: Path, every: int, b_frames: str) -> None:
    options = {"g": "30", "bf": b_frames, "crf": "18"}
    path = write_media(tmp_path / "a.ts", seconds=6.0, size=(192, 128), video_options=options, format="mpegts")
    sparse = without_most_stamps(path, tmp_path / "sparse.ts", every)
    with av.open(str(sparse)) as container:
        stamps = [packet.pts for packet in container.demux(video=0) if packet.size]
    assert stamps.count(None) > len(stamps) / 2  # else this would prove nothing
    assert numbers(sparse) == numbers(sparse, planned=False) == numbers(path)
