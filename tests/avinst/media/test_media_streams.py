"""Frames come out upright and undistorted, and the streams chosen are those that a player chooses."""

import gc
import io
import shutil
import struct
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from av.video.reformatter import VideoReformatter
from media_factory import tone, write_media
from PIL import Image

from avinst.media import upright
from avinst.media.segments import Segment, decode_segments
from avinst.media.sound import MonoMixer, _pull, _resample_graph
from avinst.spec import DatasetSpec

SPEC = DatasetSpec(frame_size=64)
WHITE = 200  # lossy: black is under 40, white above 200


def first_frame(path: str, spec: DatasetSpec = SPEC) -> np.ndarray:
    segment = next(iter(decode_segments(path, spec)))
    assert isinstance(segment, Segment)
    return np.asarray(Image.open(io.BytesIO(segment.jpeg)).convert("L")).astype(int)


def left_half_white(number: int, seconds: float) -> np.ndarray:
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[:, :48] = 255
    return picture


def set_display_matrix(path: Path, matrix: tuple[int, ...]) -> None:
    """Writes a, b, c, d into the header of the first track of an MP4, which is the picture."""
    data = bytearray(path.read_bytes())
    a, b, c, d = (value << 16 for value in matrix)
    last = 1 << 30 if any(matrix) else 0
    struct.pack_into(">9i", data, data.find(b"tkhd") + 44, a, b, 0, c, d, 0, 0, 0, last)
    path.write_bytes(data)


def four_greys(number: int, seconds: float) -> np.ndarray:
    """A quadrant of each: no turn and no mirror gives the same."""
    return np.kron([[240, 170], [100, 20]], np.ones((32, 48))).astype(np.uint8)[..., np.newaxis].repeat(3, -1)


@pytest.mark.parametrize(
    ("matrix", "white"),
    [
        ((1, 0, 0, 1), "left"),
        ((0, 1, -1, 0), "top"),  # a quarter turn clockwise: what was left is at the top
        ((-1, 0, 0, -1), "right"),
        ((0, -1, 1, 0), "bottom"),
    ],
)
def test_frames_are_turned_upright(tmp_path: Path, matrix: tuple[int, ...], white: str) -> None:
    path = tmp_path / "a.mp4"
    write_media(path, seconds=1.0, picture=left_half_white)
    set_display_matrix(path, matrix)
    frame = first_frame(str(path))
    halves = {"left": frame[:, :28], "right": frame[:, 36:], "top": frame[:28], "bottom": frame[36:]}
    assert [name for name, half in halves.items() if half.min() > WHITE] == [white]


PLACEMENTS = {
    (1, 0, 0, 1): [[240, 170], [100, 20]],
    (0, 1, -1, 0): [[100, 240], [20, 170]],
    (-1, 0, 0, -1): [[20, 100], [170, 240]],
    (0, -1, 1, 0): [[170, 20], [240, 100]],
    (-1, 0, 0, 1): [[170, 240], [20, 100]],  # what was left is right, as in a mirror
    (1, 0, 0, -1): [[100, 20], [240, 170]],
    (0, 1, 1, 0): [[240, 100], [170, 20]],  # columns become rows
    (0, -1, -1, 0): [[20, 170], [100, 240]],
    (0, 0, 0, 0): [[240, 170], [100, 20]],  # no picture at all, were it meant: as it is stored
    (1, 0, 1, 0): [[240, 170], [100, 20]],
}
LOSSY = 8  # of 255


def quadrants(frame: np.ndarray) -> np.ndarray:
    """Means of the four quadrants, without the seams between them."""
    return np.array([[frame[y : y + 24, x : x + 24].mean() for x in (4, 36)] for y in (4, 36)])


@pytest.mark.parametrize("matrix", PLACEMENTS)
def test_frames_are_mirrored_as_a_player_mirrors_them(tmp_path: Path, matrix: tuple[int, ...]) -> None:
    path = tmp_path / "a.mp4"
    write_media(path, seconds=1.0, picture=four_greys)
    set_display_matrix(path, matrix)
    np.testing.assert_allclose(quadrants(first_frame(str(path))), PLACEMENTS[matrix], atol=LOSSY)


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")
@pytest.mark.parametrize("matrix", PLACEMENTS)
def test_a_player_shows_frames_so(tmp_path: Path, matrix: tuple[int, ...]) -> None:
    path = tmp_path / "a.mp4"
    write_media(path, seconds=1.0, picture=four_greys)
    set_display_matrix(path, matrix)
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-frames:v", "1", str(tmp_path / "shown.png")]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    with Image.open(tmp_path / "shown.png") as shown:
        on_its_side = matrix[0] == 0 and any(matrix)
        assert shown.size == ((64, 96) if on_its_side else (96, 64))
        frame = np.asarray(shown.convert("L").resize((64, 64))).astype(int)
    np.testing.assert_allclose(quadrants(frame), PLACEMENTS[matrix], atol=LOSSY)


