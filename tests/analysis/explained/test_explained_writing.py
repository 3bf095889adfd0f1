"""An explained video keeps each frame's time and all of the sound: counted, compared, measured."""

import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from media_factory import numbered_picture, read_number, tone, write_media

from analysis.explained.canvas import Page
from analysis.explained.writing import write_explained
from avinst.media.types import DecodeLimits, MediaError

LIMITS = DecodeLimits()
PANEL_HEIGHT = 60


def pages(asked, seconds_a_page=2.0):
    """A way to ask for pages without evidence, which notes what was asked."""

    def page_at(seconds, size):
        asked.append(seconds)
        first = seconds // seconds_a_page * seconds_a_page
        return Page(
            start_seconds=first,
            end_seconds=first + seconds_a_page,
            is_last=False,
            panel=np.full((PANEL_HEIGHT, size.width, 3), 40, np.uint8),
            cursor_box=(50.0, 600.0, 0, PANEL_HEIGHT),
            segment_starts=np.zeros(0),
            segment_seconds=1.0,
            evidence=np.zeros((0, size.picture_height, size.picture_width), np.uint8),
            colours=np.zeros((256, 3), np.uint8),
        )

    return page_at


def rewrite(path, start=0.0, end=float("inf"), asked=None):
    output = str(Path(path).with_name("explained.mp4"))
    done = write_explained(path, output, start, end, LIMITS, pages([] if asked is None else asked), lambda _: None)
    return output, done


def pictures(path):
    """(media time, frame) of each picture."""
    with av.open(path) as container:
        zero = Fraction(container.start_time, av.time_base) if container.start_time else Fraction(0)
        return [(frame.pts * frame.time_base - zero, frame) for frame in container.decode(video=0)]


def samples(path):
    """(media time of the first sample, samples [channels, samples])."""
    with av.open(path) as container:
        frames = list(container.decode(audio=0))
        zero = Fraction(container.start_time, av.time_base) if container.start_time else Fraction(0)
        values = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)
        return float(frames[0].pts * frames[0].time_base - zero), values


def packets(path, kind):
    with av.open(path) as container:
        return [packet for packet in container.demux(getattr(container.streams, kind)[0]) if packet.size]


def upper(frame, height=None):
    """The picture without the panel."""
    picture = frame.to_ndarray(format="rgb24")
    return picture[: height or len(picture) - PANEL_HEIGHT]


@pytest.mark.parametrize(
    ("suffix", "recipe"),
    [
        (".mp4", {}),
        (".mp4", {"fps": Fraction(30000, 1001), "seconds": 1.1}),
        (".mp4", {"frame_times": [0.0, 0.04, 0.5, 0.52, 1.3, 1.4], "seconds": 1.5, "video_options": {"bf": "0"}}),
        (".mp4", {"video_start": 0.4}),
        (".mkv", {"audio_start": 0.3, "time_base": Fraction(1, 1000)}),
        (".ts", {}),
        (".avi", {"time_base": Fraction(1, 25), "video_options": {"bf": "2"}}),
        (".mp4", {"size": (98, 66), "video_codec": "mpeg4", "time_base": Fraction(1, 25)}),
    ],
)
def test_every_frame_is_there_again_at_its_own_time(tmp_path, suffix, recipe):
    source = write_media(tmp_path / f"clip{suffix}", **{"seconds": 1.0, **recipe})
    output, done = rewrite(source)
    before, after = pictures(source), pictures(output)
    assert done["frames"] == len(after) == len(before)
    if suffix == ".avi":  # its packets bear no presentation times: the reordered frames come a frame late
        expected = [Fraction(number + 1, 25) for number in range(len(before))]
    else:
        expected = [time for time, _ in before]
    np.testing.assert_allclose([float(time) for time, _ in after], [float(time) for time in expected], atol=1e-5)
    assert [read_number(upper(frame)) for _, frame in after] == [
        read_number(frame.to_ndarray(format="rgb24")) for _, frame in before
    ]
    with av.open(source) as old, av.open(output) as new:
        if suffix == ".mp4":
            for was, stream in zip(old.streams, new.streams, strict=True):
                assert float(stream.duration * stream.time_base) == pytest.approx(
                    float(was.duration * was.time_base), abs=1e-3
                )
        assert new.streams.video[0].codec_context.pix_fmt == "yuv420p"
        assert new.streams.video[0].codec_context.name == "h264"


NOISE = (np.random.default_rng(0).standard_normal((2, 48_000)) * 0.1).astype(np.float32)


