"""What is shown of a video is what the model says of its segments, on one scale for all of them."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from media_factory import tone, write_media
from toy_models import toy_model
from toy_study_parts import TOY_SPEC

from analysis.explained.canvas import CanvasSize
from analysis.explained.explanation import Detecting, Explanation, explain_video
from analysis.explained.page import Pages
from analysis.explained.panel import draw_panel
from analysis.maps.gradcam import EvidenceMaps
from avinst.errors import UserError
from avinst.log_mel import log_mel
from avinst.media.decoder import Decoder
from avinst.media.segments import decode_segments
from avinst.schema import decode_jpegs

LABELS = ("flute", "alto <sax>/b", "$piano$")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Five seconds of growing sound; the picture begins at 1.7 s: segments 0 and 1 have none at their middle."""
    sound = tone(150, 5.0) * np.linspace(0.01, 1, 5 * 44_100, dtype=np.float32)
    return write_media(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=3.3, video_start=1.7, sound=sound)


@pytest.fixture(scope="module")
def explained(clip, tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("kept"))
    with Decoder() as decoder:
        return explain_video(Detecting(toy_model(), TOY_SPEC, LABELS), clip, decoder, folder, batch_size=2)


@pytest.fixture(scope="module")
def batch(clip):
    """The model's inputs of the segments that are whole, made independently."""
    segments = [part for part in decode_segments(clip, TOY_SPEC) if hasattr(part, "jpeg")]
    spectrogram = log_mel(np.stack([segment.waveform for segment in segments]), TOY_SPEC)
    return {
        "log_mel": tf.cast(tf.cast(spectrogram, tf.float16), tf.float32),
        "frame": decode_jpegs(tf.constant([segment.jpeg for segment in segments]), TOY_SPEC),
    }


def test_probabilities_are_the_models_and_lost_segments_keep_their_place(explained, batch):
    model = toy_model()
    expected = model({name: tf.cast(values, tf.float32) for name, values in batch.items()}, training=False)
    np.testing.assert_allclose(explained.probabilities, expected, atol=1e-6)
    assert explained.rows.tolist() == [-1, -1, 0, 1, 2]
    assert [loss.split(":")[0] for loss in explained.losses] == ["no_picture", "no_picture"]
    assert explained.label_index == int(np.argmax(np.mean(expected, axis=0)))
    assert explained.seconds(3) == 3.0


def test_maps_have_one_scale_for_the_whole_video(explained, batch):
    model = toy_model()
    maps = EvidenceMaps(model)(batch, np.full(3, explained.label_index))
    for modality in ("audio", "visual"):
        expected = maps[modality]
        largest = expected.max()
        assert largest > 0
        np.testing.assert_allclose(explained.maps[modality], expected / largest, atol=1e-5)
        assert explained.maps[modality].max() == 1


def test_what_is_kept_is_what_was_heard(explained, clip):
    segments = [part for part in decode_segments(clip, TOY_SPEC) if hasattr(part, "jpeg")]
    np.testing.assert_array_equal(explained.waveform, np.stack([segment.waveform for segment in segments]))


def test_a_label_that_is_not_known_is_told_with_those_that_are(clip, tmp_path):
    detecting = Detecting(toy_model(), TOY_SPEC, LABELS)
    with pytest.raises(UserError, match=r"no label 'pianO'; expected one of flute, alto <sax>/b, \$piano\$"):
        explain_video(detecting, clip, Decoder(), str(tmp_path), label="pianO")


def made_up(count, lost=(), modalities=("audio", "visual"), labels=LABELS):
    """An explanation of noise; segment i's maps have the largest value i / count, so segment 0's are dead."""
    generator = np.random.default_rng(2)
    usable = [number for number in range(count) if number not in lost]
    rows = np.full(count, -1)
    rows[usable] = np.arange(len(usable))
    strength = np.array(usable, np.float32)[:, np.newaxis, np.newaxis] / (count - 1 or 1)
    sizes = {"audio": (6, 4), "visual": (8, 8)}
    inputs = {"audio": (TOY_SPEC.log_mel_frames, TOY_SPEC.mel_bands), "visual": (32, 32)}
    return Explanation(
        spec=TOY_SPEC,
        labels=labels,
        label_index=1,
        start_seconds=0.0,
        rows=rows,
        probabilities=generator.dirichlet(np.ones(len(labels)), len(usable)).astype(np.float32),
        maps={name: np.broadcast_to(strength, (len(usable), *sizes[name])).copy() for name in modalities},
        centres={
            name: tuple(
                np.linspace(0, side - 1, cells) for side, cells in zip(inputs[name], sizes[name], strict=True)
            )
            for name in modalities
        },
        log_mel=generator.uniform(-90, 0, (len(usable), *inputs["audio"])).astype(np.float16),
        waveform=np.zeros((len(usable), TOY_SPEC.segment_samples), np.float32),
        losses=(),
    )


