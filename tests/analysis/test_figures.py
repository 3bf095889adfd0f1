import dataclasses
import io
import itertools

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from analysis.correlations.correlation import CorrelationSettings, correlate_label
from analysis.correlations.figures import matrix_figure, overview_figure
from analysis.features import Features
from analysis.figures import png_bytes
from analysis.importance import Importance
from analysis.importance_figures import importance_figure, share_figure
from analysis.importance_stability import Stability
from analysis.maps.gradcam_figures import frame_figure, mel_band_position, spectrogram_extent, spectrogram_figure
from avinst.spec import DatasetSpec

SPEC = DatasetSpec()


@pytest.fixture(scope="module")
def correlation():
    generator = np.random.default_rng(0)
    audio, visual = generator.normal(size=(25, 3)), generator.normal(size=(25, 4))
    visual[:, 2] = audio[:, 1]
    audio[:, 0] = 0.0
    features = Features(
        ("flute",),
        False,
        np.array([str(row) for row in range(25)]),
        np.full(25, -1),
        np.ones((25, 1), dtype=bool),
        np.zeros((25, 1)),
        np.ones((25, 1)),
        audio,
        visual,
    )
    chosen = {"audio": np.arange(3), "visual": np.arange(4)}
    return correlate_label(features, "flute", chosen, CorrelationSettings(permutations=999, resamples=50))


def test_matrix_shows_rho_centred_on_zero_with_dead_features_masked(correlation):
    figure = matrix_figure(correlation)
    image = figure.axes[0].images[0]
    assert image.get_clim() == (-1, 1)
    shown = image.get_array()
    assert shown.mask[0].all()
    np.testing.assert_allclose(shown[1:, 1:], correlation.rho[1:, 1:])
    names = [tick.get_text() for tick in figure.axes[0].get_xticklabels()]
    assert names == ["a0000", "a0001", "a0002", "v0000", "v0001", "v0002", "v0003"]
    # The one significant pair, a0001 and v0002, is marked on both sides of the diagonal.
    marks = {(x, y) for line in figure.axes[0].lines if line.get_marker() == "." for x, y in line.get_xydata()}
    assert marks == {(5.0, 1.0), (1.0, 5.0)}
    assert figure.get_suptitle().startswith("Only 25 recordings")


def test_matrix_speaks_of_dots_only_where_there_are_some(correlation):
    assert "dots: 1 pair beyond chance" in matrix_figure(correlation).get_supxlabel()
    null = dataclasses.replace(correlation.null, q_values=np.ones_like(correlation.null.q_values))
    caption = matrix_figure(dataclasses.replace(correlation, null=null)).get_supxlabel()
    assert "dots" not in caption
    assert "no single pair beyond chance (FDR 5 %)" in caption


def test_overview_draws_values_intervals_and_chance(correlation):
    axes = overview_figure({"flute": correlation}).axes[0]
    points = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o" and len(line.get_xdata())]
    expected = [m.value for m in (correlation.within_audio, correlation.within_visual, correlation.across)]
    assert points == pytest.approx(expected)
    band = axes.patches[0]
    low, high = np.quantile(correlation.null.mean_absolute, [0.025, 0.975])
    assert (band.get_x(), band.get_x() + band.get_width()) == pytest.approx((low, high))


def test_importance_bars_are_the_most_important_features():
    values = {"audio": np.array([[0.1, 0.0, 0.7, 0.2]]), "visual": np.zeros((1, 3))}
    result = Importance(("flute",), {"flute": 3}, values)
    figure = importance_figure(result, "flute", {"audio": 2, "visual": 2})
    curves, *bars = figure.axes
    sorted_audio, sorted_visual = (line for line in curves.lines if len(line.get_xdata()) > 1)
    assert sorted_audio.get_ydata().tolist() == [0.7, 0.2, 0.1, 0.0]
    assert sorted_visual.get_ydata().tolist() == [0.0, 0.0, 0.0]
    # Those of importance 0 have no names.
    named = [(text.get_text(), *text.xy) for text in curves.texts]
    assert named == [("a0002", 1, 0.7), ("a0003", 2, 0.2), ("a0000", 3, 0.1)]
    assert [patch.get_width() for patch in bars[0].patches] == [0.7, 0.2]
    assert [tick.get_text() for tick in bars[0].get_yticklabels()] == ["a0002", "a0003"]
    assert bars[0].get_title(loc="left") == "audio: top 2 of 4, 90 % of the sum of 1.00"
    assert not bars[0].texts
    widths = [patch.get_width() for patch in share_figure(result).axes[0].patches]
    assert widths == pytest.approx([1.0, 0.0])


@pytest.mark.parametrize("higher", ["audio", "visual"])
def test_names_on_the_sorted_curves_stand_away_from_the_other_curve(higher):
    lower = "visual" if higher == "audio" else "audio"
    values = {higher: np.array([[0.5, 0.4]]), lower: np.array([[0.3, 0.2]])}
    curves = importance_figure(
        Importance(("flute",), {"flute": 3}, values), "flute", {"audio": 1, "visual": 1}
    ).axes[0]
    heights = {text.get_text()[0]: text.xyann[1] for text in curves.texts}
    assert heights[higher[0]] > 0 > heights[lower[0]]