@pytest.mark.parametrize(
    ("suffix", "codec", "rate", "layout", "start"),
    [
        (".mp4", "aac", 44_100, "stereo", 0.0),
        (".mp4", "aac", 44_100, "mono", 0.35),
        (".mkv", "aac", 48_000, "mono", 0.0),
        (".ts", "aac", 48_000, "mono", 0.0),
        (".mp4", "libmp3lame", 44_100, "mono", 0.0),
        (".mkv", "libmp3lame", 44_100, "mono", 0.0),
        (".mkv", "ac3", 48_000, "stereo", 0.0),
        (".mp4", "libopus", 48_000, "mono", 0.0),
        (".mkv", "libopus", 48_000, "stereo", 0.0),
        (".mkv", "flac", 44_100, "stereo", 0.0),
        (".mov", "alac", 44_100, "mono", 0.0),
        (".mov", "pcm_s16le", 44_100, "stereo", 0.0),
        (".avi", "pcm_s16le", 22_050, "mono", 0.0),
        (".mov", "pcm_s24le", 48_000, "mono", 0.2),
    ],
)
def test_the_sound_is_unchanged_sample_by_sample(tmp_path, suffix, codec, rate, layout, start):
    video = {"time_base": Fraction(1, 5), "video_codec": "mpeg4"} if suffix == ".avi" else {}
    source = write_media(
        tmp_path / f"clip{suffix}",
        audio_codec=codec,
        rate=rate,
        layout=layout,
        audio_start=start,
        fps=Fraction(5),
        sound=NOISE[: 1 if layout == "mono" else 2, :rate],
        seconds=1.0,
        **video,
    )
    output, done = rewrite(source)
    (old_start, old), (new_start, new) = samples(source), samples(output)
    old, new = flat(old), flat(new)
    np.testing.assert_array_equal(new[: old.size], old)
    # Containers differ in whether they cut what the encoder padded its last packet with.
    assert new.size - old.size <= 2 * 1152
    assert new_start == pytest.approx(old_start, abs=1e-3)  # Matroska's milliseconds
    assert ("FLAC" in done["sound"]) == codec.startswith("pcm")
    if suffix == ".mkv":  # its milliseconds are not handed on: packets follow each other without a seam
        stamps = np.array([packet.pts for packet in packets(output, "audio")])
        assert np.ptp(np.diff(stamps)) == 0


def flat(values):
    """Samples as they were stored, whatever the width and the order of the array that holds them."""
    if values.dtype == np.int32:
        values = values >> 8
    return values.ravel() if len(values) == 1 else values.T.ravel()


def clapper(seconds, moments, rate=44_100):
    """A picture that is white and a sound that clicks at the same moments."""
    sound = np.zeros((1, round(seconds * rate)), np.float32)
    for moment in moments:
        sound[0, round(moment * rate) : round(moment * rate) + 40] = 0.9

    def picture(_, time):
        lit = any(moment - 1e-6 <= time < moment + 0.08 for moment in moments)
        return np.full((64, 96, 3), 250 if lit else 5, np.uint8)

    return {"seconds": seconds, "sound": sound, "picture": picture, "rate": rate}


CLAPS = [1.2, 2.0, 11.6, 12.8]


@pytest.fixture(scope="module")
def claps(tmp_path_factory):
    """The same with few keyframes: a seek in a transport stream lands at any packet."""
    folder = tmp_path_factory.mktemp("claps")
    return {
        suffix: write_media(folder / f"clip{suffix}", **clapper(14.0, CLAPS), video_options={"g": "300"})
        for suffix in (".mp4", ".ts")
    }


@pytest.mark.parametrize(
    ("suffix", "start"), [(".mp4", 0.0), (".mp4", 1.03), (".mp4", 11.0), (".ts", 0.4), (".ts", 11.0)]
)
def test_flash_and_click_stay_together_and_a_cut_begins_where_it_should(claps, suffix, start):
    output, done = rewrite(claps[suffix], start, start + 2.2)
    # A transport stream begins with what the encoder put before the sound: all of it comes later by that.
    late = 1024 / 44_100 if suffix == ".ts" else 0.0
    expected = [moment + late - start for moment in CLAPS if start <= moment < start + 2.2]
    frames = pictures(output)
    lit = [upper(frame).mean() > 128 for _, frame in frames]
    flashes = [float(frames[n][0]) for n in range(len(lit)) if lit[n] and not (n and lit[n - 1])]
    first, sound = samples(output)
    loud = np.abs(sound[0]) > 0.4
    clicks = [first + n / 44_100 for n in np.flatnonzero(loud) if not loud[max(0, n - 400) : n].any()]
    np.testing.assert_allclose(clicks, expected, atol=0.002)  # the codec smears a click by about a millisecond
    np.testing.assert_allclose(flashes, expected, atol=0.04)  # a frame
    assert frames[0][0] == packets(output, "video")[0].pts == 0
    first_packet = packets(output, "audio")[0]
    assert float(first_packet.pts * first_packet.time_base) > -0.15  # what the decoder needs, no more
    assert done["picture_seconds"] == pytest.approx(2.2, abs=0.001)
    assert first + sound.shape[1] / 44_100 == pytest.approx(2.2, abs=1024 / 44_100 + 0.001)  # whole packets


