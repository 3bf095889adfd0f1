import dataclasses
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from avinst.manifests.rows import ManifestRow
from avinst.spec import DatasetSpec
from avinst.splits import DEFAULT_SHARES, assign_splits
from beam_pipelines.layout import Shard, label_names, lay_out, shard_fingerprint, whole_fingerprint

SPEC = DatasetSpec()
LABELS = ("x", "y")


def row(number, **changes):
    return dataclasses.replace(ManifestRow(f"{number}.mp4", ("x",), f"v{number}", group=f"v{number}"), **changes)


def shards_of(rows, spec=SPEC, labels=LABELS, videos_per_shard=4):
    return lay_out(rows, assign_splits(rows, "hash", DEFAULT_SHARES), spec, labels, videos_per_shard)


@settings(max_examples=50, deadline=None)
@given(st.sets(st.integers(0, 999), min_size=1, max_size=80), st.integers(1, 20), st.randoms())
def test_every_row_is_in_exactly_one_shard_whatever_the_order(numbers, videos_per_shard, shuffler):
    rows = [row(number) for number in sorted(numbers)]
    shards = shards_of(rows, videos_per_shard=videos_per_shard)
    assert sorted(r.video_id for shard in shards for r in shard.rows) == sorted(r.video_id for r in rows)
    assert len({shard.name for shard in shards}) == len(shards)
    shuffler.shuffle(rows)
    assert shards_of(rows, videos_per_shard=videos_per_shard) == shards


def test_shards_hold_about_as_many_videos_as_asked_for():
    shards = shards_of([row(n) for n in range(2000)], videos_per_shard=16)
    train = [len(shard.rows) for shard in shards if shard.name.startswith("train")]
    assert 15 < sum(train) / len(train) <= 16
    assert max(train) < 36  # Poisson with mean 16: beyond 5 standard deviations


def test_a_packed_shard_comes_back_the_same():
    odd = [
        row(1, start_seconds=0.1, end_seconds=1e9 / 3, labels=("y", "x")),
        row(2, video_path="a,b |ü\n.mp4", split="test"),
    ]
    (shard,) = lay_out([*odd, row(3)], ["test"] * 3, SPEC, LABELS, 3)
    assert Shard.unpacked(shard.packed()) == shard


def test_a_row_takes_few_bytes_in_the_shuffle():
    """Of a million rows, what the launching process and the job request hold."""
    shards = shards_of([row(n) for n in range(2000)], videos_per_shard=16)
    assert sum(len(shard.packed()) for shard in shards) < 60 * 2000


def test_names_count_the_shards_of_a_split():
    shards = shards_of([row(n) for n in range(100)])
    for shard in shards:
        split, number, _, count = shard.name.split("-")
        assert int(number) < int(count)
        assert split in DEFAULT_SHARES


def test_the_fingerprint_holds_what_decides_the_bytes_and_nothing_else():
    base = shard_fingerprint([row(1)], SPEC, LABELS)
    for other in (
        shard_fingerprint([row(1)], dataclasses.replace(SPEC, frame_size=96), LABELS),
        shard_fingerprint([row(1)], SPEC, ("w", "x", "y")),  # positions of the labels shift
        shard_fingerprint([row(1, labels=("y",))], SPEC, LABELS),
        shard_fingerprint([row(1, video_path="other.mp4")], SPEC, LABELS),
        shard_fingerprint([row(1, start_seconds=1.0)], SPEC, LABELS),
        shard_fingerprint([row(1, end_seconds=9.0)], SPEC, LABELS),
        shard_fingerprint([row(1), row(2)], SPEC, LABELS),
    ):
        assert other != base
    assert shard_fingerprint([row(1, group="someone")], SPEC, LABELS) == base


def test_one_row_more_leaves_the_other_shards_as_they_were():
    rows = [row(n) for n in range(99)]
    before, after = (
        {shard.name: shard.fingerprint for shard in shards_of(r, videos_per_shard=1000)}
        for r in (rows, [*rows, row(100)])
    )
    assert sum(before[name] != after[name] for name in before) == 1


def test_label_names_are_sorted_and_unique():
    assert label_names([row(1, labels=("b", "a")), row(2, labels=("b",))]) == ("a", "b")


def test_the_datasets_fingerprint_follows_its_shards():
    rows = [row(n) for n in range(20)]
    assert whole_fingerprint(shards_of(rows)) == whole_fingerprint(shards_of(random.Random(0).sample(rows, 20)))
    assert whole_fingerprint(shards_of(rows)) != whole_fingerprint(shards_of(rows[:-1]))
