"""The simulation of the shard layout is the layout: what it counts is what `prepare` would lay out."""

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from avinst.manifests.rows import SPLITS, ManifestRow
from avinst.spec import DatasetSpec
from avinst.splits import DEFAULT_SHARES, assign_splits
from beam_pipelines.layout import lay_out

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
import scale_layout

ROWS, PER_SHARD = 3000, 16


@pytest.fixture(scope="module")
def laid_out():
    """The same made-up rows through the product."""
    rows = []
    for names, uploads, generator in scale_layout.uploaders(ROWS, scale_layout.SEED):
        groups = np.repeat(names, uploads)
        ids = scale_layout.video_ids(len(groups), generator)
        rows += [ManifestRow(f"{v}.mp4", ("x",), v, group=str(g)) for v, g in zip(ids, groups, strict=True)]
    splits = assign_splits(rows, "hash", DEFAULT_SHARES)
    return rows, splits, lay_out(rows, splits, DatasetSpec(), ("x",), PER_SHARD)


def test_rows_are_as_many_as_asked_for_and_all_different(laid_out):
    rows, _, _ = laid_out
    assert len({row.video_id for row in rows}) == len(rows) == ROWS


def test_splits_and_shards_are_those_of_the_product(laid_out):
    _, splits, shards = laid_out
    found = scale_layout.simulate(ROWS, sizes=[PER_SHARD])
    counts = Counter(splits)
    assert found["shares"] == {split: counts[split] / ROWS for split in SPLITS}
    layout = found["layouts"][str(PER_SHARD)]
    sizes = [len(shard.rows) for shard in shards]
    assert layout["shards"] == len(shards)
    assert (layout["videos"]["min"], layout["videos"]["max"]) == (min(sizes), max(sizes))
    assert layout["videos"]["mean"] == pytest.approx(np.mean(sizes))


def test_the_tail_is_that_of_workers_who_take_the_next_shard():
    # Two workers, shards of 3, 1, 1, 1 s: they end at 3 and 3; one of 4 s at the end makes it 7 of 5.
    assert scale_layout._tail(np.array([3.0, 1.0, 1.0, 1.0]), 2) == 1.0
    assert scale_layout._tail(np.array([3.0, 1.0, 1.0, 1.0, 4.0]), 2) == pytest.approx(7 / 5)
