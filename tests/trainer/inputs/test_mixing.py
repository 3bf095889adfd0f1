import numpy as np
import pytest
import tensorflow as tf

from trainer.inputs.mixing import mix_examples

COUNT, SIZE, FRAMES, MELS = 8, 20, 30, 10


def numbered():
    """Example n is n everywhere; its label is its own."""
    numbers = np.arange(COUNT, dtype=np.float32)
    return {
        "log_mel": tf.constant(np.broadcast_to(-numbers[:, None, None], (COUNT, FRAMES, MELS)).copy()),
        "frame": tf.constant(
            np.broadcast_to(numbers[:, None, None, None], (COUNT, SIZE, SIZE, 3)).astype(np.uint8)
        ),
    }, tf.eye(COUNT)


def mixed(method, seed=0, alpha=1.0, features=None, label=None):
    found, label_found = mix_examples(
        features or numbered()[0],
        numbered()[1] if label is None else label,
        tf.constant([seed, 1], tf.int64),
        method,
        alpha,
    )
    return {name: values.numpy() for name, values in found.items()}, label_found.numpy()


def partners_and_shares(label):
    """Of labels that were each example's own: whom it was mixed with, and the partner's share."""
    own = label[np.arange(COUNT), np.arange(COUNT)]
    others = label - np.diag(own)
    partner = np.where(others.max(axis=1) > 0, others.argmax(axis=1), np.arange(COUNT))
    return partner, others.sum(axis=1)


def test_mixup_adds_sound_picture_and_label_of_one_partner_by_one_share():
    found, label = mixed("mixup")
    partner, share = partners_and_shares(label)
    expected = np.arange(COUNT) * (1 - share) + partner * share
    for row in range(COUNT):
        np.testing.assert_allclose(found["frame"][row], expected[row], atol=1e-5)  # float32
        np.testing.assert_allclose(found["log_mel"][row], -expected[row], atol=1e-5)
    np.testing.assert_allclose(label.sum(axis=1), 1.0, atol=1e-6)
    assert len(set(share)) > 4


def test_cutmix_sets_a_square_and_a_stretch_of_the_partner_in_and_the_label_tells_their_share():
    cut, ends = 0, set()
    for seed in range(6):
        found, label = mixed("cutmix", seed)
        partner, share = partners_and_shares(label)
        # Less than a frame of the log-mel is nothing.
        for row in np.flatnonzero((partner != np.arange(COUNT)) & (share > 0.5 / FRAMES)):
            square = found["frame"][row, :, :, 0] == partner[row]
            stretch = found["log_mel"][row] == -float(partner[row])
            assert (found["frame"][row][~square] == row).all()
            assert (found["log_mel"][row][~stretch] == -row).all()
            rows, columns = np.flatnonzero(square.any(axis=1)), np.flatnonzero(square.any(axis=0))
            assert len(rows) == len(columns) == round(square.sum() ** 0.5)
            assert square[np.ix_(rows, columns)].all()
            assert rows[-1] - rows[0] + 1 == len(rows)
            times = np.flatnonzero(stretch.any(axis=1))
            assert stretch[times].all()
            assert times[-1] - times[0] + 1 == len(times)
            assert share[row] == pytest.approx((square.mean() + stretch.mean()) / 2, abs=1e-6)
            # One share for both, to the rounding of a square's side and of a stretch.
            assert abs(square.mean() - stretch.mean()) < 1 / SIZE + 0.5 / FRAMES + 0.01
            cut += 1
            ends |= {rows[0], rows[-1]} if len(rows) < SIZE else set()
    assert cut > 30
    assert {0, SIZE - 1} <= ends  # pieces begin and end anywhere


def test_the_shares_follow_the_beta_distribution():
    label = tf.eye(COUNT)
    for alpha in (0.2, 1.0):
        shares = np.concatenate([partners_and_shares(mixed("mixup", seed, alpha)[1])[1] for seed in range(60)])
        shares = shares[shares > 0]  # an example that is its own partner tells nothing
        assert shares.max() <= 0.5 + 1e-6
        # Beta(alpha, alpha) is symmetric: the smaller share is as far from one half as either. 420 draws.
        assert ((shares - 0.5) ** 2).mean() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.15)
    assert label.shape == (COUNT, COUNT)


def test_every_example_of_a_batch_counts_between_a_half_and_one_and_a_half():
    counts = np.concatenate([mixed("mixup", seed, 0.2)[1].sum(axis=0) for seed in range(20)])
    assert counts.min() >= 0.5 - 1e-6
    assert counts.max() <= 1.5 + 1e-6
    assert counts.max() > 1.3


def test_one_modality_alone_and_several_labels_are_mixed_alike():
    features, label = numbered()
    several = label + tf.roll(label, 1, axis=1)
    found, label_found = mixed("cutmix", 3, features={"log_mel": features["log_mel"]}, label=several)
    assert list(found) == ["log_mel"]
    np.testing.assert_allclose(label_found.sum(axis=1), 2.0, atol=1e-6)
    stretch = (found["log_mel"] != -np.arange(COUNT)[:, None, None]).mean(axis=(1, 2))
    for row in np.flatnonzero(stretch):
        lost = 1 - label_found[row][several[row].numpy() > 0].min()
        assert lost == pytest.approx(stretch[row], abs=1e-6)
