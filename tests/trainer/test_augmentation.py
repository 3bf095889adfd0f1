import numpy as np
import tensorflow as tf

from trainer.augmentation import augmenter, mask_log_mel
from trainer.input_pipeline import examples


def augmented(dataset, seed, count=4):
    batches = examples(dataset, "train", 8, training=True, seed=seed, augment=True)
    return [{name: value.numpy() for name, value in features.items()} for features, _ in batches.take(count)]


def test_masks_are_one_band_and_one_stretch_of_the_mean_and_touch_nothing_else():
    generator = np.random.default_rng(0)
    log_mel = generator.normal(-40, 10, (16, 50, 40)).astype(np.float32)
    masked = mask_log_mel(tf.constant(log_mel), -40.5).numpy()
    widths = []
    for before, after in zip(log_mel, masked, strict=True):
        changed = before != after
        assert set(after[changed]) <= {np.float32(-40.5)}
        bands = np.flatnonzero(changed.all(axis=0))
        frames = np.flatnonzero(changed.all(axis=1))
        for run in (bands, frames):
            assert len(run) == 0 or run[-1] - run[0] + 1 == len(run)
        assert len(bands) < 8  # a fifth of 40
        assert len(frames) < 10  # a fifth of 50
        covered = np.zeros_like(changed)
        covered[:, bands] = covered[frames] = True
        np.testing.assert_array_equal(changed, covered)
        widths.append((len(bands), len(frames)))
    assert len(set(widths)) > 8


def test_augmentation_is_a_function_of_the_seed(dataset):
    first, again, other = augmented(dataset, 3), augmented(dataset, 3), augmented(dataset, 4)
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one["log_mel"], same["log_mel"])
        np.testing.assert_array_equal(one["frame"], same["frame"])
    assert not np.array_equal(first[0]["frame"], other[0]["frame"])


def test_every_frame_is_altered_in_its_own_way_and_stays_a_frame(dataset):
    frame = tf.cast(tf.random.stateless_uniform([1, 64, 64, 3], [1, 2], 0, 256, tf.int32), tf.uint8)
    alter = augmenter(dataset, 5, ["frame"])
    frames = {"frame": tf.repeat(frame, 8, axis=0)}
    batches = tf.data.Dataset.from_tensors(frames).repeat(2).map(alter)
    seen = np.concatenate([batch["frame"].numpy() for batch in batches])
    assert seen.shape == (16, 64, 64, 3)
    assert seen.dtype == np.float32
    assert seen.min() >= 0
    assert seen.max() <= 255
    assert len({altered.tobytes() for altered in seen}) == 16
    # Still the picture's brightness, within brightness and contrast of 15 % and 25 %.
    assert np.abs(seen.mean(axis=(1, 2, 3)) - frame.numpy().mean()).max() < 0.25 * 255
