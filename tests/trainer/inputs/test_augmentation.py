import numpy as np
import pytest
import tensorflow as tf

from trainer.config import TrainConfig
from trainer.inputs.augmentation import augmenter
from trainer.inputs.frame_augmentation import frame_augmenter, random_boxes, towards_grey
from trainer.inputs.log_mel_masks import draw_masks, mask_log_mel

SEED = tf.constant([3, 4], tf.int64)


def runs(flags):
    """Where the masked places begin and how many they are; they must be neighbours."""
    places = np.flatnonzero(flags)
    assert len(places) == 0 or places[-1] - places[0] + 1 == len(places)
    return len(places)


def test_masks_are_one_band_and_one_stretch_of_the_mean_and_touch_nothing_else():
    generator = np.random.default_rng(0)
    log_mel = generator.normal(-40, 10, (16, 50, 40)).astype(np.float32)
    masked = mask_log_mel(tf.constant(log_mel), draw_masks(50, 40, seed=0), SEED, -40.5).numpy()
    widths = set()
    for before, after in zip(log_mel, masked, strict=True):
        changed = before != after
        assert set(after[changed]) <= {np.float32(-40.5)}
        bands, frames = changed.all(axis=0), changed.all(axis=1)
        assert runs(bands) < 8  # a fifth of 40
        assert runs(frames) < 10  # a fifth of 50
        np.testing.assert_array_equal(changed, bands[None] | frames[:, None])
        widths.add((bands.sum(), frames.sum()))
    assert len(widths) > 8


def test_the_masks_that_are_drawn_are_a_function_of_the_seed_and_cover_every_width_and_place():
    first, again, other = (draw_masks(50, 40, seed)[1].numpy() for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert {runs(mask) for mask in first} == set(range(8))
    assert first[:, :-1].any(axis=0).all()  # tfio's masks never reach the last band


def test_what_is_drawn_is_a_function_of_the_batchs_seed_alone(dataset):
    alter = augmenter(dataset, TrainConfig(rand_augment=5.0, mix="mixup"), ["log_mel", "frame"])
    generator = np.random.default_rng(0)
    features = {
        "log_mel": tf.constant(generator.normal(-40, 10, (4, 96, 96)).astype(np.float32)),
        "frame": tf.constant(generator.integers(0, 256, (4, 64, 64, 3)).astype(np.uint8)),
    }
    seeds = [[0, 0], [0, 1], [0, 0]]
    results = [alter(features, tf.eye(4), tf.constant(seed, tf.int64)) for seed in seeds]
    for name in features:
        np.testing.assert_array_equal(results[0][0][name], results[2][0][name])
        assert not np.array_equal(results[0][0][name], results[1][0][name])
    np.testing.assert_array_equal(results[0][1], results[2][1])
    assert not np.array_equal(results[0][1], results[1][1])


@pytest.mark.parametrize("magnitude", [0.0, 10.0])
def test_every_frame_is_altered_in_its_own_way_and_stays_a_frame(magnitude):
    frame = tf.cast(tf.random.stateless_uniform([1, 64, 64, 3], [1, 2], 0, 256, tf.int32), tf.uint8)
    alter = frame_augmenter(64, magnitude)
    batches = tf.data.Dataset.range(2).map(
        lambda number: alter(tf.repeat(frame, 8, axis=0), tf.stack([number, 5]))
    )
    seen = np.concatenate([batch.numpy() for batch in batches])
    assert seen.shape == (16, 64, 64, 3)
    assert seen.dtype == np.float32
    assert seen.min() >= 0
    assert seen.max() <= 255
    assert len({altered.tobytes() for altered in seen}) == 16
    if not magnitude:
        # Still the picture's brightness, within brightness and contrast of 15 % and 25 %.
        assert np.abs(seen.mean(axis=(1, 2, 3)) - frame.numpy().mean()).max() < 0.25 * 255


def test_about_half_of_the_frames_are_flipped():
    ramp = np.tile(np.linspace(0, 255, 32, dtype=np.float32), (200, 32, 1))[..., None].repeat(3, axis=-1)
    altered = frame_augmenter(32, 0.0)(tf.constant(ramp), SEED).numpy()
    flipped = (altered[:, :, :8].mean(axis=(1, 2, 3)) > altered[:, :, -8:].mean(axis=(1, 2, 3))).mean()
    assert 0.35 < flipped < 0.65  # four standard deviations of 200 tosses


def test_boxes_lie_inside_and_have_the_area_and_aspect_asked_for():
    top, left, bottom, right = random_boxes(tf.constant(500), SEED).numpy().T
    for low, high in ((top, bottom), (left, right)):
        assert low.min() >= 0
        assert high.max() <= 1 + 1e-6  # float32
    area, aspect = (bottom - top) * (right - left), (right - left) / (bottom - top)
    # A side that would leave the frame is cut: the area gets smaller, the aspect nearer to 1.
    assert 0.55 < area.min() < 0.65
    assert 0.95 < area.max() <= 1 + 1e-6
    assert 0.79 < aspect.min() < 0.85
    assert 1.2 < aspect.max() < 1.26
    assert np.corrcoef(top, left)[0, 1] < 0.5  # the two places are drawn apart


def test_colours_are_taken_away_towards_the_grey_of_the_same_brightness():
    red = tf.constant([[[[200.0, 50.0, 0.0]]]])
    grey = 0.2989 * 200 + 0.587 * 50  # ITU-R BT.601, as tf.image has it
    np.testing.assert_allclose(towards_grey(red, 1.0)[0, 0, 0], [grey] * 3, atol=0.05)
    np.testing.assert_allclose(towards_grey(red, 0.5)[0, 0, 0], (np.array([200, 50, 0]) + grey) / 2, atol=0.05)
