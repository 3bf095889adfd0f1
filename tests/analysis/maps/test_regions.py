import math

import numpy as np
import pytest
from toy_study_parts import TOY_SPEC

from analysis.maps.region_boxes import Box, boxes_in, check_annotated, check_in_segments, read_regions
from analysis.maps.regions import RegionShare, region_sentence, region_shares
from analysis.maps.segment_maps import SegmentMaps
from analysis.maps.trust_figures import regions_figure
from avinst.errors import UserError
from trainer.audit.measures import Interval

NAMES = ("flute", "cello")
ALWAYS = math.nan


def maps_of(rows, seconds=None):
    """Rows of (recording, label, map) with 2 x 2 cells over a frame of 32 pixels."""
    ids, labels, maps = zip(*rows, strict=True)
    centres = np.array([7.5, 23.5])
    return SegmentMaps(
        label_names=NAMES,
        video_id=np.array(ids),
        start_seconds=np.array(seconds or np.zeros(len(ids)), np.float32),
        label_index=np.array(labels),
        maps={"visual": np.array(maps, np.float32)},
        centres={"visual": (centres, centres)},
    )


def test_shares_worked_out_by_hand():
    # One cell: 1 to its centre at 7.5, falling to 0 at 23.5, along both axes. Pixels 0 to 7 have 1; 8 to 23 have
    # (23.5 - i) / 16, with the sum 8. So the left half holds 8 + (15.5 + ... + 8.5) / 16 = 14 of 16.
    boxes = {"a": [Box(ALWAYS, 0.0, 0.0, 0.5, 1.0)]}
    everything, flute = region_shares(maps_of([("a", 0, [[3, 0], [0, 0]])]), boxes, TOY_SPEC)
    assert (everything.label, flute.label) == ("", "flute")
    assert everything.maps.value == pytest.approx(14 / 16, abs=1e-6)
    assert everything.uniform == pytest.approx(0.5)
    assert everything.centre == pytest.approx(0.5)
    assert everything.above_centre.value == pytest.approx(14 / 16 - 0.5, abs=1e-6)
    corner = {"a": [Box(ALWAYS, 0.0, 0.0, 0.5, 0.5)]}
    assert region_shares(maps_of([("a", 0, [[3, 0], [0, 0]])]), corner, TOY_SPEC)[0].maps.value == pytest.approx(
        (14 / 16) ** 2, abs=1e-6
    )


def test_an_even_map_has_the_boxs_share_and_pixels_on_its_edge_count_in_part():
    box = Box(ALWAYS, 0.1, 0.2, 0.45, 0.9)
    (found, _) = region_shares(maps_of([("a", 0, [[1, 1], [1, 1]])]), {"a": [box]}, TOY_SPEC)
    assert found.maps.value == pytest.approx(0.35 * 0.7, abs=1e-6)
    assert found.uniform == pytest.approx(0.35 * 0.7)


def test_the_centre_prior_is_a_gaussian_of_a_quarter_of_the_frame():
    box = Box(ALWAYS, 0.25, 0.25, 0.75, 0.75)
    (found, _) = region_shares(maps_of([("a", 0, [[1, 1], [1, 1]])]), {"a": [box]}, TOY_SPEC)
    along_an_axis = math.erf(1 / math.sqrt(2)) / math.erf(2 / math.sqrt(2))  # 1 of the 2 deviations in the frame
    assert found.centre == pytest.approx(along_an_axis**2, abs=2e-3)  # 32 pixels for the integral


def test_recordings_count_the_same_dead_maps_and_others_are_left_out():
    left, right, dead = [[1, 0], [1, 0]], [[0, 1], [0, 1]], [[0, 0], [0, 0]]
    rows = [("a", 0, left), ("a", 0, left), ("a", 0, left), ("b", 1, right), ("c", 1, dead), ("d", 1, left)]
    boxes = {name: [Box(ALWAYS, 0.0, 0.0, 0.5, 1.0)] for name in "abc"}
    everything, flute, cello = region_shares(maps_of(rows), boxes, TOY_SPEC)
    assert [found.recordings for found in (everything, flute, cello)] == [2, 1, 1]
    assert everything.maps.value == pytest.approx((14 / 16 + 2 / 16) / 2, abs=1e-6)
    assert (everything.maps.low, everything.maps.high) == pytest.approx((2 / 16, 14 / 16), abs=1e-6)
    assert region_shares(maps_of(rows), {"x": boxes["a"]}, TOY_SPEC) == []


