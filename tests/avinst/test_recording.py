import io

import numpy as np
import pytest
from dataset_factory import write_dataset

import avinst
from avinst.progress import Progress, tell
from trainer.inputs.pipeline import keyed_examples


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("recordings") / "set", multi_label=True)


@pytest.fixture
def shown():
    yield
    avinst.show_progress()


def test_a_recording_is_what_the_dataset_holds_of_it(dataset):
    ids = avinst.recording_ids(dataset, "test")
    stored = {"log_mel": [], "frame": [], "segment_start_seconds": []}
    for batch in keyed_examples(dataset, "test", 8):
        for row in np.flatnonzero(batch["video_id"].numpy() == ids[1].encode()):
            for name, values in stored.items():
                values.append(batch[name].numpy()[row])
    found = avinst.load_recording(dataset, ids[1])
    assert (found.video_id, found.split) == (ids[1], "test")
    np.testing.assert_array_equal(found.log_mel, stored["log_mel"])
    np.testing.assert_array_equal(found.frame, stored["frame"])
    np.testing.assert_array_equal(found.start_seconds, stored["segment_start_seconds"])
    assert (found.log_mel.dtype, found.frame.dtype, found.start_seconds.dtype) == (
        np.float32,
        np.uint8,
        np.float32,
    )


def test_its_labels_are_names(dataset):
    assert avinst.load_recording(dataset, "test/001").labels == ("drum",)
    assert avinst.load_recording(dataset, "test/003").labels == ("cello", "drum")


def test_the_ids_are_those_of_the_split(dataset):
    assert avinst.recording_ids(dataset, "test") == [f"test/{number:03d}" for number in range(12)]


def test_a_recording_that_is_not_there_is_told_with_the_nearest(dataset):
    with pytest.raises(avinst.UserError, match="no recording 'test/00'; did you mean"):
        avinst.load_recording(dataset, "test/00")


def test_progress_can_be_hidden(shown, capfd):
    stream = io.StringIO()
    avinst.show_progress(False)
    tell("a remark")
    Progress("videos", 3, stream).finish()
    assert (stream.getvalue(), capfd.readouterr().err) == ("", "")
    avinst.show_progress()
    tell("a remark")
    Progress("videos", 3, stream).finish(3)
    assert capfd.readouterr().err == "a remark\n"
    assert stream.getvalue().startswith("videos: 3/3")
