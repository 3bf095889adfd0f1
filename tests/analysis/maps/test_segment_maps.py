import numpy as np
import pytest
from toy_models import batch_of, toy_model
from toy_study_parts import TOY_SPEC

from analysis.maps.gradcam import EvidenceMaps
from analysis.maps.mean_maps import bands_csv, mean_maps
from analysis.maps.segment_maps import SegmentMaps, count_dead, save_segment_maps, segment_maps
from analysis.maps.trust_words import dead_sentences

NAMES = ("flute", "cello", "piano")


def maps_of(rows):
    """Rows of (recording, label, map) with 2 x 2 cells of audio that look at the quarters of the spectrogram."""
    ids, labels, maps = zip(*rows, strict=True)
    return SegmentMaps(
        label_names=NAMES,
        video_id=np.array(ids),
        start_seconds=np.zeros(len(ids), np.float32),
        label_index=np.array(labels),
        maps={"audio": np.array(maps, np.float32)},
        centres={"audio": (np.array([6.0, 18.0]), np.array([4.0, 12.0]))},
    )


def test_every_segment_has_a_map_for_each_of_its_labels():
    evidence_maps = EvidenceMaps(toy_model(seed=3))
    batches = [
        batch_of(["a", "a", "b"], [(0,), (0, 2), (1,)], seed=1),
        batch_of(["c"], [(2,)], seed=2),
    ]
    found = segment_maps(evidence_maps, batches, NAMES)
    assert list(zip(found.video_id.tolist(), found.label_index.tolist(), strict=True)) == [
        ("a", 0),
        ("a", 0),
        ("a", 2),
        ("b", 1),
        ("c", 2),
    ]
    assert found.start_seconds.tolist() == [0, 1, 1, 2, 0]
    second = {name: batches[0][name][1:2] for name in ("log_mel", "frame")}
    expected = evidence_maps(second, np.array([2]))
    for modality in ("audio", "visual"):
        np.testing.assert_allclose(found.maps[modality][2], expected[modality][0], atol=1e-6)  # float32


def test_maps_are_written_with_where_their_cells_look(tmp_path):
    save_segment_maps(maps_of([("a", 1, [[1, 2], [3, 4]])]), str(tmp_path / "maps.npz"))
    with np.load(tmp_path / "maps.npz") as arrays:
        assert arrays["label"].tolist() == ["cello"]
        assert arrays["audio_maps"].tolist() == [[[1, 2], [3, 4]]]
        assert arrays["audio_column_centres"].tolist() == [4, 12]


def test_dead_maps_are_counted_over_all_segments_and_named():
    dead, alive = [[0, 0], [0, 0]], [[0, 1], [0, 0]]
    found = count_dead(maps_of([("a", 0, dead), ("a", 0, alive), ("b", 0, dead), ("b", 0, dead), ("b", 2, alive)]))
    flute, piano = found
    assert (flute.label, flute.modality) == ("flute", "audio")
    assert (flute.segments, flute.dead_segments, flute.recordings) == (4, 3, 2)
    assert flute.dead_recordings == ("b",)
    assert (piano.label, piano.segments, piano.dead_segments, piano.dead_recordings) == ("piano", 1, 0, ())
    assert dead_sentences(found) == [
        "3 of 5 audio maps show no evidence for the true label anywhere (flute 3 of 4); in no segment of b."
    ]
    assert dead_sentences([piano]) == []


def test_each_recording_counts_the_same_in_a_mean_map():
    # "a" has three segments, "b" one with a hundredfold logit; dead maps have no share.
    top, bottom = [[1, 1], [0, 0]], [[0, 0], [100, 300]]
    rows = [("a", 0, top), ("a", 0, top), ("a", 0, [[0, 0], [0, 0]]), ("a", 0, top), ("b", 0, bottom)]
    (means,) = mean_maps(maps_of(rows), TOY_SPEC)
    assert means.recordings == {"audio": 2}
    drawn = means.maps["audio"]
    assert drawn.shape == (24, 16)
    assert drawn.sum() == pytest.approx(1)
    # At the centres of the cells stand the means of the shares: 0.25 and 0.25 above, 0.125 and 0.375 below.
    corners = drawn[np.ix_([6, 18], [4, 12])]
    np.testing.assert_allclose(corners / corners.sum(), [[0.25, 0.25], [0.125, 0.375]])
    assert means.bands.shape == (3, 16)
    assert means.bands[0].sum() == pytest.approx(1)
    assert (means.bands[1] <= means.bands[0]).all()
    # "a" is even over the bands. Of "b" the lower cell has a quarter: whole up to band 4, nothing from band 12 on.
    reach = np.interp(np.arange(16), [4, 12], [1, 0])
    of_b = (0.25 * reach + 0.75 * (1 - reach)) / (0.25 * reach + 0.75 * (1 - reach)).sum()
    np.testing.assert_allclose(means.bands[0], (1 / 16 + of_b) / 2, rtol=1e-5)  # float32


def test_bands_are_a_table_in_hertz():
    text = bands_csv(mean_maps(maps_of([("a", 1, [[1, 0], [0, 0]])]), TOY_SPEC), TOY_SPEC)
    lines = [line.split(",") for line in text.splitlines()]
    assert lines[0] == ["label", "mel_band", "hz", "share", "low", "high"]
    assert len(lines) == 1 + 16
    assert {line[0] for line in lines[1:]} == {"cello"}
    hz = [float(line[2]) for line in lines[1:]]
    assert hz == sorted(hz)
    # 16 bands between 20 and 400 Hz, equally far from each other on the mel scale; the first by hand.
    low, high = (2595 * np.log10(1 + f / 700) for f in (20, 400))
    assert hz[0] == pytest.approx(700 * (10 ** ((low + (high - low) / 17) / 2595) - 1), abs=0.05)
    assert sum(float(line[3]) for line in lines[1:]) == pytest.approx(1, abs=1e-5)  # six decimals