def test_a_box_with_a_time_says_nothing_of_other_segments():
    rows = [("a", 0, [[1, 0], [1, 0]]), ("a", 0, [[0, 1], [0, 1]])]
    for seconds, share in ((0.99, 14 / 16), (1.0, 2 / 16), (1.1, 2 / 16)):
        boxes = {"a": [Box(seconds, 0.0, 0.0, 0.5, 1.0)]}
        (found, _) = region_shares(maps_of(rows, [0.0, 1.0]), boxes, TOY_SPEC)
        assert found.maps.value == pytest.approx(share, abs=1e-6)
    assert region_shares(maps_of(rows, [3.0, 4.0]), boxes, TOY_SPEC) == []


@pytest.mark.parametrize("first", [0.0, 30.0, 30.1, 99.7, 3599.3])
@pytest.mark.parametrize("length", [1.0, 0.5])
def test_a_box_on_a_border_is_that_of_the_segment_that_begins_there(first, length):
    starts = np.array([first + number * length for number in range(6)])
    for number, seconds in enumerate(np.round(starts, 6)):
        box = Box(float(seconds), 0.0, 0.0, 1.0, 1.0)
        held = [bool(boxes_in([box], float(start), length)) for start in starts.astype(np.float32)]
        assert held == [other == number for other in range(6)]
    assert boxes_in([box._replace(seconds=first - 0.001)], first, length) == []
    assert boxes_in([box._replace(seconds=first + length - 0.001)], first, length) != []


def test_a_box_with_a_time_is_that_of_the_nearest_segment():
    left, right = Box(0.5, 0.0, 0.0, 0.5, 1.0), Box(1.5, 0.5, 0.0, 1.0, 1.0)
    rows = [("a", 0, [[1, 0], [1, 0]]), ("a", 0, [[1, 0], [1, 0]])]
    first = region_shares(maps_of(rows, [0.0, 0.0]), {"a": [left, right]}, TOY_SPEC)[0]
    both = region_shares(maps_of(rows, [0.0, 1.0]), {"a": [left, right]}, TOY_SPEC)[0]
    assert first.maps.value == pytest.approx(14 / 16, abs=1e-6)
    assert both.maps.value == pytest.approx(0.5, abs=1e-6)


def shares_of(*boxes, cells=((3, 1), (0, 2))):
    (found, _) = region_shares(maps_of([("a", 0, cells)]), {"a": list(boxes)}, TOY_SPEC)
    return np.array([found.maps.value, found.uniform, found.centre])


def test_several_boxes_are_their_union():
    # Edges within pixels; the two overlap from 0.3 to 0.55 and from 0.4 to 0.61.
    first, second = Box(ALWAYS, 0.1, 0.2, 0.55, 0.61), Box(ALWAYS, 0.3, 0.4, 0.97, 0.9)
    both = Box(ALWAYS, 0.3, 0.4, 0.55, 0.61)
    expected = shares_of(first) + shares_of(second) - shares_of(both)
    np.testing.assert_allclose(shares_of(first, second), expected, atol=1e-12)
    assert shares_of(first, second)[1] == pytest.approx(0.45 * 0.41 + 0.67 * 0.5 - 0.25 * 0.21)
    np.testing.assert_allclose(shares_of(first, first, both), shares_of(first), atol=1e-12)
    quarters = [Box(ALWAYS, x, y, x + 0.5, y + 0.5) for x in (0.0, 0.5) for y in (0.0, 0.5)]
    np.testing.assert_allclose(shares_of(*quarters), 1)


def test_the_boxes_of_a_segment_are_those_without_a_time_and_all_of_the_nearest():
    always, early, late = Box(ALWAYS, 0, 0, 0.1, 1), Box(0.3, 0, 0, 0.2, 1), Box(0.6, 0, 0, 0.3, 1)
    also_late, outside = late._replace(right=0.4), Box(1.2, 0, 0, 0.5, 1)
    boxes = [outside, early, late, also_late, always]
    assert boxes_in(boxes, 0.0, 1.0) == [late, also_late, always]
    assert boxes_in(boxes, 1.0, 1.0) == [outside, always]
    assert boxes_in(boxes, 5.0, 1.0) == [always]
    assert boxes_in([early, late], 5.0, 1.0) == []