def test_importance_bars_say_how_stable_they_are():
    values = {"audio": np.array([[0.1, 0.0, 0.7, 0.2]])}
    stability = Stability({"audio": 2}, {"audio": np.array([[0.3, 0.0, 1.0, 0.7]])})
    result = Importance(("flute",), {"flute": 3}, values, stability)
    bars = importance_figure(result, "flute", {"audio": 2}).axes[1]
    assert [text.get_text().strip() for text in bars.texts] == ["100 %", "70 %"]


@pytest.mark.parametrize("largest", [0.0063, 0.0123, 0.7, 123.4])
def test_tick_labels_of_importance_do_not_touch(largest):
    values = {
        name: np.linspace(0, largest, count)[np.newaxis] for name, count in (("audio", 1024), ("visual", 2048))
    }
    figure = importance_figure(Importance(("flute",), {"flute": 3}, values), "flute", {"audio": 10, "visual": 20})
    figure.draw_without_rendering()
    for axes in figure.axes:
        boxes = [tick.get_window_extent() for tick in axes.get_xticklabels()]
        gaps = [right.x0 - left.x1 for left, right in itertools.pairwise(boxes)]
        assert min(gaps) > 12  # pixels at 100 dpi; the labels are 10 high


def test_spectrogram_axes_are_hertz_on_the_mel_scale_and_seconds():
    from avinst.log_mel import log_mel

    # A tone is brightest in the band that the axis puts nearest to its frequency.
    for tone_hz in (440.0, 1000.0, 5000.0):
        seconds = np.arange(SPEC.segment_samples) / SPEC.sample_rate_hz
        decibels = log_mel(np.sin(2 * np.pi * tone_hz * seconds).astype(np.float32), SPEC).numpy()
        assert abs(decibels.mean(axis=0).argmax() - mel_band_position(np.array(tone_hz), SPEC)) <= 0.75  # bands
    left, right, bottom, top = spectrogram_extent(SPEC, start_seconds=3.0)
    hop = SPEC.hop_samples / SPEC.sample_rate_hz
    # The first window covers samples 0 to 1023 of the segment; its middle is 512 samples in.
    assert left + hop / 2 == pytest.approx(3.0 + 512 / 22050)
    assert (right - left) / hop == pytest.approx(96)
    assert (bottom, top) == (-0.5, 95.5)


def test_bands_lie_where_their_filters_peak():
    bins = 2**15 + 1
    filters = tf.signal.linear_to_mel_weight_matrix(
        SPEC.mel_bands, bins, SPEC.sample_rate_hz, SPEC.mel_low_hz, SPEC.mel_high_hz
    ).numpy()
    peaks_hz = filters.argmax(axis=0) * SPEC.sample_rate_hz / 2 / (bins - 1)
    # The grid is 0.34 Hz fine, the lowest bands are 27 Hz apart: 0.02 bands.
    np.testing.assert_allclose(mel_band_position(peaks_hz, SPEC), np.arange(SPEC.mel_bands), atol=0.02)


def test_a_click_is_drawn_when_it_sounds():
    from avinst.log_mel import log_mel

    waveform = np.zeros(SPEC.segment_samples, np.float32)
    waveform[round(0.6 * SPEC.sample_rate_hz)] = 1.0
    decibels = log_mel(waveform, SPEC).numpy()
    figure = spectrogram_figure(decibels, np.zeros_like(decibels), SPEC, 7.0, "click")
    image = figure.axes[0].images[0]
    left, right, _, _ = image.get_extent()
    columns = image.get_array().shape[1]
    loudest = np.asarray(image.get_array()).mean(axis=0).argmax()
    seconds = left + (loudest + 0.5) * (right - left) / columns
    assert seconds == pytest.approx(7.6, abs=SPEC.hop_samples / SPEC.sample_rate_hz)  # one hop


def test_frame_and_map_are_upright_and_a_dead_map_says_so():
    frame = np.zeros((8, 8, 3), np.uint8)
    frame[1, 6] = 255
    evidence = np.zeros((8, 8), np.float32)
    evidence[1, 6] = 1.0
    figure = frame_figure(frame, evidence, "title")
    plain, explained = figure.axes[:2]
    assert plain.images[0].origin == explained.images[1].origin == "upper"
    assert np.argwhere(explained.images[1].get_array() == 1).tolist() == [[1, 6]]
    assert not explained.texts
    dead = frame_figure(frame, np.zeros((8, 8), np.float32), "title")
    assert "no evidence" in dead.axes[1].texts[0].get_text()


def test_equal_figures_give_equal_png_files():
    frame = np.zeros((8, 8, 3), np.uint8)
    first, second = (png_bytes(frame_figure(frame, np.eye(8, dtype=np.float32), "t")) for _ in range(2))
    assert first == second
    assert Image.open(io.BytesIO(first)).format == "PNG"
