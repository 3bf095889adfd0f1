import io
import urllib.parse
import wave

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray
from tensorboard_server import tensorboard

from analysis.summaries import correlation_table, write_summaries


@pytest.fixture(scope="module")
def folder(toy_study, toy_pictures, toy_sounds, tmp_path_factory):
    folder = tmp_path_factory.mktemp("logs") / "analysis"
    write_summaries(toy_study, toy_pictures, str(folder))
    write_summaries(toy_study, toy_pictures, str(folder), toy_sounds)  # again: replaces, does not add
    return folder


@pytest.fixture(scope="module")
def events(folder):
    accumulator = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    accumulator.Reload()
    return accumulator


def test_every_figure_is_there_under_its_tag(events, toy_pictures):
    tags = set(events.Tags()["tensors"])
    assert {picture.tag for picture in toy_pictures} <= tags
    assert {"summary", "correlation/table", "features/audio", "features/visual"} <= tags
    for tag in {picture.tag for picture in toy_pictures}:
        steps = events.Tensors(tag)
        assert len(steps) == 1
        # Width, height, then the pictures.
        count = sum(picture.tag == tag for picture in toy_pictures)
        assert len(make_ndarray(steps[0].tensor_proto)) == 2 + count


def test_scalars_are_the_studys_figures(events, toy_study):
    for label, result in toy_study.correlations.items():
        across = make_ndarray(events.Tensors(f"spearman/across/{label}")[0].tensor_proto)
        assert across == pytest.approx(result.across.value, rel=1e-6)  # float32
        pairs = make_ndarray(events.Tensors(f"spearman/significant_pairs/{label}")[0].tensor_proto)
        assert pairs == np.count_nonzero(result.significant)


def test_table_has_a_row_for_every_label(toy_study):
    lines = correlation_table(toy_study).splitlines()
    assert len(lines) == 2 + len(toy_study.features.label_names)
    assert len({line.count("|") for line in lines}) == 1


def test_tensorboard_plays_a_sound_for_each_segment_that_is_shown(folder, toy_study, toy_sounds):
    labels = toy_study.features.label_names
    expected = {f"gradcam/{label}/sound" for label in labels}
    expected |= {
        f"gradcam/{labels[choice.label_index]}/sound_kept"
        for choice, sound in toy_sounds.items()
        if sound.kept is not None
    }
    assert len(expected) > len(labels)
    with tensorboard(folder.parent) as board:
        tags = board.wait_for("audio/tags", lambda answer: len(answer.get("analysis", {})) == len(expected))[
            "analysis"
        ]
        assert set(tags) == expected
        tag = "gradcam/flute/sound"
        assert "resynthesised from the log-mel" in str(tags[tag])
        listed = board.json("audio/audio", run="analysis", tag=tag, sample=0)
        content = board.get("audio/individualAudio", **dict(urllib.parse.parse_qsl(listed[0]["query"])))
    sound = next(iter(toy_sounds.values()))
    with wave.open(io.BytesIO(content)) as file:
        assert file.getframerate() == sound.rate_hz
        heard = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 2**15
    np.testing.assert_allclose(heard, sound.waveform, atol=1e-4)  # 16 bits