def lane_colours(panel, cursor_box, columns, lane):
    """Colours of a lane of the strength field at some columns; its field lies from 1.3 to 1.54 inches."""
    inch = len(panel) / 3.3
    row = round(len(panel) - (1.54 - (lane + 0.5) * 0.12) * inch)
    return panel[row, columns].astype(int)


@pytest.mark.parametrize("width", [640, 960, 1280])
def test_the_time_axis_of_the_cursor_is_that_of_the_drawing(width):
    """Where the strength changes from segment to segment, there the cursor is at that segment's beginning."""
    explanation = made_up(6)
    size = CanvasSize(width, width, 100)
    page = Pages(explanation).at(0.0, size)
    assert page.panel.shape[1] == width
    assert page.panel.shape[0] % 2 == 0
    for number in range(1, 6):
        column = page.cursor_column(float(number))
        before, after = lane_colours(page.panel, page.cursor_box, [column - 3, column + 3], 0)
        at = lane_colours(page.panel, page.cursor_box, [column - 2, column + 2], 0)
        assert abs(before - after).max() > 8
        np.testing.assert_array_equal(at, [before, after])


def test_pages_are_of_one_length_and_hold_their_own_segments():
    explanation = made_up(40, lost=(17, 39))
    pages, size = Pages(explanation), CanvasSize(640, 64, 48)
    assert pages.segments_a_page == 14
    found = [pages.at(seconds, size) for seconds in (0.0, 13.9, 14.0, 39.5, 44.0)]
    assert [(page.start_seconds, page.end_seconds, page.is_last) for page in found] == [
        (0, 14, False),
        (0, 14, False),
        (14, 28, False),
        (28, 40, True),
        (28, 40, True),
    ]
    middle = found[2]
    assert middle.segment_starts.tolist() == [14, 15, 16, *range(18, 28)]
    assert middle.segment_at(16.5) == 2
    assert middle.segment_at(17.5) is None
    assert middle.segment_at(18.0) == 3
    np.testing.assert_array_equal(middle.evidence[0], np.full((48, 64), round(255 * 14 / 39)))
    assert Pages(made_up(24)).segments_a_page == 24


def test_the_panel_of_a_dead_or_a_lost_segment_shows_no_map():
    explanation = made_up(4, lost=(2,))
    panel, box = draw_panel(explanation, 0, 4, 640)
    columns = [round(box[0] + (number + 0.25) * (box[1] - box[0]) / 4) for number in range(4)]
    dead, weak, lost, strong = lane_colours(panel, box, columns, 0)
    assert dead.max() < 10  # the lowest colour of the map
    assert strong.min() > weak.min()
    assert strong.sum() > 500
    np.testing.assert_array_equal(lost, (24, 24, 27))


@pytest.mark.parametrize("column", [0, 12, 23])
def test_a_sound_is_drawn_at_the_time_that_the_cursor_shows(column):
    """A window's column stands at the middle of its window, on a page on which a second is 490 pixels wide."""
    explanation = made_up(2)
    explanation.log_mel[:] = -90
    explanation.log_mel[1, column] = 0
    quiet_maps = {name: np.zeros_like(values) for name, values in explanation.maps.items()}
    page = Pages(dataclasses.replace(explanation, maps=quiet_maps)).at(0.0, CanvasSize(1280, 1280, 100))
    inch = len(page.panel) / 3.3
    row = page.panel[round(len(page.panel) - 2.27 * inch), :, 1].astype(float)  # the middle of the spectrogram
    left, right = page.cursor_box[:2]
    lit = np.flatnonzero(row[round(left) : round(right)] > 128) + round(left)
    middle = 1.0 + (column * TOY_SPEC.hop_samples + TOY_SPEC.window_samples / 2) / TOY_SPEC.sample_rate_hz
    assert abs(lit.mean() - page.cursor_column(middle)) <= 1.5
    assert len(lit) == pytest.approx(0.04 * (right - left) / 2, abs=2)  # a hop


def test_a_segment_that_was_not_used_stands_out_from_the_seams_of_others():
    panel, box = draw_panel(made_up(4, lost=(2,)), 0, 4, 1280)
    row = panel[round(len(panel) - 1.7 * len(panel) / 3.3)]  # of the spectrogram, below the words in it
    one, two, three = (round(box[0] + seconds * (box[1] - box[0]) / 4) for seconds in (1, 2, 3))
    np.testing.assert_array_equal(np.unique(row[two + 2 : three - 2], axis=0), [(63, 63, 70)])
    np.testing.assert_array_equal(row[one], (24, 24, 27))


@pytest.mark.parametrize("modality", ["audio", "visual"])
def test_a_run_of_one_modality_is_drawn_without_the_others_map(modality):
    page = Pages(made_up(3, modalities=(modality,))).at(0.0, CanvasSize(640, 64, 48))
    assert len(page.evidence) == (3 if modality == "visual" else 0)
    assert page.segment_at(1.5) == (1 if modality == "visual" else None)
