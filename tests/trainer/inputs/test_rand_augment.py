import numpy as np
import pytest
import tensorflow as tf

from trainer.inputs.rand_augment import rand_augment_operations, rand_augmenter

SIZE = 20
SEED = tf.constant([1, 2], tf.int64)


@pytest.fixture(scope="module")
def frames():
    generator = np.random.default_rng(0)
    return tf.constant(generator.integers(60, 180, (6, SIZE, SIZE, 3)).astype(np.float32))


def apply(number, frames, strength, sign=1.0):
    return rand_augment_operations(strength)[number](frames, tf.fill([len(frames), 1, 1, 1], sign)).numpy()


def test_contrast_and_brightness_are_what_the_ranges_say(frames):
    mean = frames.numpy().mean(axis=(1, 2), keepdims=True)
    expected = np.clip((frames.numpy() - mean) * (1 - 0.45) + mean, 0, 255)
    np.testing.assert_allclose(apply(4, frames, 0.5, -1.0), expected, atol=1e-3)  # float32 in 0..255
    expected = np.clip(frames.numpy() + 255 / 4, 0, 255)
    np.testing.assert_allclose(apply(5, frames, 0.5), expected, atol=1e-3)


def test_solarize_turns_over_what_is_above_the_threshold(frames):
    values = frames.numpy()
    expected = np.where(values < 127.5, values, 255 - values)
    np.testing.assert_allclose(apply(2, frames, 0.5), expected, atol=1e-3)


def test_contrast_is_stretched_to_black_and_white_and_histograms_are_made_even(frames):
    stretched = apply(0, frames, 0.5)
    np.testing.assert_allclose(stretched.min(axis=(1, 2)), 0, atol=1e-3)
    np.testing.assert_allclose(stretched.max(axis=(1, 2)), 255, atol=1e-3)
    # Whole steps of the table, as in PIL, make small pictures too bright.
    large = tf.constant(np.random.default_rng(1).integers(60, 180, (2, 128, 128, 3)).astype(np.float32))
    even = apply(1, large, 0.5)
    assert np.abs(np.quantile(even, [0.25, 0.5, 0.75]) - 255 * np.array([0.25, 0.5, 0.75])).max() < 5


def test_shifts_move_the_picture_by_the_share_of_the_magnitude(frames):
    moved = apply(8, frames, 0.5, 1.0)  # 0.3 * 0.5 of 20 px: 3 px to the right
    np.testing.assert_allclose(moved[:, :, 3:], frames.numpy()[:, :, :-3], atol=1e-2)
    moved = apply(9, frames, 0.5, -1.0)
    np.testing.assert_allclose(moved[:, :-3], frames.numpy()[:, 3:], atol=1e-2)


def test_shear_moves_each_row_by_its_distance_from_the_top():
    columns = tf.constant(np.arange(SIZE, dtype=np.float32)[None, None, :, None].repeat(SIZE, 1).repeat(3, 3))
    sheared = apply(6, columns, 1.0)[0, :, :, 0]
    # x' = x + 0.3 y: on rows that move by whole pixels, where nothing came from beyond the edge.
    np.testing.assert_allclose(sheared[10, :-3], np.arange(3, SIZE), atol=1e-3)
    np.testing.assert_allclose(sheared[0], np.arange(SIZE), atol=1e-3)


def test_without_strength_nothing_but_the_first_two_alters_anything(frames):
    for number in range(2, 10):
        np.testing.assert_allclose(apply(number, frames, 0.0), frames, atol=1e-3)


def test_every_frame_gets_an_operation_of_its_own_in_its_own_place(frames):
    """The parts that go through the layers come back to where they were taken from."""
    many = tf.tile(frames, [20, 1, 1, 1])
    altered = rand_augmenter(1.0)(many, SEED).numpy()
    # At magnitude 1 a frame still looks most like itself.
    flat = (frames.numpy() - frames.numpy().mean(axis=(1, 2), keepdims=True)).reshape(6, -1)
    others = (altered - altered.mean(axis=(1, 2), keepdims=True)).reshape(120, -1)
    nearest = np.argmax(others @ flat.T, axis=1)
    assert (nearest == np.arange(120) % 6).mean() > 0.9
    assert len({frame.tobytes() for frame in altered}) > 100


def test_all_ten_operations_are_drawn():
    """Frames of one colour each: what an operation does to a ramp tells it from the others."""
    ramp = np.linspace(40, 200, SIZE, dtype=np.float32)[None, None, :, None]
    frames = tf.constant(np.broadcast_to(ramp, (300, SIZE, SIZE, 3)).copy())
    altered = rand_augmenter(5.0)(frames, SEED).numpy()
    assert np.isfinite(altered).all()
    assert len({frame.tobytes() for frame in altered}) > 60  # of 16 * 16 ordered pairs, some of them alike
