import hashlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avinst.errors import UserError
from avinst.manifests.rows import ManifestRow
from avinst.splits import DEFAULT_SHARES, assign_splits, unit_interval_hash


def row(video_id, label="x", group="", split=""):
    return ManifestRow(f"{video_id}.mp4", (label,), video_id, split=split, group=group or video_id)


def test_the_hash_is_sha256_of_the_text():
    assert unit_interval_hash("violin") == int(hashlib.sha256(b"violin").hexdigest()[:16], 16) / 2**64


def test_hash_splits_follow_the_shares():
    splits = Counter(assign_splits([row(f"v{n}") for n in range(4000)], "hash", DEFAULT_SHARES))
    # binomial: 4000 draws of 0.7, standard deviation 29
    assert abs(splits["train"] - 2800) < 120
    assert abs(splits["test"] - 600) < 100


def test_a_growing_set_keeps_its_splits():
    rows = [row(str(n)) for n in range(50)]
    assert assign_splits(rows, "hash", DEFAULT_SHARES) == assign_splits(rows * 2, "hash", DEFAULT_SHARES)[:50]


def test_stratified_gives_every_label_its_exact_shares():
    rows = [row(f"{label}{n}", label) for label in ("a", "b", "c") for n in range(20)]
    counts = Counter(
        zip((r.labels[0] for r in rows), assign_splits(rows, "stratified", DEFAULT_SHARES), strict=True)
    )
    for label in ("a", "b", "c"):
        assert [counts[label, split] for split in DEFAULT_SHARES] == [14, 3, 3]


def test_the_manifest_decides_first_and_for_the_whole_group():
    rows = [row("a", group="g", split="test"), row("b", group="g")]
    assert assign_splits(rows, "hash", DEFAULT_SHARES) == ["test", "test"]
    assert assign_splits(rows, "stratified", DEFAULT_SHARES) == ["test", "test"]


@given(
    st.lists(st.tuples(st.integers(0, 6), st.sampled_from("abc")), min_size=1, max_size=40),
    st.sampled_from(["hash", "stratified"]),
)
def test_no_group_is_ever_in_two_splits(members, method):
    rows = [row(f"v{n}", label, group=f"g{group}") for n, (group, label) in enumerate(members)]
    splits = assign_splits(rows, method, DEFAULT_SHARES)
    assert len(set(zip((r.group for r in rows), splits, strict=True))) == len({r.group for r in rows})


@pytest.mark.parametrize(
    "shares",
    [
        {"train": 0.5, "validation": 0.1, "test": 0.1},
        {"train": 1.0},
        {"train": float("nan"), "validation": 0.0, "test": 1.0},
        {"train": 1.5, "validation": -0.5, "test": 0.0},
    ],
)
def test_shares_that_do_not_add_up(shares):
    with pytest.raises(UserError, match="split shares"):
        assign_splits([row("a")], "hash", shares)