def test_the_figure_shows_what_the_verdict_goes_by():
    # The maps' own interval reaches over the centre prior, the paired difference leaves 0 out.
    rows = [
        RegionShare(
            label=label,
            recordings=recordings,
            maps=Interval(0.5, 0.3, 0.7),
            uniform=0.3,
            centre=0.45,
            above_uniform=Interval(0.2, 0.15, 0.25),
            above_centre=Interval(0.05, 0.02, 0.08),
        )
        for label, recordings in (("", 20), ("flute", 5))
    ]
    values, differences = regions_figure(rows).axes
    assert [tick.get_text() for tick in values.get_yticklabels()] == ["all (20)", "flute (5, few)"]
    drawn = [line.get_xdata() for line in differences.lines if len(line.get_xdata()) == 2]
    assert sum(tuple(ends) == (0.02, 0.08) for ends in drawn) == 2
    filled = [line.get_markerfacecolor() != "white" for line in differences.lines if line.get_marker() == "D"]
    assert filled == [True, False]


def test_boxes_beside_all_analyzed_segments_are_told_with_both_times():
    boxes = {"a": [Box(0.5, 0, 0, 1, 1), Box(29.9, 0, 0, 1, 1)], "b": [Box(31.5, 0, 0, 1, 1)]}
    parts = [("x", 0.0), ("a", 30.0), ("a", 31.0)]
    expected = (
        "'boxes.csv': no box lies in an analyzed segment; 'a' is analyzed from 30 to 32 s, its boxes are at "
        "0.5 to 29.9 s; give seconds in the file, as start_seconds counts, or none for boxes that always hold"
    )
    with pytest.raises(UserError) as caught:
        check_in_segments(boxes, parts, 1.0, "boxes.csv")
    assert str(caught.value) == expected
    check_in_segments({"a": [Box(ALWAYS, 0, 0, 1, 1)]}, parts, 1.0, "boxes.csv")

    def until_the_first():
        yield from [*parts, ("b", 30.0), ("b", 31.0)]
        pytest.fail("a segment with a box was found; the rest of a large split is not to be read")

    check_in_segments(boxes, until_the_first(), 1.0, "boxes.csv")


@pytest.mark.parametrize(
    ("maps", "words"),
    [
        ([[[1, 0], [0, 0]]] * 20, "(20 recordings), more than a centre prior's"),
        ([[[0, 0], [0, 1]]] * 20, "(20 recordings), less than a centre prior's"),
        ([[[1, 0], [0, 0]], [[0, 0], [0, 1]]] * 10, "(20 recordings), not told from a centre prior's"),
        ([[[1, 0], [0, 0]]] * 19, "too few recordings (19) to tell it from a centre prior's"),
    ],
)
def test_words(maps, words):
    rows = [(str(number), 0, found) for number, found in enumerate(maps)]
    boxes = {name: [Box(ALWAYS, 0.0, 0.0, 0.5, 0.5)] for name, _, _ in rows}
    assert words in region_sentence(region_shares(maps_of(rows), boxes, TOY_SPEC)[0])


def test_a_file_of_boxes(tmp_path):
    file = tmp_path / "regions.csv"
    file.write_text(
        "left,top,right,bottom,video_id,seconds,note\n0,.1,.5,1,a/b,0.5,x\n0.2,0,1,1,a/b,,\n0,0,1,1,c,2,\n"
    )
    boxes = read_regions(str(file))
    assert list(boxes) == ["a/b", "c"]
    assert boxes["a/b"][0] == (0.5, 0, 0.1, 0.5, 1)
    assert math.isnan(boxes["a/b"][1].seconds)
    check_annotated(boxes, ["c", "x"], str(file))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("video_id,left,top,right\na,0,0,1\n", "no column bottom"),
        ("video_id,left,top,right,bottom\na,0,0,1,x\n", "line 2: .* not four numbers"),
        ("video_id,left,top,right,bottom\na,0,0,1\n", "line 2: .* not four numbers"),
        ("video_id,left,top,right,bottom\na,0.5,0,0.5,1\n", "line 2: .* make no box"),
        ("video_id,left,top,right,bottom\na,0,0,96,96\n", "shares of the frame"),
        ("video_id,left,top,right,bottom\na,0,nan,1,1\n", "make no box"),
        ("video_id,left,top,right,bottom\nb,0,0,1,1\n", "it has 'b', they are called 'a'"),
        ("video_id,left,top,right,bottom\n", "no line below its header"),
        (
            "video_id,left,top,right,bottom,seconds\na,0,0,1,1,-1\n",
            "line 2: seconds is '-1'; give .* as start_seconds counts, 0 or more",
        ),
        ("video_id,left,top,right,bottom,seconds\na,0,0,1,1,x\n", "line 2: seconds is 'x'"),
        ("video_id,left,top,right,bottom,seconds\na,0,0,1,1,nan\n", "line 2: seconds is 'nan'"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path, text, message):
    (tmp_path / "regions.csv").write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        check_annotated(read_regions(str(tmp_path / "regions.csv")), ["a"], "regions.csv")
    assert "\n" not in str(caught.value)