def test_a_frame_with_side_data_that_pyav_does_not_know_is_still_turned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(frame: object) -> None:
        raise ValueError("39 is not a valid Type")

    monkeypatch.setattr(upright, "_SideData", unknown)
    path = tmp_path / "a.mp4"
    write_media(path, seconds=1.0, picture=four_greys)
    set_display_matrix(path, (0, 1, -1, 0))
    np.testing.assert_allclose(quadrants(first_frame(str(path))), PLACEMENTS[0, 1, -1, 0], atol=LOSSY)


def test_a_frame_that_was_shown_is_let_go_at_once(tmp_path: Path) -> None:
    """Without the garbage collector: pictures of 4K would fill a child's memory before it comes by."""
    path = tmp_path / "a.mp4"
    write_media(path, seconds=1.0, picture=four_greys)
    set_display_matrix(path, (-1, 0, 0, 1))
    reformatter = VideoReformatter()
    gc.collect()
    gc.disable()
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                upright.upright_rgb(frame, 64, 64, reformatter)
        del frame
        assert not [one for one in gc.get_objects() if isinstance(one, av.VideoFrame)]
    finally:
        gc.enable()


def test_pixels_that_are_not_square_are_shown_as_they_should_be(tmp_path: Path) -> None:
    white = np.full((64, 64, 3), 255, np.uint8)
    path = write_media(
        tmp_path / "a.mp4", seconds=1.0, size=(64, 64), picture=lambda *_: white, sample_aspect=Fraction(2)
    )
    frame = first_frame(path, DatasetSpec(frame_size=64, frame_fit="pad"))
    # 128 x 64 as shown: bars of 16 lines above and below.
    assert frame[:14].max() < 40
    assert frame[18:46].min() > WHITE
    assert frame[50:].max() < 40


def with_second_sound(first: str, second: str, path: str, default: str = "first") -> str:
    """The streams of the first file and the sound of the second."""
    with av.open(first) as one, av.open(second) as two, av.open(path, "w") as target:
        outputs = [target.add_stream_from_template(source) for source in [*one.streams, *two.streams]]
        for output, name in zip(outputs[1:], ("first", "second"), strict=True):
            output.disposition = Disposition.default if name == default else Disposition(0)
        packets = [(packet, outputs[packet.stream_index]) for packet in one.demux() if packet.size]
        packets += [(packet, outputs[2]) for packet in two.demux() if packet.size]
        for packet, output in sorted(packets, key=lambda pair: (pair[0].dts or 0) * pair[0].time_base):
            packet.stream = output
            target.mux(packet)
    return path


def test_the_default_sound_is_taken(tmp_path: Path) -> None:
    path = str(tmp_path / "two.mkv")
    quiet = write_media(tmp_path / "quiet.mkv", sound=tone(440.0, 3.0, level=0.1))
    loud = write_media(tmp_path / "loud.mkv", no_picture=True, sound=tone(440.0, 3.0, level=0.8))
    for default in ("first", "second"):
        with_second_sound(quiet, loud, path, default)
        segment = next(iter(decode_segments(path, SPEC)))
        assert isinstance(segment, Segment)
        level = np.abs(segment.waveform[2000:]).max()
        assert level == pytest.approx(0.1 if default == "first" else 0.8, rel=0.1)  # AAC's error


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_longer_stream_that_is_not_taken_is_no_sign_of_truncation(tmp_path: Path, suffix: str) -> None:
    short = write_media(tmp_path / f"short.{suffix}")
    long = write_media(tmp_path / f"long.{suffix}", no_picture=True, sound=tone(440.0, 20.0))
    path = with_second_sound(short, long, str(tmp_path / f"both.{suffix}"))
    assert [type(part) for part in decode_segments(path, SPEC)] == [Segment] * 3


def test_the_short_way_of_mixing_stereo_equals_the_mixers() -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, (2, 1024)).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(samples, "fltp", "stereo")
    frame.sample_rate, frame.time_base, frame.pts = 44_100, Fraction(1, 44_100), 0
    graph = _resample_graph(frame, "osr=44100:osf=flt:ochl=mono:rematrix_maxval=1")
    graph.push(frame)
    expected = next(iter(_pull(graph))).to_ndarray()[0]
    [(seconds, mono)] = MonoMixer().mix(frame, 44_100)
    assert seconds == 0.0
    np.testing.assert_allclose(mono, expected, atol=1e-7)  # one rounding of float32
