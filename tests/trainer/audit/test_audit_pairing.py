import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.audit import pairing as audit_pairing
from trainer.audit.pairing import partner_segments, partners


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 7), min_size=2, max_size=40), st.integers(0, 99))
def test_no_recording_is_its_own_partner_and_labels_differ_where_they_can(classes, seed):
    """Classes stand for one label each, then for sets of three labels, by their bits: 1 = {0}, 3 = {0, 1}."""
    single = np.eye(8, dtype=np.float32)[classes]
    found = partners(single, seed)
    assert sorted(found) == list(range(len(classes)))
    assert (found != np.arange(len(classes))).all()
    # Of a label that more than half bear, so many cannot find another: 2 m - n.
    most = np.bincount(classes).max()
    assert (single * single[found]).sum() == max(0, 2 * most - len(classes))
    several = (np.array(classes)[:, None] >> np.arange(3) & 1).astype(np.float32)
    found = partners(several, seed)
    assert sorted(found) == list(range(len(classes)))
    assert (found != np.arange(len(classes))).all()


def test_equal_seeds_give_equal_partners_and_every_label_meets_every_other():
    labels = np.eye(4, dtype=np.float32)[np.arange(80) % 4]
    first = partners(labels, seed=3)
    assert first.tolist() == partners(labels, seed=3).tolist()
    assert first.tolist() != partners(labels, seed=4).tolist()
    assert len(set(zip(np.arange(80) % 4, first % 4, strict=True))) == 12


def test_large_sets_are_dealt_into_groups_with_all_labels(monkeypatch):
    monkeypatch.setattr(audit_pairing, "_LARGEST_GROUP", 10)
    # Sorted by label: groups of neighbours would hold one label each.
    labels = np.eye(3, dtype=np.float32)[np.repeat([0, 1, 2], 15)]
    found = partners(labels)
    assert sorted(found) == list(range(45))
    assert (labels * labels[found]).sum() == 0


def test_one_recording_is_its_own_partner():
    assert partners(np.ones((1, 2), np.float32)).tolist() == [0]


def test_segments_are_lent_in_order_and_again_where_there_are_fewer():
    # Recordings a, b, c in the order of first appearance; their segments out of order.
    ids = np.array(["a", "b", "a", "a", "c", "b"])
    index = np.array([1, 0, 0, 2, 5, 1])
    # a borrows from b, b from c, c from a.
    found = partner_segments(ids, index, np.array([1, 2, 0]))
    # a0 (row 2) gets b0 (row 1), a1 (row 0) b1 (row 5), a2 (row 3) b0 again; b0, b1 get c; c gets a0.
    assert found.tolist() == [5, 4, 1, 1, 2, 4]