def test_signs_of_life_come_while_the_beginning_is_looked_for(tmp_path):
    """A parent that hears nothing for long takes the child for hung; without a seek all up to there is decoded."""
    events = []
    source = write_media(tmp_path / "clip.mp4", seconds=4.0, fps=Fraction(10))

    def page_at(seconds, size):
        events.append("page")
        return pages([])(seconds, size)

    output = str(tmp_path / "explained.mp4")
    write_explained(source, output, 3.0, 3.4, LIMITS, page_at, events.append)
    before = events[: events.index("page")]
    assert 20 <= len(before) <= 35  # one a packet, but for those that the decoder holds back
    assert set(before) == {3.0}


def test_a_display_rotation_is_applied(tmp_path):
    source = write_media(
        tmp_path / "clip.mp4", seconds=0.4, size=(64, 96), picture=lambda n, _: np.rot90(numbered_picture(n))
    )
    content = bytearray(Path(source).read_bytes())
    matrix = (
        content.index(b"tkhd") + 44
    )  # after version, times, id, duration, layer, volume; of the picture's track
    a_quarter_clockwise = (0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    content[matrix : matrix + 36] = b"".join(
        value.to_bytes(4, "big", signed=True) for value in a_quarter_clockwise
    )
    Path(source).write_bytes(content)
    output, _ = rewrite(source)
    found = pictures(output)
    assert (found[0][1].width, found[0][1].height) == (640, 426 + PANEL_HEIGHT)
    assert [read_number(upper(frame)) for _, frame in found] == list(range(10))


def test_pixels_that_are_not_square_are_shown_as_they_should(tmp_path):
    source = write_media(tmp_path / "clip.mp4", seconds=0.2, size=(96, 96), sample_aspect=Fraction(2))
    output, _ = rewrite(source)
    frame = pictures(output)[0][1]
    assert (frame.width, frame.height - PANEL_HEIGHT) == (640, 320)


def test_colours_stay(tmp_path):
    colours = [(200, 30, 30), (30, 180, 40), (40, 50, 200), (220, 220, 220)]
    stripes = np.repeat(np.array(colours, np.uint8), 24, axis=0)[np.newaxis].repeat(64, axis=0)
    source = write_media(tmp_path / "clip.mp4", seconds=0.2, picture=lambda *_: stripes)
    output, _ = rewrite(source)
    shown = upper(pictures(output)[2][1])
    for number, colour in enumerate(colours):
        middle = shown[200:220, 80 + 160 * number - 10 : 80 + 160 * number + 10].mean(axis=(0, 1))
        np.testing.assert_allclose(middle, colour, atol=6)  # two lossy codings; other matrices are off by 20


def test_the_cursor_moves_with_the_time_and_pages_turn_once(tmp_path):
    asked = []
    source = write_media(tmp_path / "clip.mp4", seconds=4.4, fps=Fraction(10))
    output, _ = rewrite(source, asked=asked)
    assert asked == pytest.approx([0.0, 2.0, 4.0])
    for time, frame in itertools.islice(pictures(output), 0, None, 3):
        row = frame.to_ndarray(format="rgb24")[-PANEL_HEIGHT // 2, :, 1].astype(int)
        expected = 50 + float(time) % 2.0 / 2.0 * 550
        assert abs(int(np.argmax(row)) - expected) <= 1.0, float(time)


def test_a_file_without_one_good_picture_is_told(tmp_path):
    source = Path(write_media(tmp_path / "clip.mp4", seconds=1.0))
    with pytest.raises(MediaError, match="no_picture"):
        rewrite(str(source), start=5.0, end=6.0)


def test_the_head_of_the_file_comes_first(tmp_path):
    """So that a browser can begin to play before the file is there."""
    output, _ = rewrite(write_media(tmp_path / "clip.mp4", sound=tone(440, 1.0), seconds=1.0))
    content = Path(output).read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
