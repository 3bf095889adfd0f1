import keras
import numpy as np
import tensorflow as tf
from toy_models import toy_model

from trainer.board.projector import RecordingFeatures, metadata_rows
from trainer.evaluation.predictions import Predictions


def observe(gathered, ids, values, frames=None):
    """Shows one batch: a feature of each modality that is `values`, and frames of one grey each."""
    count = len(ids)
    frames = np.zeros(count) if frames is None else np.array(frames)
    batch = {
        "video_id": tf.constant([name.encode() for name in ids]),
        "frame": tf.constant(np.tile(frames[:, None, None, None], (1, 96, 96, 3)).astype(np.uint8)),
    }
    outputs = {layer: np.array(values, np.float32)[:, None] for layer in gathered.layers}
    gathered.observe(batch, outputs)


def test_features_are_means_over_segments_over_batches():
    gathered = RecordingFeatures(toy_model(), recordings=3)
    assert gathered.layers == ("audio_features", "visual_features")
    observe(gathered, ["b", "a", "b"], [1.0, 10.0, 2.0])
    observe(gathered, ["b", "c"], [6.0, 7.0])
    for values in gathered.features().values():
        assert values.tolist() == [[3.0], [10.0], [7.0]]  # b, a, c: as they came


def test_many_recordings_are_thinned_evenly():
    gathered = RecordingFeatures(toy_model(("audio",)), recordings=9, maximum=3)
    observe(gathered, [f"v{number}" for number in range(9)], np.arange(9.0))
    assert gathered.kept.tolist() == [0, 4, 8]
    assert gathered.features()["audio_features"].ravel().tolist() == [0, 4, 8]
    assert RecordingFeatures(toy_model(("audio",)), recordings=0).kept.tolist() == []


def test_the_sprite_has_a_tile_for_each_recording_in_rows():
    gathered = RecordingFeatures(toy_model(("visual",)), recordings=5)
    # Recording 2 has five segments: the fourth is shown, whose number is the last power of two.
    ids = ["v0", "v1", "v2", "v2", "v2", "v2", "v2", "v3", "v4"]
    observe(gathered, ids, np.zeros(9), frames=[10, 20, 1, 2, 3, 30, 5, 40, 50])
    sprite = gathered.sprite()
    assert sprite.shape == (128, 192, 3)
    tiles = [sprite[top + 5, left + 5, 0] for top in (0, 64) for left in (0, 64, 128)]
    assert tiles == [10, 20, 30, 40, 50, 0]


def recordings(labels, probabilities, ids):
    count = len(ids)
    return Predictions(
        video_ids=np.array(ids),
        segment_index=np.zeros(count, int),
        start_seconds=np.zeros(count),
        labels=np.array(labels, np.float32),
        probabilities=np.array(probabilities, np.float32),
    )


def test_metadata_tells_true_and_predicted_labels():
    rows = recordings([[1, 0], [0, 1]], [[0.75, 0.25], [0.75, 0.25]], ["a/1", "b\t2\n"])
    found = metadata_rows(rows, ["cello", "drum\tkit"], np.array([0, 1]), multi_label=False)
    assert found[1:] == [["cello", "cello", "yes", "0.750", "a/1"], ["drum kit", "cello", "no", "0.750", "b 2"]]
    several = recordings([[1, 1], [1, 0]], [[0.75, 0.5], [0.2, 0.25]], ["a", "b"])
    found = metadata_rows(several, ["cello", "drum"], np.array([0, 1]), multi_label=True)
    assert found[1:] == [["cello|drum", "cello|drum", "yes", "0.750", "a"], ["cello", "none", "no", "0.250", "b"]]
    assert metadata_rows(several, ["cello", "drum"], np.array([1]), multi_label=True)[1][-1] == "b"


def test_a_model_without_the_layers_has_no_features():
    inputs = keras.Input((2,), name="log_mel")
    assert RecordingFeatures(keras.Model(inputs, inputs), recordings=1).layers == ()
