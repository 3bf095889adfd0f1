import numpy as np
import pytest
import tensorflow as tf

from avinst import schema
from avinst.frames import encode_jpeg
from avinst.spec import DatasetSpec

SPEC = DatasetSpec(frame_size=32)


def example(labels=(1,), seed=0):
    rng = np.random.default_rng(seed)
    frame = np.full((32, 32, 3), rng.integers(0, 255, 3), np.uint8)
    log_mel = rng.uniform(-100, 40, (SPEC.log_mel_frames, SPEC.mel_bands)).astype(np.float32)
    return schema.Example(log_mel, encode_jpeg(frame, SPEC), labels, f"-größe/{seed}", 7, 7.5), frame


def test_round_trip():
    original, frame = example(labels=(0, 2))
    parsed = schema.parse_examples(tf.constant([schema.encode_example(original, SPEC)]), SPEC, 4)
    # float16 holds values below 128 to 2^-4 / 2 dB at most, here 0.031
    np.testing.assert_allclose(parsed["log_mel"][0], original.log_mel, atol=0.032)
    np.testing.assert_array_equal(parsed["log_mel"][0], original.log_mel.astype(np.float16).astype(np.float32))
    assert np.abs(parsed["frame"][0].numpy().astype(int) - frame).max() <= 2  # JPEG of one flat colour
    np.testing.assert_array_equal(parsed["label"], [[1, 0, 1, 0]])
    assert parsed["video_id"][0].numpy().decode() == "-größe/0"
    assert parsed["segment_index"][0] == 7
    assert parsed["segment_start_seconds"][0] == 7.5


def test_a_batch_keeps_its_order_and_its_labels():
    serialized = [
        schema.encode_example(example(labels, seed)[0], SPEC) for seed, labels in enumerate([(0,), (1, 2)])
    ]
    parsed = schema.parse_examples(tf.constant(serialized), SPEC, 3)
    np.testing.assert_array_equal(parsed["label"], [[1, 0, 0], [0, 1, 1]])


def test_the_parser_works_in_a_batched_map():
    serialized = [schema.encode_example(example((0,), seed)[0], SPEC) for seed in range(3)]
    direct = schema.parse_examples(tf.constant(serialized), SPEC, 2)
    mapped = tf.data.Dataset.from_tensor_slices(serialized).batch(3)
    mapped = next(iter(mapped.map(lambda batch: schema.parse_examples(batch, SPEC, 2))))
    for name, value in direct.items():
        np.testing.assert_array_equal(mapped[name], value)


def test_equal_examples_give_equal_bytes():
    assert schema.encode_example(example()[0], SPEC) == schema.encode_example(example()[0], SPEC)


def test_wrong_shapes_are_refused():
    wrong = schema.Example(np.zeros((95, 96), np.float32), b"", (0,), "a", 0, 0.0)
    with pytest.raises(ValueError, match=r"\(95, 96\), the spec wants \(96, 96\)"):
        schema.encode_example(wrong, SPEC)


def test_a_picture_of_another_size_is_refused():
    jpeg = encode_jpeg(np.zeros((33, 32, 3), np.uint8), SPEC)
    with pytest.raises(tf.errors.InvalidArgumentError):
        schema.decode_jpegs(tf.constant([jpeg]), SPEC)


def test_as_stored_is_what_the_parser_gives_back():
    # Ties of float16 above 64 dB (steps of 1/16) and the smallest numbers: both must round the same way.
    values = np.linspace(-100, 127, SPEC.log_mel_frames * SPEC.mel_bands).astype(np.float32)
    values[:4] = 64 + 1 / 32, 64 + 3 / 32, 1e-7, -3e-8
    log_mel = values.reshape(SPEC.log_mel_frames, SPEC.mel_bands)
    stored = schema.encode_example(schema.Example(log_mel, example()[0].jpeg, (0,), "a", 0, 0.0), SPEC)
    parsed = schema.parse_inputs(tf.constant([stored]), SPEC, ["log_mel"])["log_mel"][0]
    np.testing.assert_array_equal(tf.function(schema.as_stored)(log_mel), parsed)
    assert parsed.numpy().ravel()[:2].tolist() == [64.0, 64.125]


def test_inputs_are_read_of_examples_that_hold_nothing_else():
    original = example()[0]
    whole = tf.constant([schema.encode_example(original, SPEC)])
    message = tf.train.Example.FromString(whole[0].numpy())
    for name in set(schema.FEATURES) - {schema.AUDIO_LOG_MEL}:
        del message.features.feature[name]
    sound = schema.parse_inputs(tf.constant([message.SerializeToString()]), SPEC, ["log_mel"])
    assert list(sound) == ["log_mel"]
    expected = schema.parse_examples(whole, SPEC, 2)
    np.testing.assert_array_equal(sound["log_mel"], expected["log_mel"])
    np.testing.assert_array_equal(schema.parse_inputs(whole, SPEC, ["frame"])["frame"], expected["frame"])
